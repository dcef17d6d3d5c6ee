"""The limit of the language: an aiokafka getmany loop with msgspec decoding."""

import sys

import msgspec
import uvloop
from aiokafka import AIOKafkaConsumer
from workload import State, Stopwatch, Widget, tally


async def main(bootstrap: str, topic: str, group: str, expected: int) -> None:
    decode = msgspec.json.Decoder(Widget).decode
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=bootstrap,
        group_id=group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    await consumer.start()
    state: State = {}
    watch = Stopwatch(expected)
    done = False
    while not done:
        for records in (await consumer.getmany(timeout_ms=1_000, max_records=4_000)).values():
            for record in records:
                tally(state, decode(record.value))
            done = watch.add(len(records))
        await consumer.commit()
    watch.report(len(state))
    await consumer.stop()


uvloop.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
