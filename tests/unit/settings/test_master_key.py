"""The master key comes from one place, is made once, and never shows."""

import stat
from pathlib import Path

import pytest

from streamwatch.adapters.master_key import OWN_FILE, load_master_key
from streamwatch.errors import ConfigurationError

DIGITS = "0f" * 32


def test_the_key_is_read_from_the_environment(tmp_path: Path) -> None:
    key = load_master_key({"STREAMWATCH_PSEUDONYM_KEY": f" {DIGITS}\n"}, tmp_path)
    assert key == b"\x0f" * 32
    assert list(tmp_path.iterdir()) == []


def test_the_key_is_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(DIGITS, encoding="ascii")
    assert load_master_key({"STREAMWATCH_PSEUDONYM_KEY_FILE": str(file)}, tmp_path) == b"\x0f" * 32


def test_without_either_a_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    first = load_master_key({}, tmp_path)
    assert len(first) == 32
    assert load_master_key({}, tmp_path) == first
    assert [path.name for path in tmp_path.iterdir()] == [OWN_FILE]
    assert stat.S_IMODE((tmp_path / OWN_FILE).stat().st_mode) == 0o600


def test_two_folders_get_two_keys(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert load_master_key({}, tmp_path / "a") != load_master_key({}, tmp_path / "b")


@pytest.mark.parametrize("text", ["", "secretword", "0f" * 31, "0f" * 65, "zz" * 32, "é" * 64])
def test_a_malformed_key_is_refused_unseen(tmp_path: Path, text: str) -> None:
    file = tmp_path / OWN_FILE
    file.write_text(text, encoding="utf-8")
    file.chmod(0o600)
    for environment in (
        {"STREAMWATCH_PSEUDONYM_KEY": text},
        {"STREAMWATCH_PSEUDONYM_KEY_FILE": str(file)},
        {},
    ):
        with pytest.raises(ConfigurationError, match="64 to 128 hexadecimal digits") as caught:
            load_master_key(environment, tmp_path)
        assert not text or text not in str(caught.value)


def test_a_key_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    load_master_key({}, tmp_path)
    (tmp_path / OWN_FILE).chmod(0o644)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        load_master_key({}, tmp_path)


def test_two_keys_at_once_are_refused(tmp_path: Path) -> None:
    environment = {"STREAMWATCH_PSEUDONYM_KEY": DIGITS, "STREAMWATCH_PSEUDONYM_KEY_FILE": "x"}
    with pytest.raises(ConfigurationError, match="both set"):
        load_master_key(environment, tmp_path)


def test_a_missing_file_or_folder_is_a_mistake_of_the_configuration(tmp_path: Path) -> None:
    missing = tmp_path / "none"
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_master_key({"STREAMWATCH_PSEUDONYM_KEY_FILE": str(missing)}, tmp_path)
    with pytest.raises(ConfigurationError, match="cannot be made"):
        load_master_key({}, missing)
