"""A disk that a fault can fill: a file system in memory, which only root can mount."""

import os
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

from streamwatch.adapters.local.postgres_programs import unprivileged_account

SIZE = "512m"
PIECES = (1_048_576, 4_096)


class SmallDisk:
    """A mounted folder that belongs to the database's user."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self) -> None:
        """Take all that is left."""
        with self._filler.open("wb", buffering=0) as file:
            for size in PIECES:
                with suppress(OSError):
                    while True:
                        file.write(bytes(size))

    def free(self) -> None:
        """Give it back."""
        self._filler.unlink(missing_ok=True)

    def close(self) -> None:
        """Unmount it, with all that is on it."""
        subprocess.run([_program("umount"), "--lazy", str(self.folder)], check=True)
        self.folder.rmdir()


def small_disk() -> SmallDisk | None:
    """Mount one where that user can reach it; ``None`` where that is not allowed."""
    account = unprivileged_account()
    if account is None or shutil.which("mount") is None:
        return None
    place = Path(tempfile.mkdtemp(prefix="streamwatch-disk-"))
    mounted = subprocess.run(
        [_program("mount"), "-t", "tmpfs", "-o", f"size={SIZE},mode=700", "tmpfs", str(place)],
        check=False,
        capture_output=True,
    )
    if mounted.returncode != 0:
        place.rmdir()
        return None
    os.chown(place, account.uid, account.gid)
    return SmallDisk(place)


def _program(name: str) -> str:
    found = shutil.which(name)
    assert found is not None, f"there is no {name}"
    return found
