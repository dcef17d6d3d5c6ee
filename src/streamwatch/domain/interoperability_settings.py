"""What ``streamwatch.yaml`` says of traces and lineage; both are off unless they have a place."""

import msgspec


class TracingSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """OpenTelemetry traces of the worker.

    Attributes:
        endpoint: where they are posted (OTLP over HTTP), such as
            ``http://collector:4318/v1/traces``; empty for no traces.
        sample: share of the traces that are kept; one that a producer began and keeps is kept.
    """

    endpoint: str = ""
    sample: float = 1.0


class LineageSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """OpenLineage events about the stages.

    Attributes:
        to: an http or https address that takes them, or a file to which they are appended, one
            JSON object a line; empty for none.
        namespace: of the jobs and of the stages' datasets.
    """

    to: str = ""
    namespace: str = "streamwatch"
