"""A file gives the settings that it says, and each mistake its place and the right name."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from streamwatch.adapters.settings.fields import MEANINGS
from streamwatch.adapters.settings.loading import load_settings
from streamwatch.domain.events import EVENT_TYPES
from streamwatch.domain.settings import Settings
from streamwatch.domain.source_settings import FieldMapping
from streamwatch.errors import ConfigurationError

DOCUMENTATION = Path(__file__).parents[3] / "docs" / "configuration.md"
PROJECT_FILE = Path(__file__).parents[3] / "streamwatch.yaml"
SOURCE = "sources:\n  - topic: w\n    event: widget-event\n"
RULE = "rules:\n  - name: r\n    event: purchase\n"


def _load(folder: Path, text: str) -> Settings:
    file = folder / "streamwatch.yaml"
    file.write_text(text, encoding="utf-8")
    return load_settings(file, {})


def _mistakes(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        _load(folder, text)
    return [line.removeprefix(f"{folder}/") for line in str(caught.value).splitlines()]


def test_without_a_file_the_defaults_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_settings(None, {}) == Settings()


def test_a_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_settings(tmp_path / "none.yaml", {})


def test_the_file_of_the_project_says_the_defaults_and_some_rules() -> None:
    loaded = load_settings(PROJECT_FILE, {})
    assert loaded.rules
    assert msgspec.structs.replace(loaded, rules=()) == Settings()


def test_the_file_of_the_project_names_every_setting() -> None:
    text = PROJECT_FILE.read_text(encoding="utf-8")
    assert [name for name in Settings.__struct_fields__ if f"\n{name}:" not in text] == []


def test_lengths_of_time_are_read_with_their_units(tmp_path: Path) -> None:
    text = "horizon: 2w\nfuture: 90s\nflush: {interval: 500ms}\njudging: {lateness: 15m}\n"
    loaded = _load(tmp_path, text)
    assert (loaded.horizon, loaded.future) == (14 * 86_400_000, 90_000)
    assert (loaded.flush.interval, loaded.judging.lateness) == (500, 900_000)


def test_text_is_taken_as_it_is_written(tmp_path: Path) -> None:
    text = (
        RULE + "    field: size\n    allowed: [38, 40.5, no, 1e3]\n    when: {app_version: 5.0}\n"
    )
    (rule,) = _load(tmp_path, text).rules
    assert rule.allowed == ("38", "40.5", "no", "1e3")
    assert rule.when == {"app_version": "5.0"}


def test_fields_are_mapped_in_four_ways(tmp_path: Path) -> None:
    text = SOURCE + (
        "    fields:\n"
        "      product: item.sku\n"
        "      height: {path: body.h, unit_path: body.unit}\n"
        "      weight: {unit: lb}\n"
        '      app_version: {constant: "5.0"}\n'
        "      age: {constant: 30}\n"
    )
    fields = _load(tmp_path, text).sources[0].fields
    assert fields == {
        "product": FieldMapping(path="item.sku"),
        "height": FieldMapping(path="body.h", unit_path="body.unit"),
        "weight": FieldMapping(unit="lb"),
        "app_version": FieldMapping(constant="5.0"),
        "age": FieldMapping(constant=30.0),
    }


@pytest.mark.parametrize("text", ["sources: []\n", "sources:\n", "rules:\nshops:\n"])
def test_an_empty_section_leaves_the_default(tmp_path: Path, text: str) -> None:
    assert _load(tmp_path, text) == Settings()


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("sorces: []\n", "1:1: unknown key `sorces`; did you mean `sources`?"),
        ("kafka:\n  bootstap: a:1\n", "2:3: unknown key `bootstap` in kafka; did you mean `bootst"),
        ("horizon: 5\n", "1:10: horizon must be a time with its unit, such as 90s"),
        ("horizon: 1s\n", "1:10: horizon must be 1h to 400d, not `1s`"),
        ("known_only: yes\n", "1:13: known_only must be true or false, not `yes`"),
        ("metrics_port: 70000\n", "1:15: metrics_port must be 0 to 65535, not `70000`"),
        (
            'metrics_port: "9464"\n',
            '1:15: metrics_port must be a whole number, not the text "9464"',
        ),
        ("judging: {threshold: .inf}\n", "1:22: threshold of judging must be a number"),
        ("judging: {threshold: 1e999}\n", "1:22: threshold of judging must be a number"),
        ("kafka: here\n", "1:8: kafka must hold `key: value` lines"),
        ("segments: gender\n", "1:11: segments must be a list, such as [a, b]"),
        ("database: [a]\n", "1:11: database must be a single value"),
        ("database: nonsense\n", "1:11: database is no SQLAlchemy address"),
        ("database: mysql://h/d\n", "1:11: database must begin with sqlite:/// or postgresql"),
        ("kafka: {bootstrap: localhost}\n", "1:20: bootstrap of kafka must be host:port"),
        ("kafka: {bootstrap: 'a:1,b:99999'}\n", "1:20: bootstrap of kafka must be host:port"),
        ("kafka: {prefix: a b}\n", "1:17: prefix of kafka must be"),
        ("kafka: {group: a b}\n", "1:16: group of kafka must be"),
        ("shops: {a: {timezone: Europe/Berln}}\n", "did you mean `Europe/Berlin`?"),
        ("shops: {a: {timezone: ../etc}}\n", "1:23: no time zone is called `../etc` (shop a)"),
        ("known_only: true\n", "1:13: known_only refuses every record"),
        ("segments: [gender, catgory]\n", "1:20: no event type has a label `catgory`; did you m"),
        ("segments: [gender, gender]\n", "1:20: segment `gender` stands twice"),
        ("segments: [gender, category, size, reason, currency]\n", "1:11: at most 4 segments"),
        ("currencies: [euro]\n", "1:14: currency `euro` must be three capital letters"),
        ("currencies: [EUR, EUR]\n", "1:19: currency `EUR` stands twice"),
        ("metrics_host: a b\n", "1:15: metrics_host must be a host name"),
        ("taps: ' '\n", "1:7: taps must be the name of a folder"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, text: str, mistake: str) -> None:
    (found,) = _mistakes(tmp_path, text)
    assert found.startswith("streamwatch.yaml:1:" if "\n  " not in text else "streamwatch.yaml:2:")
    assert mistake in found


@pytest.mark.parametrize(
    ("lines", "mistake"),
    [
        (
            "    fields: {heigth: h}\n",
            "4:14: unknown key `heigth` in fields of source w; did you mean `height`?",
        ),
        (
            "    fields: {height: {pth: h}}\n",
            "4:23: unknown key `pth` in height in fields of source w; did you mean `path`?",
        ),
        ("    fields: {height: a..b}\n", "path of field `height` of source w must be keys joined"),
        ("    fields: {height: {path: a, constant: 1}}\n", "has both a path and a constant"),
        ("    fields: {height: {unit: cm, unit_path: u}}\n", "has both a unit and a unit_path"),
        ("    fields: {height: {unit: centi}}\n", "4:29: unknown unit `centi` in field `height`"),
        ("    fields: {height: {unit: kg}}\n", "there are: cm, ft, ft+in, in, m, mm"),
        (
            "    fields: {age: {unit: cm}}\n",
            "`age` of source w has no unit; only these have one: h",
        ),
        ("    fields: {height: {constant: tall}}\n", "is numeric; its constant must be a number"),
        ("    fields: {product: {constant: 5}}\n", "is text; put its constant in quotes"),
        ("    fields: {event_id: {constant: a}}\n", "differs from record to record"),
        ("    fields: {height: {unit: cm}, height_unit: u}\n", "the unit of `height` stands twice"),
        (
            "    required: [wieght]\n",
            "4:16: widget-event has no field `wieght` (required of source",
        ),
        (
            "    fields: {product: shopper}\n",
            "`product` of source w would be a copy of the shopper",
        ),
        (
            "    fields: {shopper: product}\n",
            "`product` of source w would be a copy of the shopper",
        ),
        ("    fields: {shopper: u.id, product: u.id}\n", "`product` of source w would be a copy"),
        ("    required: [shop]\n", "4:16: `shop` is required of every record"),
        ("    required: [age, age]\n", "4:21: `age` stands twice in required of source w"),
        ("    types: lax\n", "4:12: types of source w cannot be `lax`; there are: lenient, strict"),
        ("  - {topic: w, event: return}\n", "4:13: topic `w` is the source of two entries"),
        ("  - {topic: a b, event: return}\n", "4:13: topic `a b`: letters, digits, dots"),
        (
            "  - {topic: w.dlq, event: return}\n",
            "4:13: topic `w.dlq` is one that streamwatch itself",
        ),
        (
            "  - {topic: streamwatch.readings, event: return}\n",
            "topic `streamwatch.readings` is one that streamwatch itself writes",
        ),
        ("  - {topic: v}\n", "4:5: source v lacks `event`"),
        (
            "  - {topic: v, event: retrun}\n",
            "4:23: event of source v cannot be `retrun`; did you m",
        ),
    ],
)
def test_a_mistake_in_a_source_is_named(tmp_path: Path, lines: str, mistake: str) -> None:
    (found,) = _mistakes(tmp_path, SOURCE + lines)
    assert found.startswith("streamwatch.yaml:4:")
    assert mistake in found


@pytest.mark.parametrize(
    ("lines", "mistake"),
    [
        (
            "    field: prise\n    range: [1, 2]\n",
            "4:12: purchase has no field `prise` (rule r); did",
        ),
        (
            "    field: price\n",
            "2:5: rule r must have exactly one of range, required, allowed, patt",
        ),
        ("    field: price\n    range: [1, 2]\n    required: true\n", "it has range and required"),
        ("    field: price\n    range: [2, 1]\n", "5:12: rule r: range must be [lowest, highest]"),
        ("    field: price\n    range: [1]\n", "5:12: range of rule r must be two numbers"),
        ("    field: price\n    range: [1, x]\n", "5:16: range of rule r, item 2 must be a number"),
        (
            "    field: size\n    range: [1, 2]\n",
            "4:12: rule r: range needs a numeric field (quanti",
        ),
        ("    field: price\n    allowed: ['1']\n", "4:12: rule r: allowed needs a text field; for"),
        ("    field: size\n    allowed: []\n", "5:14: rule r: allowed lists no value"),
        ("    field: size\n    pattern: '('\n", "5:14: rule r: pattern is no regular expression"),
        (
            f"    field: size\n    pattern: {'a' * 301}\n",
            "5:14: rule r: a pattern has 1 to 300 char",
        ),
        (
            "    field: price\n    below: quantty\n",
            "5:12: rule r: purchase has no numeric field `qu",
        ),
        ("    field: price\n    below: price\n", "5:12: rule r compares `price` with itself"),
        (
            "    field: size\n    required: true\n    when: {categry: a}\n",
            "6:12: when of rule r: purchase has no text field `categry`; did you mean `category`?",
        ),
        (
            "    field: size\n    required: true\n    when: {price: 3}\n",
            "6:12: when of rule r: purchase has no text field `price`",
        ),
        ("    field: time\n    required: true\n", "4:12: rule r: the time is checked by `horizon`"),
        (
            "    field: size\n    required: true\n  - {name: r, event: return, field: a}\n",
            "6:12: rule `r` stands twice; names are unique",
        ),
        (
            "    field: size\n    required: true\n    action: refuse\n",
            "6:13: action of rule r cannot be `refuse`",
        ),
        (
            "    field: size\n    requird: true\n",
            "5:5: unknown key `requird` in rule r; did you mean",
        ),
    ],
)
def test_a_mistake_in_a_rule_is_named(tmp_path: Path, lines: str, mistake: str) -> None:
    assert any(mistake in found for found in _mistakes(tmp_path, RULE + lines))


def test_a_rule_name_must_do_as_a_reason_code(tmp_path: Path) -> None:
    text = "rules: [{name: Too Tall, event: return, field: size, required: true}]\n"
    (found,) = _mistakes(tmp_path, text)
    assert "1:16: rule name `Too Tall`" in found


def test_all_mistakes_of_a_file_are_named_at_once_in_its_order(tmp_path: Path) -> None:
    text = "future: soon\nsegments: [gendr]\nkafka: {prtitions: 1}\nmetrics_port: -1\n"
    found = _mistakes(tmp_path, text)
    assert [line.split(":")[1] for line in found] == ["1", "2", "3", "4"]


def test_a_wrong_item_does_not_move_the_places_of_those_after_it(tmp_path: Path) -> None:
    text = (
        "rules:\n  - {name: a}\n"
        "  - {name: b, event: return, field: sise, required: true}\n"
        "  - {name: c, event: return, field: reson, required: true}\n"
    )
    found = _mistakes(tmp_path, text)
    assert found[-2].startswith("streamwatch.yaml:3:37: return has no field `sise`")
    assert found[-1].startswith("streamwatch.yaml:4:37: return has no field `reson`")


@pytest.mark.parametrize(
    "text",
    [
        "database: postgresql://ann:hunter2@db:port/x\n",
        "database: mysql://ann:hunter2@db/x\n",
        "database: {postgresql://ann:hunter2@db/x: 1}\n",
        "postgresql://ann:hunter2@db/x: 1\n",
        "database: postgresql://ann:hunter2@db/x: 1\n",
        "database:postgresql://ann:hunter2@db/x\n",
        "metrics_port: postgresql://ann:hunter2@db/x\n",
        "kafka: postgresql://db/x?password=hunter2\n",
        "metrics_port: postgresql://db/x?password=hunter2\n",
        "sources: [{topic: 'http://a:hunter2@b', event: return}]\n",
        "shops: {a: {timezone: 'http://a:hunter2@b'}}\n",
    ],
)
def test_no_mistake_shows_a_password(tmp_path: Path, text: str) -> None:
    for found in _mistakes(tmp_path, text):
        assert "hunter2" not in found


def test_every_field_of_the_configuration_is_explained() -> None:
    for struct, meanings in MEANINGS.items():
        assert tuple(meanings) == struct.__struct_fields__


def test_the_documentation_names_every_field_and_its_example_works(tmp_path: Path) -> None:
    text = DOCUMENTATION.read_text(encoding="utf-8")
    (block,) = [part for part in text.split("```") if part.startswith("yaml\nsources:")]
    assert len(_load(tmp_path, block.removeprefix("yaml")).sources[0].fields) == 4
    for kind in EVENT_TYPES.values():
        (line,) = [line for line in text.splitlines() if line.startswith(f"| `{kind.name}` |")]
        named = {name.strip() for cell in line.split("|")[2:] for name in cell.split(",")}
        assert named - {""} == set(kind.received.__struct_fields__)


YAMLISH = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.floats(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["rules", "sources", "fields", "height", "topic", "event", "name", "when", "kafka"]
            )
            | st.text(max_size=4),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=200) | YAMLISH.map(msgspec.yaml.encode))
def test_any_file_is_either_read_or_refused_as_configuration(
    tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "any.yaml"
    file.write_bytes(content)
    told = ""
    try:
        loaded = load_settings(file, {})
    except ConfigurationError as error:
        told, loaded = str(error), None
    assert isinstance(loaded, Settings) != told.startswith(f"{file}:")
