"""The three event types: as the client sent them, and without the shopper.

``Received…`` types exist between `decode` and `normalise` only. They are the only types
that name the shopper, so a function behind `pseudonymise` that wants to see one does not
type-check.
"""

import msgspec

Time = str | int | float | None


class WidgetEvent(msgspec.Struct, frozen=True, gc=False, kw_only=False):
    """A shopper used the size widget.

    Attributes:
        event_id: the client's own id of the event.
        shop: the shop that sends it.
        time: when it happened, as text (RFC 3339) or epoch seconds or milliseconds.
        height, weight, age: body measures; in the record's units up to `normalise`,
            in cm, kg and years from there on.
    """

    event_id: str
    shop: str
    time: Time = None
    product: str | None = None
    category: str | None = None
    gender: str | None = None
    height: float | None = None
    height_unit: str | None = None
    weight: float | None = None
    weight_unit: str | None = None
    age: float | None = None
    recommended_size: str | None = None
    fit_preference: str | None = None
    app_version: str | None = None


class Purchase(msgspec.Struct, frozen=True, gc=False):
    """A line of an order; ``price`` is for one piece, in ``currency``."""

    event_id: str
    shop: str
    time: Time = None
    order_id: str | None = None
    line: str | None = None
    product: str | None = None
    category: str | None = None
    gender: str | None = None
    size: str | None = None
    quantity: float | None = None
    price: float | None = None
    currency: str | None = None
    app_version: str | None = None


class Return(msgspec.Struct, frozen=True, gc=False):
    """Pieces that came back; ``order_id`` refers to the purchase."""

    event_id: str
    shop: str
    time: Time = None
    order_id: str | None = None
    product: str | None = None
    category: str | None = None
    gender: str | None = None
    size: str | None = None
    quantity: float | None = None
    reason: str | None = None
    app_version: str | None = None


class ReceivedWidgetEvent(WidgetEvent, frozen=True, gc=False):
    """A widget event as the client sent it, with the shopper."""

    shopper: str | None = None


class ReceivedPurchase(Purchase, frozen=True, gc=False):
    """A purchase as the client sent it, with the shopper."""

    shopper: str | None = None


class ReceivedReturn(Return, frozen=True, gc=False):
    """A return as the client sent it, with the shopper."""

    shopper: str | None = None


Event = WidgetEvent | Purchase | Return
Received = ReceivedWidgetEvent | ReceivedPurchase | ReceivedReturn


class EventType(msgspec.Struct, frozen=True):
    """What streamwatch knows about one event type.

    Attributes:
        name: as written in configuration, tables and metrics.
        received: the type that `decode` produces.
        event: the type from `normalise` on.
        numbers: the numeric features, in the order in which all tuples hold them.
        labels: the categorical features, likewise.
        units: for a numeric feature, the field that names its unit.
        split: numeric features that are kept apart by a label, such as prices by currency.
    """

    name: str
    received: type[Received]
    event: type[Event]
    numbers: tuple[str, ...]
    labels: tuple[str, ...]
    units: dict[str, str]
    split: dict[str, str]


WIDGET_EVENT = EventType(
    name="widget-event",
    received=ReceivedWidgetEvent,
    event=WidgetEvent,
    numbers=("height", "weight", "age"),
    labels=("category", "gender", "recommended_size", "fit_preference", "app_version"),
    units={"height": "height_unit", "weight": "weight_unit"},
    split={},
)
PURCHASE = EventType(
    name="purchase",
    received=ReceivedPurchase,
    event=Purchase,
    numbers=("quantity", "price"),
    labels=("category", "gender", "size", "currency", "app_version"),
    units={},
    split={"price": "currency"},
)
RETURN = EventType(
    name="return",
    received=ReceivedReturn,
    event=Return,
    numbers=("quantity",),
    labels=("category", "gender", "size", "reason", "app_version"),
    units={},
    split={},
)
EVENT_TYPES: dict[str, EventType] = {kind.name: kind for kind in (WIDGET_EVENT, PURCHASE, RETURN)}
