"""The user's own stages, and stages in other services: same taps, same statistics, no stopping."""

import math
import sys
from collections.abc import Callable
from datetime import UTC
from typing import Any

import msgspec
import pytest

from streamwatch.domain.cells import ALL
from streamwatch.domain.events import Event, WidgetEvent
from streamwatch.domain.records import FileRecord, Slice
from streamwatch.domain.settings import Settings
from streamwatch.domain.source_settings import StageSettings, StageTopicSettings
from streamwatch.domain.tap_settings import TapSettings
from streamwatch.stages.custom import Refuse, Step
from streamwatch.steps.sources import compile_sources, compile_tap_set, points_of
from streamwatch.steps.stagetopic import StageTopicStep, step_of
from streamwatch.taps.recorder import Recorder

NOW = 1_788_256_800_000
HOUR = NOW
Make = Callable[..., Any]
SETTINGS = Settings(
    stages=(
        StageSettings("fit", "mine:fit", "normalise"),
        StageSettings("late", "mine:late", "pseudonymise"),
    )
)
TAPS = (
    TapSettings("all", "widget-event", ("normalise", "fit", "pseudonymise", "late", "segment")),
)


def taller(event: Event, occurred: int) -> Event:  # noqa: ARG001
    assert isinstance(event, WidgetEvent)
    if event.height is None:
        return event
    return msgspec.structs.replace(event, height=event.height + 10)


def same(event: Event, occurred: int) -> Event:  # noqa: ARG001
    return event


def with_steps(counting: Make, fit: Step = same, late: Step = same) -> Any:
    return counting(SETTINGS, taps=TAPS, own={"fit": fit, "late": late})


def test_an_own_stage_changes_what_comes_behind_it(counting: Make, widget: Make) -> None:
    count = with_steps(counting, fit=taller)
    count.feed(widget(height=170.0))
    heights = {row.stage: row.columns["height"] for row in count.taps}
    assert heights == {
        "normalise": 170.0, "fit": 180.0, "pseudonymise": 180.0, "late": 180.0, "segment": 180.0,
    }  # fmt: skip
    assert [row.stage for row in count.taps if "pseudonym" in row.columns] == [
        "pseudonymise", "late", "segment",
    ]  # fmt: skip


def test_its_statistics_stand_between_those_of_its_neighbours(counting: Make, widget: Make) -> None:
    count = with_steps(counting, fit=taller, late=taller)
    count.feed(widget(height=170.0), widget(height=150.0))
    count.settle()
    cell = count.cells("shop-001", HOUR)[ALL]
    means = {stage: found["height"].mean for stage, found in cell.stages.items()}
    assert means == {
        "decode": 160, "validate": 160, "normalise": 160, "fit": 170, "pseudonymise": 170,
        "late": 180, "segment": 180,
    }  # fmt: skip
    changed = {stage: found["height"].changed for stage, found in cell.transitions.items()}
    assert changed == {"fit": 2, "late": 2}
    assert cell.numbers["height"].mean == 180


def test_what_it_refuses_is_a_reject_of_that_stage(counting: Make, widget: Make) -> None:
    count = with_steps(counting, late=lambda _event, _occurred: Refuse("no-fit", "height"))
    count.feed(widget(), widget())
    (first, _) = count.rejects
    assert (first.stage, first.reason, first.field) == ("late", "no-fit", "height")
    assert count.counts == (0, 2, 0)
    count.settle()
    cell = count.cells("shop-001", HOUR)[ALL]
    assert cell.rejects == {"late/no-fit/height": 2}
    assert cell.stages["pseudonymise"]["height"].n == 2
    assert "late" not in cell.stages


def failing(error: BaseException) -> Step:
    def step(event: Event, occurred: int) -> Event:  # noqa: ARG001
        raise error

    return step


def giving(result: Any) -> Step:
    return lambda _event, _occurred: result


def changing(**fields: Any) -> Step:
    return lambda event, _occurred: msgspec.structs.replace(event, **fields)


def exiting(event: Event, occurred: int) -> Event:  # noqa: ARG001
    sys.exit("stop")


@pytest.mark.parametrize(
    ("step", "reason", "field"),
    [
        (failing(ZeroDivisionError()), "exception:ZeroDivisionError", ""),
        (failing(KeyError("zz-jane")), "exception:KeyError", ""),
        (failing(RecursionError()), "exception:RecursionError", ""),
        (exiting, "exception:SystemExit", ""),
        (giving(None), "not-an-event", ""),
        (giving({"height": 1}), "not-an-event", ""),
        (changing(height="tall"), "wrong-type", "height"),
        (changing(height=math.nan), "wrong-type", "height"),
        (changing(height=True), "wrong-type", "height"),
        (changing(category=7), "wrong-type", "category"),
        (changing(shop="other"), "changed-id", "shop"),
        (changing(event_id="other"), "changed-id", "event_id"),
    ],
)
def test_whatever_goes_wrong_inside_is_a_reject(
    counting: Make, widget: Make, step: Step, reason: str, field: str
) -> None:
    count = with_steps(counting, fit=step)
    count.feed(widget())
    (found,) = count.rejects
    assert (found.stage, found.reason, found.field) == ("fit", reason, field)
    count.settle()
    assert "zz-jane" not in f"{count.rows} {count.messages}"


def test_a_stage_for_one_event_type_leaves_the_others_alone() -> None:
    only = StageSettings("fit", "mine:fit", events=("purchase",))
    settings = Settings(stages=(only,))
    assert "fit" in points_of(settings, "purchase")
    assert "fit" not in points_of(settings, "return")


ELSEWHERE = Settings(
    stage_topics=(
        StageTopicSettings("recommender", "recommended", "widget-event", after="normalise"),
    )
)


def counting_elsewhere(counting: Make, **more: Any) -> Any:
    taps = (TapSettings("all", "widget-event", ("recommender",)),)
    return counting(ELSEWHERE, "recommended", taps=taps, **more)


def test_a_stage_topic_gives_tap_rows_and_statistics_of_its_stage(
    counting: Make, widget: Make
) -> None:
    count = counting_elsewhere(counting)
    count.feed(widget(height=70.0, height_unit="in"), widget(event_id="e-2", height=190.0))
    assert [(row.stage, row.event_id, row.columns["height"]) for row in count.taps] == [
        ("recommender", "e-1", 70.0),
        ("recommender", "e-2", 190.0),
    ]
    count.settle()
    cells = count.cells("shop-001", HOUR)
    assert list(cells) == [ALL]
    cell = cells[ALL]
    assert list(cell.stages) == ["recommender"]
    assert cell.stages["recommender"]["height"].mean == pytest.approx(183.9)
    assert (cell.count, cell.numbers) == (0, {})
    assert {feature: sum(bins.values()) for feature, bins in cell.sketches.items()}["height"] == 2
    assert cell.labels["gender"] == {"female": 2}


def test_a_stage_topic_record_without_a_time_counts_by_its_arrival(
    counting: Make, widget: Make
) -> None:
    count = counting_elsewhere(counting)
    count.feed(widget(time=None))
    count.settle()
    assert count.cells("shop-001", HOUR)[ALL].stages["recommender"]["height"].n == 1


def test_a_bad_record_of_a_stage_topic_is_a_reject_of_its_stage(
    counting: Make, widget: Make
) -> None:
    count = counting_elsewhere(counting)
    count.feed(widget(), b"junk", None, widget(shop=""), widget(height="tall"), widget(time=5))
    assert {row.stage for row in count.rejects} == {"recommender"}
    assert count.counts == (1, 5, 0)
    assert not count.messages


def test_a_stage_topic_goes_on_after_a_restart(counting: Make, widget: Make) -> None:
    count = counting_elsewhere(counting)
    count.feed(widget(height=170.0))
    count.settle()
    count.restart()
    count.feed(widget(height=190.0))
    count.settle()
    moments = count.cells("shop-001", HOUR)[ALL].stages["recommender"]["height"]
    assert (moments.n, moments.mean) == (2, 180.0)


def test_the_step_of_a_topic_is_chosen_by_its_source() -> None:
    sources = compile_sources(ELSEWHERE, (), lambda _: UTC, b"k" * 32)
    assert isinstance(step_of(sources["recommended"], 0), StageTopicStep)
    assert not isinstance(step_of(sources["return"], 0), StageTopicStep)


def test_new_taps_stand_from_the_next_slice_on(counting: Make, widget: Make) -> None:
    count = counting(taps=())
    count.feed(widget())
    live = count.step.source.taps
    tap = TapSettings("new", "widget-event", ("decode",))
    live.current = compile_tap_set(Settings(), (tap,), lambda _, text: text, "v2")
    count.feed(widget(), widget())
    assert [row.offset for row in count.taps] == [1, 2]
    assert count.counts == (3, 0, 0)


def test_the_recorder_keeps_a_record_as_it_passes(counting: Make, widget: Make) -> None:
    recorder = Recorder(every=60_000, memory=1_000_000)
    count = counting(SETTINGS, own={"fit": taller, "late": same}, recorder=recorder)
    count.feed(widget(height=170.0), widget(event_id="e-2"))
    kept = recorder.of("shop-001")
    assert [(row.stage, row.event_id) for row in kept] == [
        ("decode", "e-1"), ("normalise", "e-1"), ("fit", "e-1"), ("late", "e-1"),
        ("segment", "e-1"),
    ]  # fmt: skip
    assert [msgspec.json.decode(row.columns)["height"] for row in kept] == [170, 170, 180, 180, 180]
    assert b"zz-jane" not in b"".join(row.columns for row in kept)


def test_the_recorder_keeps_what_stands_before_validate_once_it_is_sound(
    counting: Make, widget: Make
) -> None:
    settings = Settings(stages=(StageSettings("fit", "mine:fit", "decode"),))
    recorder = Recorder(every=60_000, memory=1_000_000)
    count = counting(settings, own={"fit": taller}, recorder=recorder)
    count.feed(widget(event_id="bad", time="never"), widget(height=170.0))
    kept = [(row.event_id, row.stage) for row in recorder.of("shop-001")]
    assert kept == [("e-1", stage) for stage in ("decode", "fit", "normalise", "segment")]
    heights = [msgspec.json.decode(row.columns)["height"] for row in recorder.of("shop-001")]
    assert heights == [170, 180, 180, 180]


def test_a_slice_of_another_topic_reaches_its_own_step() -> None:
    sources = compile_sources(ELSEWHERE, (), lambda _: UTC, b"k" * 32)
    step = step_of(sources["recommended"], 0)
    state = step.restore({})
    outcome = step.process(state, Slice("recommended", 0, [FileRecord(0, b"{}", NOW)]), NOW)
    assert outcome.rejected == 1


EVERYWHERE = ("decode", "validate", "normalise", "pseudonymise", "segment")


@pytest.mark.parametrize("after", EVERYWHERE)
def test_an_own_stage_may_stand_behind_every_built_in_one(
    counting: Make, widget: Make, after: str
) -> None:
    seen: list[Event] = []

    def fit(event: Event, occurred: int) -> Event:
        seen.append(event)
        return taller(event, occurred)

    settings = Settings(stages=(StageSettings("fit", "mine:fit", after),))
    taps = (TapSettings("all", "widget-event", ("decode", "fit", "segment")),)
    count = counting(settings, taps=taps, own={"fit": fit})
    count.feed(widget(height=170.0, shopper="zz-jane"), widget(height=150.0, shopper="zz-jane"))
    heights = [(row.stage, row.columns["height"]) for row in count.taps if row.offset == 0]
    behind = [("segment", 180.0)] if after != "segment" else []
    before = [("segment", 170.0)] if after == "segment" else []
    assert heights == [("decode", 170.0), *before, ("fit", 180.0), *behind]
    count.settle()
    cell = count.cells("shop-001", HOUR)[ALL]
    assert list(cell.stages)[EVERYWHERE.index(after) + 1] == "fit"
    means = {stage: found["height"].mean for stage, found in cell.stages.items()}
    reached = list(means.values())
    place = list(means).index("fit")
    assert reached == [160.0] * place + [170.0] * (len(means) - place)
    assert {stage: of["height"].changed for stage, of in cell.transitions.items()} == {"fit": 2}
    assert "zz-jane" not in repr(seen)
    assert not any(hasattr(event, "shopper") for event in seen)


@pytest.mark.parametrize("after", ["decode", "validate"])
def test_the_shopper_is_put_back_behind_a_step_that_does_not_see_it(
    counting: Make, widget: Make, after: str
) -> None:
    taps = (TapSettings("all", "widget-event", ("pseudonymise",)),)
    plain = counting(taps=taps)
    plain.feed(widget(shopper="zz-jane"))
    settings = Settings(stages=(StageSettings("fit", "mine:fit", after),))
    count = counting(settings, taps=taps, own={"fit": taller})
    count.feed(widget(shopper="zz-jane"))
    assert count.taps[0].columns["pseudonym"] == plain.taps[0].columns["pseudonym"]


def test_a_step_before_normalise_works_on_what_the_client_sent(
    counting: Make, widget: Make
) -> None:
    settings = Settings(stages=(StageSettings("units", "mine:units", "decode"),))
    taps = (TapSettings("all", "widget-event", ("units", "normalise")),)
    steps = {"units": changing(height=70.0, height_unit="in", time=NOW / 1000)}
    count = counting(settings, taps=taps, own=steps)
    count.feed(widget(height=1.0, height_unit="m", time="some day"))
    assert [row.columns["height"] for row in count.taps] == [70.0, pytest.approx(177.8)]
    count.settle()
    stages = count.cells("shop-001", HOUR)[ALL].stages
    means = {stage: found["height"].mean for stage, found in stages.items()}
    assert means["decode"] == 100.0
    assert means["units"] == means["segment"] == pytest.approx(177.8)


@pytest.mark.parametrize("time", [True, [1], {"at": 1}])
def test_a_time_of_another_type_is_a_reject_of_the_step(
    counting: Make, widget: Make, time: object
) -> None:
    settings = Settings(stages=(StageSettings("fit", "mine:fit", "decode"),))
    count = counting(settings, own={"fit": changing(time=time)})
    count.feed(widget())
    (found,) = count.rejects
    assert (found.stage, found.reason, found.field) == ("fit", "wrong-type", "time")


@pytest.mark.parametrize("after", EVERYWHERE)
def test_what_it_refuses_is_seen_up_to_the_stage_before(
    counting: Make, widget: Make, after: str
) -> None:
    settings = Settings(stages=(StageSettings("fit", "mine:fit", after),))
    count = counting(settings, own={"fit": failing(ZeroDivisionError())})
    count.state.advance("shop-001", HOUR)
    count.feed(widget(shopper="zz-jane"))
    assert [(one.stage, one.reason) for one in count.rejects] == [
        ("fit", "exception:ZeroDivisionError")
    ]
    assert "zz-jane" not in repr(count.rows)
    count.settle()
    cell = count.cells("shop-001", HOUR)[ALL]
    assert list(cell.stages) == list(EVERYWHERE[: EVERYWHERE.index(after) + 1])
