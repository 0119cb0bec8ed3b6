"""Reads trust stores: the roots for the validation of chains, with their source and date.

A verdict depends on a set of roots, and this set changes. A root of today may have been unknown at the time of a capture, or a
root of that time may have been removed since. So each store has a date, and every verdict names its store.

`mozilla` is Mozilla's list of roots for web servers, as the package certifi contains it. `system` is the list of the operating
system. Any file with certificates in PEM or DER can be a store too.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from analyzer.codec.errors import ParseError
from analyzer.x509.certificate import certificate
from analyzer.x509.pem import CERTIFICATES, REVOCATION_LISTS, read_blocks

MOZILLA = "mozilla"
SYSTEM = "system"

LARGEST_FILE = 256 << 20
"""Largest file with certificates, in bytes; a bundle of all intermediates known to browsers has ten million."""

SYSTEM_PATHS = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Arch, Alpine
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  # Fedora, Red Hat
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",  # SUSE
    "/etc/ssl/cert.pem",  # macOS, OpenBSD, Alpine
    "/usr/local/etc/ssl/cert.pem",  # FreeBSD
    "/usr/local/share/certs/ca-root-nss.crt",
    "/var/lib/ca-certificates/ca-bundle.pem",
)
"""Files with the roots of systems, in the order of the search. The file that SSL_CERT_FILE names is tried first."""


class Unreadable(Exception):  # noqa: N818 - the name in the messages for people
    """A store that cannot be read: its `path`, and why."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(path, why)
        self.path = path
        self.why = why

    def __str__(self) -> str:
        return f"{self.path}: {self.why}"


@dataclass(frozen=True, slots=True)
class Store:
    """One set of roots.

    name: as requested. path: its file. source: its origin, such as `certifi 2026.10.1`, or `file`. date: the day (YYYY-MM-DD)
    of its content: certifi's version, else the latest notBefore of its roots. roots: DER, each once.
    """

    name: str
    path: str
    source: str
    date: str
    roots: tuple[bytes, ...]

    def record(self) -> dict[str, str | int]:
        """Return it as JSON values, with the number of roots in place of the roots."""
        return {"store": self.name, "source": self.source, "date": self.date, "roots": len(self.roots)}

    def newest(self) -> str | None:
        """Return the latest notBefore of the roots, RFC 3339: the store cannot be older."""
        return _newest(self.roots)


class Trust:
    """Several stores as one. `stores` and `roots` are read on first use, but the constructor already opens the files."""

    def __init__(self, names: Sequence[str] = (MOZILLA,)) -> None:
        """names: `mozilla`, `system` or paths. Raises `Unreadable` for a file that cannot be opened."""
        self._names = tuple(dict.fromkeys(names)) or (MOZILLA,)
        for name in self._names:
            if name != MOZILLA:
                _open(system_path() if name == SYSTEM else name, 1)

    @cached_property
    def stores(self) -> tuple[Store, ...]:
        """The stores, in the order requested. Raises `Unreadable`."""
        return tuple(map(read_store, self._names))

    @cached_property
    def roots(self) -> tuple[bytes, ...]:
        """The roots of all stores, each once. Raises `Unreadable`."""
        return tuple(dict.fromkeys(root for store in self.stores for root in store.roots))

    def record(self) -> list[dict[str, str | int]]:
        """Return the stores as JSON values."""
        return [store.record() for store in self.stores]


def read_store(name: str) -> Store:
    """Read the store `mozilla` or `system`, or the file with that path. Raises `Unreadable`."""
    if name == MOZILLA:
        import certifi

        path = certifi.where()
        return Store(name, path, f"certifi {certifi.__version__}", _version_day(certifi.__version__), read_certificates(path))
    path = system_path() if name == SYSTEM else name
    roots = read_certificates(path)
    newest = _newest(roots)
    if newest is None:  # no root says when it begins to be valid
        newest = f"{datetime.fromtimestamp(os.stat(path).st_mtime, UTC):%Y-%m-%d}"
    return Store(name, path, path if name == SYSTEM else "file", newest[:10], roots)


def _newest(roots: Sequence[bytes]) -> str | None:
    return max((begin for begin in (certificate(root).not_before for root in roots) if begin), default=None)


def read_certificates(path: str) -> tuple[bytes, ...]:
    """Return the certificates in a file, PEM or DER, each once. Raises `Unreadable`."""
    return _read_blocks(path, CERTIFICATES)


def read_revocation_lists(path: str) -> tuple[bytes, ...]:
    """Return the revocation lists in a file, PEM or DER, each once. Raises `Unreadable`."""
    return _read_blocks(path, REVOCATION_LISTS)


def system_path() -> str:
    """Find the file with the system's roots. Raises `Unreadable` if there is none in the usual places."""
    asked_for = os.environ.get("SSL_CERT_FILE")
    for path in (asked_for, *SYSTEM_PATHS) if asked_for else SYSTEM_PATHS:
        if os.path.isfile(path):
            return path
    raise Unreadable(SYSTEM, "no roots of this system are in any of the usual places; SSL_CERT_FILE can name their file")


def _read_blocks(path: str, labels: Sequence[str]) -> tuple[bytes, ...]:
    data = _open(path, LARGEST_FILE + 1)
    if len(data) > LARGEST_FILE:
        raise Unreadable(path, f"over {LARGEST_FILE} bytes")
    try:
        return tuple(dict.fromkeys(read_blocks(data, labels)))
    except ParseError as error:
        raise Unreadable(path, str(error)) from error


def _open(path: str, n_bytes: int) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(n_bytes)
    except (OSError, ValueError) as error:
        raise Unreadable(path, str(getattr(error, "strerror", None) or error)) from error


def _version_day(version: str) -> str:
    """Return certifi's version, which is a date, in the form YYYY-MM-DD: `2026.10.1` becomes 2026-10-01."""
    parts = [int(part) for part in version.split(".")[:3] if part.isdigit()]
    return "-".join(f"{part:02}" for part in parts)
