"""Reading captures for a command: what can go wrong with them, told in one line each, and how far it is.

Damage ends one file and not the run: everything readable is in the results, standard error says where it ended, and the
status of the command is 1. A file that is no capture at all counts as not done: status 2 when that is all there was.
"""

import sys
from collections.abc import Iterator, Sequence
from time import monotonic

from analyzer.capture.capture_reader import CaptureReader, FileFacts
from analyzer.capture.packet_reader import PacketReader
from analyzer.cli.output import Output, Refusal, complain
from analyzer.cli.tail import Tail
from analyzer.codec.errors import Incomplete

DONE, DAMAGED, FAILED = 0, 1, 2
"""Status of a command: all read; a capture is damaged or cut short; nothing could be done."""

_LONGEST_TURN = 0.7
"""Seconds of work without a word before a progress bar appears."""


class CaptureRun:
    """One run over captures in order; `packet_readers` as in `CaptureReader`, whose facts are final once it has ended.

    total: bytes of all captures as stored, None with a pipe. tail: key logs that are looked at again before each packet
    reader is handed out.
    """

    def __init__(self, paths: Sequence[str], output: Output, *, streaming: bool = False, hashing: bool = False) -> None:
        """streaming: results are written to `output` while reading. Raises Refusal for the first path that cannot be opened."""
        self._output = output
        self._streaming = streaming
        self.reader = CaptureReader(paths, hashing)
        try:
            self.total = self.reader.check()
        except OSError as error:
            raise Refusal(f"{error.filename}: {error.strerror}") from error
        except ValueError as error:
            raise Refusal(f"no such file: {error}") from error
        if list(paths).count("-") > 1:
            raise Refusal("-: standard input can be read only once")
        self.tail: list[Tail] = []
        self._packet_reader: PacketReader | None = None

    def packet_readers(self) -> Iterator[PacketReader]:
        """As `CaptureReader.packet_readers`, with a progress bar while results are collected on a terminal that shows no
        others."""
        if not sys.stderr.isatty() or (self._streaming and self._output.terminal):
            yield from self._packet_readers()
            return
        began = monotonic()
        packet_readers = self._packet_readers()
        for packet_reader in packet_readers:
            yield packet_reader
            if monotonic() - began > _LONGEST_TURN:
                break
        else:
            return
        from analyzer.cli.progress import Bar

        with Bar(self.total) as bar:
            for packet_reader in packet_readers:
                yield packet_reader
                bar.move(self.reader.n_bytes())

    @property
    def piped(self) -> bool:
        """Whether a capture is a pipe, whose end nobody knows."""
        return self.total is None

    def secrets_may_come(self) -> bool:
        """Whether the captures or growing key logs may have secrets that nobody could read yet."""
        if self.tail or self._packet_reader is None:
            return bool(self.tail)
        return self.reader.may_have_more_secrets(self._packet_reader)

    def _packet_readers(self) -> Iterator[PacketReader]:
        for packet_reader in self.reader.packet_readers():
            self._packet_reader = packet_reader
            for file in self.tail:
                file.look()
            yield packet_reader
        for file in self.tail:
            file.close()
        self.tail.clear()

    def status(self) -> int:
        """Tell what was wrong with the captures; the status of the command. Call it when all is written."""
        for facts in self.reader.errors():
            complain(error_line(facts))
        if not self.reader.errors():
            return DONE
        return FAILED if all(facts.format is None for facts in self.reader.files) else DAMAGED

    def nothing(self) -> bool:
        """Whether no file was a capture."""
        return all(facts.format is None for facts in self.reader.files)


def no_such_session(capture: str, number: int, n_sessions: int) -> str:
    """That a capture has no session of that number, and which it has."""
    there = "there are none" if n_sessions == 0 else f"there are {n_sessions}, from 0 to {n_sessions - 1}"
    return f"{capture}: no TLS session {number}: {there if n_sessions != 1 else 'there is one, 0'}"


def error_line(facts: FileFacts) -> str:
    """What is wrong with a file, at which byte, and after which frame."""
    error = facts.error
    if error is None:
        return f"{facts.path}: read to its end"
    if facts.format is None:
        return f"{facts.path}: not a capture: {error.field} at byte {error.offset}: {error.why}"
    what = "cut short" if isinstance(error, Incomplete) else "damaged"
    where = f"after frame {facts.last_frame}" if facts.frames else "before its first frame"
    return f"{facts.path}: {what} at byte {error.offset}, {where}: {error.field}: {error.why}"
