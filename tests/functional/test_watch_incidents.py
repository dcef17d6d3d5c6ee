"""What `streamwatch watch` finds in a file of weeks, and its exit code."""

from pathlib import Path

from tests.functional.command import Run
from tests.functional.lines import rows, write_story


def usual_height(_day: int, number: int) -> float:
    return 170.0 + (number * 7) % 11 - 5


def test_an_open_incident_makes_the_exit_code_1_each_time(run: Run, tmp_path: Path) -> None:
    def inches_in_the_end(day: int, number: int) -> float:
        height = usual_height(day, number)
        return height if day < 18 else height / 2.54

    write_story(tmp_path / "events.jsonl", inches_in_the_end)
    answer = run("watch", "events.jsonl", "--json")
    assert answer.code == 1
    open_ = [one for one in answer.json["incidents"] if one["status"] == "open"]
    assert {one["key"]["kpi"] for one in open_} == {"mean.height"}
    assert all(60 < one["value"] < 80 and 160 < one["lower"] < 170 for one in open_)
    again = run("watch", "events.jsonl")
    assert again.code == 1
    assert "mean.height" in again.out
    assert "1 open" in again.err


def test_a_usual_shop_makes_the_exit_code_0(run: Run, tmp_path: Path) -> None:
    write_story(tmp_path / "events.jsonl", usual_height)
    answer = run("watch", "events.jsonl", "--json")
    assert answer.code == 0
    assert answer.json["incidents"] == []


def test_a_stage_bug_of_the_labels_is_made_to_happen(run: Run, tmp_path: Path) -> None:
    write_story(tmp_path / "events.jsonl", usual_height)
    (tmp_path / "labels.csv").write_text(
        "fault,shop,event_type,kpi,segment,start,end,origin,argument\n"
        "stage-bug,shop-001,widget-event,mean.height,all,"
        "2026-03-20T00:00:00Z,2026-04-20T00:00:00Z,normalise,normalise\n"
    )
    (tmp_path / "tap_config").mkdir()
    (tmp_path / "tap_config" / "measures.yaml").write_text(
        "event: widget-event\nafter: [decode, normalise]\ncolumns: [height]\n"
    )
    answer = run("watch", "events.jsonl", "--stage-bugs", "labels.csv", "--json")
    assert answer.code == 1
    assert {one["key"]["kpi"] for one in answer.json["incidents"]} == {"mean.height"}
    late = "WHERE arrived_at > '2026-03-20'"
    sent = rows(tmp_path, f"SELECT avg(height) FROM tap_widget_event_decode {late}")
    after = rows(tmp_path, f"SELECT avg(height) FROM tap_widget_event_normalise {late}")
    assert 165 < sent[0][0] < 175
    assert after[0][0] < 150
