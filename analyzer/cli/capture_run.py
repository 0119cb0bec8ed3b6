"""Reads the captures of a command. Reports what is wrong with a capture in one line, and shows the progress.

Damage ends the reading of one file, not the run. Everything readable is in the results, standard error says where the reading
ended, and the status of the command is 1. If no file is a capture, the status is 2. The first SIGINT or SIGTERM ends the
captures, and the results so far come; the second one ends the program at once.
"""

import os
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from time import monotonic
from typing import TYPE_CHECKING, TypeVar

from analyzer.capture.capture_reader import CaptureReader
from analyzer.capture.key_prescan import is_prescanned
from analyzer.capture.packet_reader import PacketReader
from analyzer.capture.source import STANDARD_INPUT, Hashing
from analyzer.cli.chosen_captures import complain_of_filter
from analyzer.cli.exit_status import DAMAGED, DONE, FAILED
from analyzer.cli.interruption import Interruption
from analyzer.cli.output import CommandError, Output, complain
from analyzer.cli.part_arguments import beside_the_part
from analyzer.cli.tail import Tail
from analyzer.flows.limits import LINGER
from analyzer.text.file_findings import error_line, unread_link_types
from analyzer.tls.limits import MAX_PENDING_TIME

if TYPE_CHECKING:
    from analyzer.engine import Engine, Listener
    from analyzer.store.part import Part

Turn = TypeVar("Turn")

_BAR_DELAY = 0.7
"""Seconds of work before a progress bar appears."""


_LONGEST_WAIT = 0.5
"""Seconds without a packet after which the connections of a pipe do not wait for late packets any more."""


class CaptureRun:
    """One run over captures, in their order. `reader` has the facts about the files; they are final when the run has ended.

    total: bytes of all captures as stored, None with a pipe. tail: key logs that may still grow; each of them is read again
    before each packet reader is yielded. part: what of the captures is shown; None for all.
    """

    def __init__(self, paths: Sequence[str], output: Output, *, streaming: bool = False, hashing: Hashing = False) -> None:
        """streaming: results are written to `output` while reading. hashing: which digests are computed, as `Source` takes it.

        Raises CommandError for the first path that cannot be opened, and if standard input is named twice.
        """
        self._output = output
        self._streaming = streaming
        self.reader = CaptureReader(paths, hashing)
        try:
            self.total = self.reader.check()
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from error
        except ValueError as error:
            raise CommandError(f"no such file: {error}") from error
        if list(paths).count("-") > 1:
            raise CommandError("-: standard input can be read only once")
        self.tail: list[Tail] = []
        self.part: Part | None = None
        self._packet_reader: PacketReader | None = None

    def run(self, engine: "Engine", listeners: "Sequence[Listener]") -> None:
        """Read the captures to their end, or until the first signal, and give all events to the listeners: see `engine.run`.

        While nothing comes through a pipe, time goes on in the engine, so that sessions that have ended are shown.
        """
        from analyzer.engine import run as run_engine

        engine.dispatcher.frames.places = self.reader.places
        with Interruption(self.reader.stop):
            run_engine(_Ticking(self, engine) if self.piped else self, engine, listeners)

    def packet_readers(self) -> Generator[PacketReader, None, None]:
        """See `CaptureReader.packet_readers`. Shows a progress bar on standard error if the work takes long.

        There is no bar if standard error is not a terminal, or if results are written to the terminal while reading.
        """
        return self.with_progress(self._packet_readers(), self.reader.n_bytes)

    def with_progress(self, turns: Iterator[Turn], n_bytes: Callable[[], int]) -> Generator[Turn, None, None]:
        """Yield the turns of a run, with the same progress bar. n_bytes: returns how many bytes of the captures are read."""
        if not sys.stderr.isatty() or (self._streaming and self._output.terminal):
            yield from turns
            return
        began = monotonic()
        for turn in turns:
            yield turn
            if monotonic() - began > _BAR_DELAY:
                break
        else:
            return
        from analyzer.cli.progress import Bar

        with Bar(self.total) as bar:
            for turn in turns:
                yield turn
                bar.move(n_bytes())

    def rereadable(self) -> bool:
        """Return whether several processes can read the captures: regular files, whose secrets would be known already."""
        return all(path != STANDARD_INPUT and os.path.isfile(path) and is_prescanned(path) for path in self.reader.paths)

    @property
    def piped(self) -> bool:
        """Whether a capture is a pipe. The length of a pipe is not known."""
        return self.total is None

    def secrets_may_come(self) -> bool:
        """Return whether the captures or growing key logs may contain secrets that could not be read yet."""
        if self.tail or self._packet_reader is None:
            return bool(self.tail)
        return self.reader.may_have_more_secrets(self._packet_reader)

    def _packet_readers(self) -> Iterator[PacketReader]:
        for packet_reader in self.reader.packet_readers():
            self._packet_reader = packet_reader
            for file in self.tail:
                file.read_new()
            yield packet_reader
        for file in self.tail:
            file.close()
        self.tail.clear()

    def status(self) -> int:
        """Report what was wrong with the captures, and return the status of the command. Call it when everything is written."""
        for facts in self.reader.errors():
            complain(error_line(facts))
        unread = [line for facts in self.reader.files for line in unread_link_types(facts)]
        for line in unread:
            complain(line)
        beside = beside_the_part(self.part, self.reader.files)
        if beside:
            complain(beside)
        if not self.has_no_capture():
            complain_of_filter(self.reader.paths)
        stopped = self.reader.stopped and not self.piped
        if stopped:
            complain(f"stopped after frame {self.reader.frame.number}, before the end of the captures")
        if not self.reader.errors():
            return DAMAGED if stopped or unread else DONE
        return FAILED if all(facts.format is None for facts in self.reader.files) else DAMAGED

    def has_no_capture(self) -> bool:
        """Return whether none of the files is a capture."""
        return all(facts.format is None for facts in self.reader.files)


class _Ticking:
    """A run over a pipe. When no packet comes, it advances the time of the engine.

    The time of a pipe is that of its packets. After the last packet, as much time has passed as has passed here. If that is a
    moment without any packet, no late packets are on the way, and ended connections need not wait for them. Neither need
    sessions wait for secrets, unless a key log can still grow.
    """

    def __init__(self, capture_run: CaptureRun, engine: "Engine") -> None:
        self._capture_run = capture_run
        self._engine = engine

    def packet_readers(self) -> Generator[PacketReader, None, None]:
        """See `CaptureRun.packet_readers`."""
        engine = self._engine
        waits = LINGER if self._capture_run.tail else max(LINGER, MAX_PENDING_TIME)
        n_frames, since = engine.frames, monotonic()
        for packet_reader in self._capture_run.packet_readers():
            if engine.frames != n_frames:
                n_frames, since = engine.frames, monotonic()
            elif packet_reader.latest >= 0 and monotonic() - since > _LONGEST_WAIT:
                engine.tick(packet_reader.latest + waits + int((monotonic() - since) * 1e9))
            yield packet_reader


def no_such_session(capture: str, number: int, n_sessions: int) -> str:
    """Return the message that a capture has no session of that number, and which numbers there are."""
    there = "there are none" if n_sessions == 0 else f"there are {n_sessions}, from 0 to {n_sessions - 1}"
    return f"{capture}: no TLS session {number}: {there if n_sessions != 1 else 'there is one, 0'}"
