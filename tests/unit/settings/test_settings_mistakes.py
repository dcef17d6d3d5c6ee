"""Each mistake of a settings file is told with its place and the right name."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from tests.unit.settings.written import mistakes

from streamwatch.adapters.settings.loading import load_settings
from streamwatch.domain.settings import Settings
from streamwatch.errors import ConfigurationError


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
    (found,) = mistakes(tmp_path, text)
    assert found.startswith("streamwatch.yaml:1:" if "\n  " not in text else "streamwatch.yaml:2:")
    assert mistake in found


def test_all_mistakes_of_a_file_are_named_at_once_in_its_order(tmp_path: Path) -> None:
    text = "future: soon\nsegments: [gendr]\nkafka: {prtitions: 1}\nmetrics_port: -1\n"
    found = mistakes(tmp_path, text)
    assert [line.split(":")[1] for line in found] == ["1", "2", "3", "4"]


def test_a_wrong_item_does_not_move_the_places_of_those_after_it(tmp_path: Path) -> None:
    text = (
        "rules:\n  - {name: a}\n"
        "  - {name: b, event: return, field: sise, required: true}\n"
        "  - {name: c, event: return, field: reson, required: true}\n"
    )
    found = mistakes(tmp_path, text)
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
    for found in mistakes(tmp_path, text):
        assert "hunter2" not in found


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
