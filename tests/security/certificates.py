"""Certificates of a test's own authority, made with openssl."""

import subprocess
from pathlib import Path

DAYS = "2"


class Authority:
    """A certificate authority that lives in a folder.

    Attributes:
        certificate: what those trust who trust it.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.certificate = folder / "ca.pem"
        self._key = folder / "ca.key"
        _openssl(
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", DAYS, "-subj", "/CN=test-ca",
            "-keyout", str(self._key), "-out", str(self.certificate),
        )  # fmt: skip

    def issue(self, name: str, host: str = "127.0.0.1") -> tuple[Path, Path]:
        """A certificate and its key, for a host and a common name."""
        key, request = self._folder / f"{name}.key", self._folder / f"{name}.csr"
        certificate, extra = self._folder / f"{name}.pem", self._folder / f"{name}.ext"
        kind = "IP" if host[0].isdigit() else "DNS"
        extra.write_text(f"subjectAltName={kind}:{host}\n")
        _openssl(
            "req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}",
            "-keyout", str(key), "-out", str(request),
        )  # fmt: skip
        _openssl(
            "x509", "-req", "-in", str(request), "-CA", str(self.certificate),
            "-CAkey", str(self._key), "-CAcreateserial", "-days", DAYS, "-extfile", str(extra),
            "-out", str(certificate),
        )  # fmt: skip
        return certificate, key


def _openssl(*arguments: str) -> None:
    answer = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
