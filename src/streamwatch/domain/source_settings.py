"""What ``streamwatch.yaml`` says of sources, shops, rules and stages."""

from typing import Literal

import msgspec

Format = Literal["json", "avro", "json-schema", "protobuf", "cloudevents"]
"""How the records of a topic are written."""


class FieldMapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a field of the event stands in the client's JSON.

    Attributes:
        path: key, or keys joined by dots for a nested object; default: the field's own name.
        constant: the value for every record, instead of a path.
        unit: the unit of every value, for a numeric feature without a unit field.
        unit_path: where the record's own unit stands.
    """

    path: str | None = None
    constant: str | float | None = None
    unit: str | None = None
    unit_path: str | None = None


class SourceSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One input topic.

    Attributes:
        topic: the Kafka topic.
        event: ``widget-event``, ``purchase`` or ``return``.
        types: ``strict``, or ``lenient`` to read numbers from text (CSV files need it).
        fields: field of the event → where it stands; unnamed fields stand under their name.
        required: fields that a record must have, besides event id, shop and time.
        format: how the records are written, see `Format`.
        schema: a schema file, for records that name none of a registry.
        message: of a Protobuf schema, the message's full name; else the first one.
    """

    topic: str
    event: Literal["widget-event", "purchase", "return"]
    types: Literal["strict", "lenient"] = "strict"
    fields: dict[str, FieldMapping] = {}
    required: tuple[str, ...] = ()
    format: Format = "json"
    schema: str | None = None
    message: str | None = None


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rule by a domain expert about one field; exactly one kind is set.

    Attributes:
        name: the reason code of a violation.
        event: the event type that it is about.
        field: the field that it is about.
        range: lowest and highest value, in cm, kg, years, pieces or the currency.
        required: the field must be there.
        allowed: the only allowed values.
        pattern: a regular expression that the whole text must match.
        below: another numeric field that the value must not exceed.
        when: applies only to records whose fields have these values (``category: kids``).
        action: ``reject`` the record, or only ``mark`` it: count it and keep it.
    """

    name: str
    event: Literal["widget-event", "purchase", "return"]
    field: str
    range: tuple[float, float] | None = None
    required: bool = False
    allowed: tuple[str, ...] | None = None
    pattern: str | None = None
    below: str | None = None
    when: dict[str, str] = {}
    action: Literal["reject", "mark"] = "reject"


class ShopSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is known of one shop beforehand; an entry ``default`` serves all others."""

    timezone: str = "UTC"


class StageSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A stage of the user's own, between `normalise` and `segment`.

    Attributes:
        name: of the stage, in tables, metrics and messages.
        step: ``module:function``, see `stages.custom.Step`.
        after: the stage that it follows: ``normalise``, ``pseudonymise`` or another own one.
        events: only for these event types; empty for all.
    """

    name: str
    step: str
    after: str = "normalise"
    events: tuple[Literal["widget-event", "purchase", "return"], ...] = ()


class StageTopicSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A stage that lives in another service: the Kafka topic that it writes to.

    Attributes:
        name: of the stage.
        topic: the topic.
        event: the event type whose fields its records hold.
        after: the stage that it follows, for order in tables and reports.
        types, fields, format, schema, message: as in `SourceSettings`.
    """

    name: str
    topic: str
    event: Literal["widget-event", "purchase", "return"]
    after: str = "aggregate"
    types: Literal["strict", "lenient"] = "strict"
    fields: dict[str, FieldMapping] = {}
    format: Format = "json"
    schema: str | None = None
    message: str | None = None
