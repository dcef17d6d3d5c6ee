"""Stages of one's own, and in other services, are checked with their place before anything runs."""

from pathlib import Path

import pytest

from streamwatch.adapters.own_stages import load_own_stages
from streamwatch.adapters.settings.loading import load_settings
from streamwatch.errors import ConfigurationError

MODULE = """
number = 7

def correct(event, occurred_ms):
    return event

def alone(event):
    return event

async def later(event, occurred_ms):
    return event
"""


def mistake(folder: Path, text: str) -> str:
    file = folder / "streamwatch.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load_own_stages(load_settings(file, {}), file)
    return str(caught.value).replace(f"{folder}/", "")


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("stages: [{name: Fit, step: 'm:f'}]", "1:17: stage name `Fit`: small letters"),
        ("stages: [{name: decode, step: 'm:f'}]", "1:17: stage `decode` is there already"),
        ("stages: [{name: daily, step: 'm:f'}]", "would be taken for a view"),
        ("stages: [{name: a, step: 'm:f'}, {name: a, step: 'm:g'}]", "stage `a` is there already"),
        ("stages: [{name: f-a, step: 'm:f'}, {name: f_a, step: 'm:g'}]", "there already as `f-a`"),
        ("stages: [{name: a, step: 'm.f'}]", "1:26: step `m.f` must be `module:function`"),
        (
            "stages: [{name: a, step: 'm:f', after: aggregate}]",
            "1:40: an own stage cannot follow `aggr",
        ),
        ("stages: [{name: a, step: 'm:f', after: normalize}]", "did you mean `normalise`?"),
        ("stages: [{name: a}]", "stage a lacks `step`"),
        (
            "stage_topics: [{name: r, topic: purchase, event: return}]",
            "1:33: topic `purchase` stands twice",
        ),
        (
            "stage_topics: [{name: r, topic: t, event: return, after: nowhere}]",
            "no stage is called `nowhere`",
        ),
        (
            "stage_topics: [{name: r, topic: streamwatch.readings, event: return}]",
            "is one that streamwatch itself writes",
        ),
        (
            "stage_topics: [{name: r, topic: t, event: return, fields: {hight: h}}]",
            "1:60: unknown key `hight` in fields",
        ),
        ("recorder: {every: 5}", "1:19: every of recorder must be a time with its unit"),
        ("recorder: {memory: 5}", "1:20: memory of recorder must be a size with its unit"),
    ],
)
def test_a_wrong_stage_is_told_with_its_place(tmp_path: Path, lines: str, told: str) -> None:
    found = mistake(tmp_path, lines)
    assert found.startswith("streamwatch.yaml:1:")
    assert told in found


@pytest.mark.parametrize(
    ("step", "told"),
    [
        ("no_such_module_here:f", "there is no module `no_such_module_here`"),
        ("steps_of_mine:corect", "has no function `corect`; did you mean `correct`?"),
        ("steps_of_mine:number", "`steps_of_mine:number` is no function"),
        ("steps_of_mine:alone", "must take an event and its time in milliseconds"),
        ("steps_of_mine:later", "is asynchronous; a step is a plain function"),
        ("broken_steps:f", "importing `broken_steps` raised ZeroDivisionError"),
    ],
)
def test_a_step_that_cannot_be_used_is_told_with_its_place(
    tmp_path: Path, step: str, told: str
) -> None:
    (tmp_path / "steps_of_mine.py").write_text(MODULE)
    (tmp_path / "broken_steps.py").write_text("1 / 0\n")
    text = f"known_only: false\nstages:\n  - name: fit\n    step: '{step}'\n"
    found = mistake(tmp_path, text)
    assert found.startswith("streamwatch.yaml:4:11: stage fit: ")
    assert told in found


def test_a_right_step_is_loaded_from_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "own_steps_right.py").write_text(MODULE)
    file = tmp_path / "streamwatch.yaml"
    file.write_text("stages: [{name: fit, step: 'own_steps_right:correct'}]\n")
    steps = load_own_stages(load_settings(file, {}), file)
    assert steps["fit"].__name__ == "correct"  # type: ignore[attr-defined]
