"""What a caller names: captures, keys and what chains are validated by, checked at once and opened for each reading.

A missing file shows when a function of the package is called, and not in the middle of a loop.
"""

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from analyzer.api.faults import CaptureFault, KeyLogFault, ReadOnce, UnusableFile, not_a_capture
from analyzer.capture.capture_reader import CaptureReader, FileFacts
from analyzer.capture.packet_reader import PacketReader
from analyzer.capture.source import STANDARD_INPUT
from analyzer.codec.errors import Incomplete
from analyzer.secrets.decryption_error import DecryptionError
from analyzer.store.chain_options import read_chains
from analyzer.store.chain_verdicts import Chains
from analyzer.store.secret_files import add_secrets_of, feed_key_log, open_private_keys
from analyzer.store.validation_time import read_moment
from analyzer.x509.trust import Unreadable

if TYPE_CHECKING:
    from analyzer.secrets.keylog import KeyLog
    from analyzer.secrets.private_keys import PrivateKey

Path = str | os.PathLike[str]
Paths = Path | Iterable[Path]
"""One path or several."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Inputs:
    """The captures and keys of a call. captures: their paths. private_keys, psks: the keys, read."""

    def __init__(
        self,
        captures: Paths,
        keylog: Paths,
        rsa_keys: Paths,
        psk_file: Paths,
        password: str | bytes | Iterable[str | bytes],
    ) -> None:
        """Raises OSError for a file that cannot be opened, UnusableFile for one with other contents than it must have."""
        self.captures = paths_of(captures)
        self._keylogs = tuple(dict.fromkeys(paths_of(keylog)))
        if not self.captures:
            raise ValueError("no captures")
        if self.captures.count(STANDARD_INPUT) > 1:
            raise ReadOnce(STANDARD_INPUT)
        CaptureReader(self.captures).check()
        CaptureReader(self._keylogs).check()
        passwords = [password] if isinstance(password, str | bytes) else password
        secrets = [one.encode() if isinstance(one, str) else one for one in passwords]
        self.private_keys = [key for path in paths_of(rsa_keys) for key in _private_keys(path, secrets)]
        self.psks: dict[bytes, bytes] = {}
        for path in paths_of(psk_file):
            self.psks |= _psks(path)

    def read_once(self) -> str | None:
        """Return the first path that cannot be read a second time: a pipe, or standard input."""
        for path in (*self.captures, *self._keylogs):
            if path == STANDARD_INPUT or not stat.S_ISREG(os.stat(path).st_mode):
                return path
        return None

    def key_log(self) -> "KeyLog | None":
        """Read the key logs, and the secrets inside the captures. None if there are none."""
        keylog = None
        if self._keylogs:
            from analyzer.secrets.keylog import KeyLog

            keylog = KeyLog()
            for path in self._keylogs:
                feed_key_log(keylog, path)
                keylog.close(path)
        return add_secrets_of(self.captures, keylog)


class Captures:
    """One reading of the captures: a `Source` of frames. keylog_faults: lines of key logs that could not be used."""

    def __init__(self, inputs: Inputs) -> None:
        """Raises OSError for a file that cannot be opened."""
        self._reader = CaptureReader(inputs.captures)
        self._packet_reader: PacketReader | None = None
        self._inputs = inputs
        self._reader.check()
        self._keylog = inputs.key_log()
        problems = () if self._keylog is None else self._keylog.problems
        self.keylog_faults = tuple(KeyLogFault(one.source, one.line, one.why) for one in problems)

    def keys(self, patient: bool = True) -> dict[str, Any]:
        """Return the arguments of an engine that decrypts. patient: sessions wait for secrets that may still come."""
        return {
            "keylog": self._keylog,
            "private_keys": self._inputs.private_keys,
            "psks": self._inputs.psks,
            "may_grow": self._secrets_may_come if patient else None,
        }

    def packet_readers(self) -> Iterator[PacketReader]:
        """As `CaptureReader.packet_readers`. Raises NotACapture, after the files before the one that is none."""
        with closing(self._reader.packet_readers()) as packet_readers:
            for packet_reader in packet_readers:
                self._refuse()
                self._packet_reader = packet_reader
                yield packet_reader
                source = self._reader.source
                if packet_reader.format is None and packet_reader.error is not None and source is not None:
                    raise not_a_capture(source.path, packet_reader.error)
        self._refuse()

    def faults(self) -> tuple[CaptureFault, ...]:
        """Return where the reading of damaged captures ended, as far as they were read."""
        return tuple(map(_fault, self._reader.errors()))

    def _refuse(self) -> None:
        for facts in self._reader.errors():
            if facts.format is None and facts.error is not None:
                raise not_a_capture(facts.path, facts.error)

    def _secrets_may_come(self) -> bool:
        return self._packet_reader is not None and self._reader.may_have_more_secrets(self._packet_reader)


def chains_of(trust: Paths, intermediates: Paths, crl: Paths, ct_logs: Path | None, at: str | datetime) -> Chains:
    """Return what validates chains. Raises OSError, UnusableFile; ValueError for a moment that cannot be read."""
    logs = None if ct_logs is None else os.fsdecode(ct_logs)
    try:
        return read_chains(paths_of(trust), paths_of(intermediates), paths_of(crl), logs, _moment(at))
    except Unreadable as error:
        if isinstance(error.__cause__, OSError):
            raise error.__cause__ from error
        raise UnusableFile(error.path, error.why) from error


def again(chains: Chains) -> Chains:
    """Return what validates by the same files, and has seen nothing of a capture."""
    return Chains(chains.trust, intermediates=chains.intermediates, crls=chains.crls, logs=chains.logs, at=chains.at)


def paths_of(given: Paths) -> tuple[str, ...]:
    """Return one path or several as text. Raises TypeError for a file object, and for what is no path."""
    several: Iterable[Path] = (given,) if isinstance(given, str | bytes | os.PathLike) else given
    if hasattr(given, "read"):
        raise TypeError("a path is wanted and not an open file: files are read again for each loop; '-' is standard input")
    return tuple(os.fsdecode(one) for one in several)


def _moment(at: str | datetime) -> int | str:
    if isinstance(at, str):
        return read_moment(at)
    if at.tzinfo is None:
        raise ValueError(f"{at} has no time zone: which moment it is cannot be known")
    return (at - _EPOCH) // timedelta(microseconds=1) * 1000


def _private_keys(path: str, passwords: Sequence[bytes]) -> "list[PrivateKey]":
    from analyzer.secrets.private_keys import LARGEST_FILE

    try:
        return open_private_keys(_read(path, LARGEST_FILE), path, passwords)
    except DecryptionError as error:
        raise UnusableFile(path, error.detail) from error


def _psks(path: str) -> dict[bytes, bytes]:
    from analyzer.secrets.psk_file import LARGEST_FILE, read_psks

    try:
        return read_psks(_read(path, LARGEST_FILE))
    except DecryptionError as error:
        raise UnusableFile(path, error.detail) from error


def _read(path: str, limit: int) -> bytes:
    """Read a file, or of a larger one a byte more than the limit."""
    with open(path, "rb") as file:
        return file.read(limit + 1)


def _fault(facts: FileFacts) -> CaptureFault:
    error = facts.error
    assert error is not None
    last_frame = facts.last_frame if facts.frames else 0
    return CaptureFault(facts.path, error.offset, error.field, error.why, isinstance(error, Incomplete), last_frame)
