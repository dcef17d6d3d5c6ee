"""Only plain YAML is let in, and everything in it knows where it stands."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamwatch.adapters.yaml.located import (
    MAX_BYTES,
    Entries,
    FileError,
    Items,
    Problem,
    Scalar,
    parse_yaml,
    read_yaml,
)


def _refusal(text: str) -> str:
    with pytest.raises(FileError) as caught:
        parse_yaml(text, "f.yaml")
    return str(caught.value)


def test_every_value_knows_its_line_and_column() -> None:
    tree = parse_yaml("a: 1\nb:\n  - x\n  - c: y\n", "f.yaml")
    node = tree.entries["b"][1]
    assert isinstance(node, Items)
    first, second = node.items
    assert isinstance(first, Scalar)
    assert str(first.place) == "f.yaml:3:5"
    assert isinstance(second, Entries)
    key_place, value = second.entries["c"]
    assert str(key_place) == "f.yaml:4:5"
    assert str(value.place) == "f.yaml:4:8"


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "~\n"])
def test_an_empty_file_is_an_empty_mapping(text: str) -> None:
    assert parse_yaml(text, "f.yaml").entries == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: !!python/object/apply:os.system [id]\n", "f.yaml:1:4: tags"),
        ("a: !!str 5\n", "f.yaml:1:4: tags"),
        ("a: &x [1]\nb: *x\n", "f.yaml:1:4: anchors"),
        ("b: *x\n", "f.yaml:1:4: aliases"),
        ("a: 1\nb: 2\na: 3\n", "f.yaml:3:1: the key `a` stands twice; first on line 1"),
        ("a: 1\n---\nb: 2\n", "f.yaml:2:1: a second document"),
        ("? [a, b]\n: c\n", "f.yaml:1:3: a key must be a single word"),
        ("- a\n- b\n", "f.yaml:1:1: must hold `key: value` lines"),
        ("a: " + "[" * 40 + "]" * 40, "is nested deeper than 16 levels"),
        ("a: 1\nb: [1, 2\n", "f.yaml:3:1: is not YAML"),
        ("a: 1\nb: \x07\n", "f.yaml:2:1: is not YAML: a control character"),
        ("\ta: 1\n", "f.yaml:1:1: is not YAML"),
    ],
)
def test_what_is_no_plain_data_is_refused_with_its_place(text: str, message: str) -> None:
    assert message in _refusal(text)


def test_a_file_that_grows_by_references_is_refused_at_the_first_one() -> None:
    bomb = "a: &a [x, x]\n" + "\n".join(f"k{n}: &k{n} [*a, *a]" for n in range(50))
    assert _refusal(bomb).startswith("f.yaml:1:4: anchors")


def test_a_large_file_is_refused_unread(tmp_path: Path) -> None:
    file = tmp_path / "large.yaml"
    file.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(FileError, match="is larger than 512 KiB"):
        read_yaml(file)


def test_a_file_in_another_encoding_is_refused_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "latin.yaml"
    file.write_bytes(b"a: 1\nb: \xe4\n")
    with pytest.raises(FileError, match=r"latin\.yaml:2:1: is not UTF-8"):
        read_yaml(file)


def test_a_folder_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot be read"):
        read_yaml(tmp_path)
    with pytest.raises(FileError, match="cannot be read: No such file"):
        read_yaml(tmp_path / "none.yaml")


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    file = tmp_path / "bom.yaml"
    file.write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert list(read_yaml(file).entries) == ["a"]


def test_of_many_problems_the_first_are_shown_and_the_rest_counted() -> None:
    place = parse_yaml("", "f.yaml").place
    error = FileError([Problem(place, f"mistake {n}") for n in range(30)])
    assert str(error).splitlines()[-1] == "… and 5 more"
    assert len(error.problems) == 30


@given(st.text() | st.text(alphabet="ab:-[]{}#&*!|>'\"%@`,?\n \t\\U0x~", max_size=60))
def test_any_text_is_either_read_or_refused(text: str) -> None:
    told = ""
    try:
        tree = parse_yaml(text, "f.yaml")
    except FileError as error:
        told, tree = str(error), None
    assert isinstance(tree, Entries) != told.startswith("f.yaml:")
