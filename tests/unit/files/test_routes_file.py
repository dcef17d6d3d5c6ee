from pathlib import Path

import pytest

from streamwatch.adapters.files.routes import Route, Routes, load_routes
from streamwatch.errors import ConfigurationError


def loaded(tmp_path: Path, text: str) -> Routes:
    file = tmp_path / "routes.yaml"
    file.write_text(text)
    return load_routes(str(file))


def test_a_routes_file_is_read(tmp_path: Path) -> None:
    text = (
        'routes:\n  - {topic: return, field: InvoiceNo, pattern: "C.*"}\n'
        "  - {topic: purchase}\nline_id: event_id\n"
    )
    assert loaded(tmp_path, text) == Routes(
        (Route("return", "InvoiceNo", "C.*"), Route("purchase")), "event_id"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"routes\.yaml:1:1: routes must be a list"),
        ("routes: []", r"routes\.yaml:1:9: routes must be a list"),
        ("routes:\n  - {topic: a, feld: b}", r"routes\.yaml:2:16: unknown key `feld`.*`field`"),
        ("routes:\n  - {topic: a}\nlineid: x", r"routes\.yaml:3:1: unknown key `lineid`"),
        ("routes:\n  - {topic: a, field: b}\n  - {topic: c}", r":2:5: .*both field and pattern"),
        ("routes:\n  - {topic: a, field: b, pattern: c}", r":2:5: the last route must name"),
        ("routes:\n  - {topic: a}\n  - {topic: c}", r":2:5: .*put it last"),
        ("routes:\n  - {field: b, pattern: c}", r":2:5: the route lacks its topic"),
        ("routes:\n  - {topic: a, field: b, pattern: '('}", r":2:5: .*no regular expression"),
        ("routes:\n  - purchase", r":2:5: a route is written"),
        ("routes: [", r"is not YAML"),
    ],
)
def test_a_wrong_routes_file_is_refused_with_its_place(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message) as refusal:
        loaded(tmp_path, text)
    assert refusal.value.exit_code == 2


def test_a_missing_routes_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_routes(str(tmp_path / "none.yaml"))
