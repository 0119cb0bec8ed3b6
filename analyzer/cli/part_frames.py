"""Finds the sessions and frames of a part in a reading of its own, before anything is shown.

A frame does not say the server name of its connection: it stands in the ClientHello, which comes after the first frames. And
whether a session is in a part is known when it has ended. So a command that shows frames of named hosts, or writes while it
reads, reads the captures twice.
"""

from argparse import Namespace
from collections.abc import Sequence

from analyzer.capture.frame import Frame
from analyzer.cli.capture_paths import names_of
from analyzer.cli.capture_run import CaptureRun
from analyzer.cli.key_files import Keys
from analyzer.cli.output import CommandError, Output
from analyzer.cli.part_listener import ends_of
from analyzer.engine import Engine, Listener
from analyzer.engine.failed_connections import ConnectionFailed
from analyzer.packet.addresses import reverse_key
from analyzer.packet.packet import Packet
from analyzer.store.part import Part
from analyzer.tls.events import Event, SessionEnded


class PartSessions(Listener):
    """Takes the sessions of a part, and the connections that failed before TLS.

    numbers: of the sessions. spans: the frames of all these connections, by both keys of each.
    """

    def __init__(self, part: Part) -> None:
        self.numbers: set[int] = set()
        self.spans: dict[bytes, list[tuple[int, int]]] = {}
        self._part = part

    def take(self, events: Sequence[Event]) -> None:
        """See `Listener.take`."""
        for event in events:
            if isinstance(event, SessionEnded) and self._part.has_session(event.ended):
                flow = event.ended.flow
                self.numbers.add(event.ended.id)
                self._add(flow.key, flow.first_frame, flow.last_frame)
            elif isinstance(event, ConnectionFailed) and self._part.has_ends(ends_of(event)):
                self._add(event.key, event.first_frame, event.last_frame)

    def _add(self, key: bytes, first: int, last: int) -> None:
        for one in (key, reverse_key(key)):
            self.spans.setdefault(one, []).append((first, last))


class PartFrames:
    """Tells whether a frame is in a part. spans: as in `PartSessions`."""

    def __init__(self, part: Part, spans: dict[bytes, list[tuple[int, int]]]) -> None:
        self._part = part
        self._spans = spans

    def __call__(self, packet: Packet, frame: Frame) -> bool:
        """Return whether the frame, which was read into `packet`, is in the part."""
        matches = self._part.matches
        if not self._part.has_moment(frame.at) or (matches is not None and not matches.has_frame(frame.number)):
            return False
        if not self._part.has_hosts or self._part.has_address(packet):
            return True
        return any(first <= frame.number <= last for first, last in self._spans.get(packet.key(), ()))


def sessions_of(part: Part, options: Namespace, output: Output, keys: Keys) -> PartSessions:
    """Read the captures, and return the sessions of a part. keys: of the run that follows. Raises CommandError for a pipe."""
    capture_run = CaptureRun(options.captures, output)
    if not capture_run.rereadable():
        raise CommandError(f"{names_of(options.captures)}: for a part, this is read twice: save it to a file first")
    found = PartSessions(part)
    settings: Keys = {**keys, "may_grow": None}
    capture_run.run(Engine(fields=False, reads_data=False, watches_failures=True, **settings), [found])
    return found


def frames_of(part: Part | None, options: Namespace, output: Output, keys: Keys) -> PartFrames | None:
    """Return what chooses the frames of a part; None for all frames. Only names of servers need a reading of their own."""
    if part is None:
        return None
    spans = sessions_of(Part(names=part.names), options, output, keys).spans if part.names else {}
    return PartFrames(part, spans)


def chosen_sessions(part: Part | None, options: Namespace, output: Output, keys: Keys) -> list[int]:
    """Return the numbers of the sessions that the options choose: by `--session`, and by a part; empty for all.

    Raises CommandError if the part has none of them.
    """
    numbers: list[int] = options.session
    if part is None:
        return numbers
    found = sessions_of(part, options, output, keys).numbers
    chosen = sorted(found.intersection(numbers) if numbers else found)
    if not chosen:
        raise CommandError(
            f"{names_of(options.captures)}: no session is in the part that --since, --until, --host and -Y choose"
        )
    return chosen


def not_in_part(options: Namespace, number: int) -> CommandError:
    """Return the error that a session is not in the part."""
    return CommandError(
        f"{names_of(options.captures)}: session {number} is not in the part that --since, --until, --host and -Y choose"
    )
