"""What a caller names: captures, keys and what chains are validated by, checked at once and opened for each reading.

A missing file shows when a function of the package is called, and not in the middle of a loop.
"""

import os
import re
import stat
from collections.abc import Generator, Iterable, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from analyzer.api.faults import CaptureFault, KeyLogFault, ReadOnce, UnusableFile, not_a_capture
from analyzer.capture.capture_order import captures_of
from analyzer.capture.capture_reader import CaptureReader, FileFacts
from analyzer.capture.frame_places import FramePlaces
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

_LONGEST_PATH, _LONGEST_NAME = 4096, 255
"""The most bytes of a path, and of a name in it, on common systems."""

_SECRET = re.compile(r"-----BEGIN|[\s:=,;][0-9A-Fa-f]{16}")
"""Part of a key in PEM, or of a line with a secret in hex. Paths that have it are rare, and may exist."""


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
        """Raises OSError for a file that cannot be opened, UnusableFile for one with other contents than it must have.

        TypeError and ValueError for what is no path, ValueError for a folder without captures.
        """
        self.captures = paths_of(captures, "captures")
        self._keylogs = tuple(dict.fromkeys(paths_of(keylog, "keylog")))
        if not self.captures:
            raise ValueError("no captures")
        if self.captures.count(STANDARD_INPUT) > 1:
            raise ReadOnce(STANDARD_INPUT)
        self.captures = tuple(captures_of(self.captures))
        CaptureReader(self.captures).check()
        CaptureReader(self._keylogs).check()
        passwords = [password] if isinstance(password, str | bytes) else password
        secrets = [one.encode() if isinstance(one, str) else one for one in passwords]
        self.private_keys = [key for path in paths_of(rsa_keys, "rsa_keys") for key in _private_keys(path, secrets)]
        self.psks: dict[bytes, bytes] = {}
        for path in paths_of(psk_file, "psk_file"):
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

    @property
    def places(self) -> FramePlaces:
        """In which capture a frame is that was read."""
        return self._reader.places

    def keys(self, patient: bool = True) -> dict[str, Any]:
        """Return the arguments of an engine that decrypts. patient: sessions wait for secrets that may still come."""
        return {
            "keylog": self._keylog,
            "private_keys": self._inputs.private_keys,
            "psks": self._inputs.psks,
            "may_grow": self._secrets_may_come if patient else None,
        }

    def packet_readers(self) -> Generator[PacketReader, None, None]:
        """As `CaptureReader.packet_readers`. Raises NotACapture at the end, if none of the files is a capture."""
        with closing(self._reader.packet_readers()) as packet_readers:
            for packet_reader in packet_readers:
                self._packet_reader = packet_reader
                yield packet_reader
        files = self._reader.files
        error = files[0].error
        if error is not None and all(facts.format is None for facts in files):
            raise not_a_capture(files[0].path, error)

    def faults(self) -> tuple[CaptureFault, ...]:
        """Return where the reading of damaged captures ended, and the files that are no captures, as far as they were read."""
        return tuple(map(_fault, self._reader.errors()))

    def _secrets_may_come(self) -> bool:
        return self._packet_reader is not None and self._reader.may_have_more_secrets(self._packet_reader)


def chains_of(trust: Paths, intermediates: Paths, crl: Paths, ct_logs: Path | None, at: str | datetime, strict: bool) -> Chains:
    """Return what validates chains. Raises OSError, UnusableFile; ValueError for a moment that cannot be read."""
    logs = None if ct_logs is None else _path_of(ct_logs, "ct_logs")
    stores, further, lists = paths_of(trust, "trust"), paths_of(intermediates, "intermediates"), paths_of(crl, "crl")
    try:
        return read_chains(stores, further, lists, logs, _moment(at), strict=strict)
    except Unreadable as error:
        if isinstance(error.__cause__, OSError):
            raise error.__cause__ from error
        raise UnusableFile(error.path, error.why) from error


def again(chains: Chains) -> Chains:
    """Return what validates by the same files, and has seen nothing of a capture."""
    return Chains(
        chains.trust,
        intermediates=chains.intermediates,
        crls=chains.crls,
        logs=chains.logs,
        at=chains.at,
        strict=chains.strict,
    )


def paths_of(given: Paths, name: str) -> tuple[str, ...]:
    """Return one path or several as text. name: the parameter, for errors.

    Raises TypeError for a file object and other objects, ValueError for text that is no path. No error repeats the text: it may
    be that of a key log.
    """
    if isinstance(given, str | bytes | os.PathLike) or hasattr(given, "read") or not isinstance(given, Iterable):
        return (_path_of(given, name),)
    return tuple(_path_of(one, name) for one in given)


def _path_of(given: Any, name: str) -> str:
    if hasattr(given, "read"):
        raise TypeError(
            f"{name}: a path is wanted and not an open file: files are read again for each loop; '-' is standard input"
        )
    if not isinstance(given, str | bytes | os.PathLike):
        what = "None" if given is None else f"an object of type {type(given).__name__}"
        raise TypeError(f"{name}: a path is wanted and not {what}")
    path = os.fsdecode(given)
    why = _why_no_path(path)
    if why and not os.path.exists(path):
        raise ValueError(f"{name}: a path is wanted, and this text {why}: save it to a file, and give the path of that")
    return path


def _why_no_path(text: str) -> str:
    """Why a text can hardly be a path; empty if it can."""
    if "\n" in text or "\r" in text or "\0" in text:
        return "has line breaks or other bytes that a path does not have"
    stored = os.fsencode(text)
    if len(stored) > _LONGEST_PATH or any(len(one) > _LONGEST_NAME for one in stored.split(b"/")):
        return f"is too long for one ({len(text):,} characters)"
    return "looks like a key or a line of a key log" if _SECRET.search(text) else ""


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
    no_capture = facts.format is None
    cut_short = isinstance(error, Incomplete) and not no_capture
    return CaptureFault(facts.path, error.offset, error.field, error.why, cut_short, last_frame, no_capture)
