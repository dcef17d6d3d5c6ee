"""The Faust app of a worker: how it reads, sends and takes part in the group."""

import tempfile
from pathlib import Path
from typing import Any

from faust.serializers.codecs import Codec

from streamwatch.adapters.kafka.driver import Fences, SliceApp
from streamwatch.adapters.kafka.security import faust_credentials
from streamwatch.domain.settings import KafkaSettings

SLICES_WAITING = 16
"""Slices that may wait before an agent; more pauses the partition."""

RECORDS_A_FETCH = 4_000

SENT_TOGETHER = 131_072
"""Bytes of messages for one partition that are sent as one batch; the client's default of 16 KB
takes four times as long, since a flush's partial readings are kilobytes each."""

REBALANCE_SECONDS = 60.0
"""How long a rebalance waits for a worker that still writes what it has."""

REQUEST_SECONDS = 90.0

METADATA_SECONDS = 15.0
"""How often the broker is asked for new partitions."""


class _AsItIs(Codec):
    """Hands on what it gets: the driver's messages hold slices, not bytes."""

    def _loads(self, s: Any) -> Any:
        return s


AS_IT_IS = _AsItIs()


def slice_app(kafka: KafkaSettings, fences: Fences) -> SliceApp:
    """A Faust app whose agents get slices and whose partitions begin at their fences."""
    session_s = kafka.session_timeout / 1000
    return SliceApp(
        kafka.group,
        fences=fences,
        broker=[f"kafka://{one}" for one in kafka.bootstrap.split(",")],
        broker_credentials=faust_credentials(kafka),
        broker_max_poll_records=RECORDS_A_FETCH,
        broker_commit_interval=1.0,
        broker_session_timeout=session_s,
        broker_heartbeat_interval=session_s / 5,
        broker_rebalance_timeout=max(session_s, REBALANCE_SECONDS),
        broker_request_timeout=max(session_s * 1.5, REQUEST_SECONDS),
        consumer_auto_offset_reset="earliest",
        consumer_metadata_max_age_ms=int(METADATA_SECONDS * 1000),
        stream_buffer_maxsize=SLICES_WAITING,
        stream_wait_empty=True,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        # Nothing is ever stored there: there are no tables.
        datadir=Path(tempfile.gettempdir()) / "streamwatch-faust",
        worker_redirect_stdouts=False,
        producer_linger=0.005,
        producer_max_batch_size=SENT_TOGETHER,
    )
