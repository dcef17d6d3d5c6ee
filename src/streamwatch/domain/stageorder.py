"""The order of all stages: the built-in ones, the user's own, and those of other services."""

from streamwatch.domain.refusals import STAGES
from streamwatch.domain.settings import Settings
from streamwatch.domain.source_settings import StageSettings

OWN_AFTER = STAGES[:-1]
"""The built-in stages that an own one may follow: all but the last, behind which nothing comes."""


def own_stages(stages: tuple[StageSettings, ...], event: str) -> tuple[StageSettings, ...]:
    """The user's own stages of an event type."""
    return tuple(one for one in stages if not one.events or event in one.events)


def stages_of(settings: Settings, event: str) -> tuple[str, ...]:
    """The stages that an event passes within streamwatch, in their order.

    >>> own = StageSettings("fit", "mine:fit", "normalise")
    >>> stages_of(Settings(stages=(own,)), "return")[2:5]
    ('normalise', 'fit', 'pseudonymise')
    """
    order = list(STAGES)
    for stage in own_stages(settings.stages, event):
        if stage.after in order:
            order.insert(_behind(order, stage.after), stage.name)
    return tuple(order)


def topic_stages(settings: Settings, event: str) -> tuple[str, ...]:
    """The stages in other services of an event type."""
    return tuple(one.name for one in settings.stage_topics if one.event == event)


def all_stages(settings: Settings, event: str) -> tuple[str, ...]:
    """Every stage of an event type, in the order that says which columns a tap has.

    Those in other services stand before `pseudonymise`, whatever stage they follow: their
    records have the event's own fields and nothing that a stage of ours adds.
    """
    order = list(stages_of(settings, event))
    place = order.index("pseudonymise")
    order[place:place] = topic_stages(settings, event)
    return tuple(order)


def declaring_stages(settings: Settings, event: str) -> frozenset[str]:
    """The stages whose records name the unit of their numbers.

    They are all before `normalise`, and those in other services.

    >>> sorted(declaring_stages(Settings(), "return"))
    ['decode', 'validate']
    """
    order = stages_of(settings, event)
    as_sent = order[: order.index("normalise")]
    return frozenset((*as_sent, *topic_stages(settings, event)))


def before(settings: Settings, event: str, stage: str) -> str:
    """The stage whose records a stage of the user's own, or in another service, follows."""
    for topic in settings.stage_topics:
        if topic.name == stage:
            return topic.after
    order = stages_of(settings, event)
    return order[order.index(stage) - 1]


def _behind(order: list[str], after: str) -> int:
    """The place behind a stage and behind the own ones that follow it already."""
    place = order.index(after) + 1
    while place < len(order) and order[place] not in STAGES:
        place += 1
    return place
