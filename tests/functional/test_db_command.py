import json
from pathlib import Path

import pytest
from tests.functional.command import Run

from streamwatch.adapters.sql.engine import create_engine_for
from streamwatch.adapters.sql.migrations import head_revision
from streamwatch.adapters.sql.store import SqlStore
from streamwatch.domain.accounting import Accounting
from streamwatch.domain.incidents import Incident
from streamwatch.domain.readings import KpiKey
from streamwatch.domain.records import PartitionId
from streamwatch.domain.rows import IncidentRow, TapRow
from streamwatch.runner.ports import Flush

ID = "shop-003/widget-event/mean.height/all/day/low@2026-03-01"
NOW = 1_772_357_400_250
HEAD = head_revision()


def fill(accounting: Accounting | None = None) -> None:
    engine = create_engine_for("sqlite:///streamwatch.db")
    incident = Incident(
        ID, KpiKey("shop-003", "widget-event", "mean.height"), "low", "open", NOW, None, NOW,
        67.3, 171.0, 169.2, 172.8, -48.0, 2, "mean height below its band", 2, NOW,
    )  # fmt: skip
    tap = TapRow("widget-event", "decode", "t", 0, 1, "e", "shop-003", NOW, 1000, {}, "all")
    SqlStore(engine).commit(
        Flush(
            PartitionId("count", "widget-event", 3),
            None,
            10,
            0,
            "",
            {},
            [IncidentRow(incident), tap],
            accounting or Accounting(0, 10, 10, 9, 1),
        )
    )
    engine.dispose()


def test_upgrade_creates_the_database_in_the_working_folder(run: Run, tmp_path: Path) -> None:
    code, out, _ = run("db", "upgrade")
    assert (code, out) == (0, f"sqlite:///streamwatch.db went from revision none to {HEAD}.\n")
    assert (tmp_path / "streamwatch.db").exists()
    code, out, _ = run("db", "upgrade", "--json")
    assert code == 0
    assert json.loads(out) == {
        "schema_version": 1,
        "database": "sqlite:///streamwatch.db",
        "before": HEAD,
        "after": HEAD,
    }


def test_the_option_goes_before_the_settings(run: Run, tmp_path: Path) -> None:
    assert run("db", "upgrade", "--database", "sqlite:///other.db")[0] == 0
    assert (tmp_path / "other.db").exists()
    assert not (tmp_path / "streamwatch.db").exists()


def test_status_says_where_every_record_went(run: Run) -> None:
    code, out, _ = run("db", "status")
    assert code == 1
    assert "Run: streamwatch db upgrade" in out
    run("db", "upgrade")
    assert "No partition was read yet" in run("db", "status")[1]
    fill()
    code, out, _ = run("db", "status")
    assert code == 0
    assert "count  widget-event" in out
    assert "yes" in out
    answer = json.loads(run("db", "status", "--json")[1])
    assert (answer["revision"], answer["adds_up"]) == (HEAD, True)
    assert answer["partitions"][0]["accounting"]["aggregated"] == 9


def test_an_accounting_that_does_not_add_up_is_a_finding(run: Run) -> None:
    run("db", "upgrade")
    fill(Accounting(0, 10, 10, 3, 1))
    code, out, _ = run("db", "status")
    assert code == 1
    assert "NO" in out


def test_downgrade_asks_before_it_drops(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("db", "upgrade")
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda _: "n")
    assert run("db", "downgrade", "base")[0] == 130
    assert "as needed" in run("db", "status")[1]
    code, out, _ = run("db", "downgrade", "base", "--yes")
    assert (code, out) == (0, f"sqlite:///streamwatch.db went from revision {HEAD} to none.\n")


def test_an_unknown_revision_is_explained(run: Run) -> None:
    code, _, err = run("db", "downgrade", "0099", "--yes")
    assert code == 3
    assert "0099" in err
    assert f"revisions go from base to {HEAD}" in err


def test_prune_deletes_old_tap_rows(run: Run) -> None:
    run("db", "upgrade")
    fill()
    code, out, _ = run("db", "prune")
    assert (code, out) == (0, "tap_widget_event_decode: 1 rows deleted\n")
    assert run("db", "prune")[1] == "Nothing was old enough to be deleted.\n"
    deleted = json.loads(run("db", "prune", "--json")[1])["deleted"]
    assert deleted["rejects"] == 0


def test_incidents_are_listed_and_shown(run: Run) -> None:
    run("db", "upgrade")
    assert run("incidents", "list", "--open")[:2] == (0, "No open incident.\n")
    fill()
    code, out, err = run("incidents", "list", "--open", "--shop", "shop-003")
    assert code == 0
    assert ID in out
    assert "169.2 to 172.8" in out
    assert "streamwatch incidents show" in err
    assert run("incidents", "list", "--shop", "shop-009")[1] == "No incident.\n"
    answer = json.loads(run("incidents", "list", "--json")[1])
    assert [one["id"] for one in answer["incidents"]] == [ID]

    code, out, _ = run("incidents", "show", ID)
    assert code == 0
    for said in ("67.3 (low, -48.0 sd)", "171 (169.2 to 172.8)", "2026-03-01 09:30", "still open"):
        assert said in out
    assert "FROM tap_widget_event_journey" in out
    assert "mean height below its band" in out
    answer = json.loads(run("incidents", "show", ID, "--json")[1])
    assert answer["incident"]["value"] == 67.3


def test_an_unknown_incident_names_the_list(run: Run) -> None:
    run("db", "upgrade")
    code, _, err = run("incidents", "show", "nope")
    assert code == 2
    assert "streamwatch incidents list" in err


@pytest.mark.parametrize("arguments", [("incidents", "list"), ("db", "prune")])
def test_a_database_that_is_not_migrated_says_what_to_do(
    run: Run, arguments: tuple[str, ...]
) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (3, "")
    assert "run: streamwatch db upgrade" in err


@pytest.mark.parametrize("arguments", [("db",), ("db", "status"), ("incidents", "list")])
def test_help_has_examples(run: Run, arguments: tuple[str, ...]) -> None:
    code, out, _ = run(*arguments, "--help")
    assert code == 0
    assert "Example" in out
