"""`analyzer follow --stream N`: writes the bytes of one TCP connection as they were sent, while the capture is read.

With key files, what TLS in the connection carried stands in the place of its records: before STARTTLS the bytes as they
were sent, behind it the data. Without them all bytes are as they were sent, and the numbers of the sessions are said, with
which `follow` decrypts.
"""

from argparse import Namespace
from collections.abc import Sequence

from analyzer.analysis.missing_data import Missing, MissingData
from analyzer.cli.capture_paths import names_of
from analyzer.cli.capture_run import CaptureRun
from analyzer.cli.key_files import read_keys
from analyzer.cli.output import CommandError, Output, complain
from analyzer.cli.part_arguments import part_of
from analyzer.cli.rows import endpoint
from analyzer.cli.stream_view import NAMES, NO_STREAM, HexView, Shows, View
from analyzer.cli.text_view import AsciiView, TextView
from analyzer.engine import Engine
from analyzer.engine.data_streams import DataReader, DataStreams
from analyzer.engine.tcp_data import FollowedConnection
from analyzer.flows.flow import Flow
from analyzer.store.part import Part
from analyzer.store.session_record import decryption_record, endpoint_record
from analyzer.text.formatting import count_text
from analyzer.text.language import noted, say
from analyzer.text.punctuation import clauses, listing
from analyzer.tls.events import Event, SessionBegan
from analyzer.tls.session import Session

_MISSING = "missing_segment"

_ENDS = noted(
    {
        "fin": "both sides closed it",
        "rst": "one side reset it",
        "reused": "its ports were used again",
        "idle": "nothing more came",
        "evicted": "too many connections were open",
        "end": "the capture ends here",
    }
)


class StreamFollower(DataStreams):
    """Passes the bytes of one connection to a view.

    keys: addresses and ports, as in packets of each side; none before its first packet. n_bytes: by side. sessions: the numbers
    of the TLS sessions that began in it. closed: those that were not decrypted, though they should have been.
    """

    def __init__(
        self, view: View, shows: Shows, output: Output, decrypts: bool, side: int | None = None, part: Part | None = None
    ) -> None:
        """decrypts: whether what TLS carried is shown too. side: of which losses are written; None for both. part: whose
        connections may be followed; None for all."""
        super().__init__()
        self.keys: tuple[bytes, ...] = ()
        self.n_bytes = [0, 0]
        self.sessions: list[int] = []
        self.closed: list[int] = []
        self.reason = ""
        self._view = view
        self._shows = shows
        self._output = output
        self._decrypts = decrypts
        self._first_frame = 0
        self._side = side
        self._part = part

    def begin(self, keys: tuple[bytes, bytes], frame: int) -> None:
        """See `TcpDataReader.begin`. Raises CommandError for a connection that does not pass the display filter."""
        if self._part is not None and not self._part.has_connection(keys[0]):
            raise CommandError("no packet of this stream passes the filter of -Y")
        self.keys, self._first_frame = keys, frame
        self._view.begin(None)

    def feed(self, side: int, data: bytes, frame: int, at: int) -> None:
        """See `TcpDataReader.feed`."""
        self.n_bytes[side] += len(data)
        if self._view.sees_all or self._shows(side, at, NO_STREAM):
            self._view.data(side, data, frame, at)

    def lose(self, side: int, n_bytes: int) -> None:
        """See `TcpDataReader.lose`."""
        self.note_missing(Missing(side, n_bytes, 0, _MISSING))

    def note_missing(self, missing: Missing) -> None:
        """Write that data is missing here, if its side is shown."""
        if self._side is None or missing.role in (None, self._side):
            self._view.missing(missing)

    def finish(self, reason: str) -> None:
        """See `TcpDataReader.finish`."""
        self.reason = reason

    def take(self, events: Sequence[Event]) -> None:
        """See `Listener.take`."""
        for event in events:
            if isinstance(event, SessionBegan) and self._is_ours(event.flow):
                self.sessions.append(event.session)
        super().take(events)

    def open(self, session: int, alpn: bytes | None, missing: MissingData) -> DataReader | None:
        """See `DataStreams.open`."""
        if not self._decrypts or session not in self.sessions:
            return None
        self._view.begin(alpn)
        return _SessionReader(self, missing)

    def end(self, session: Session) -> None:
        """See `DataStreams.end`."""
        if self._decrypts and session.id in self.sessions and decryption_record(session)["status"] == "none":
            self.closed.append(session.id)

    def end_turn(self) -> None:
        """See `Listener.end_turn`. The connection ends here, after its last events."""
        if self.reason and not self.done:
            self._view.close()
            self.done = True
        self._output.flush()

    def _is_ours(self, flow: Flow) -> bool:
        return flow.key in self.keys and flow.first_frame == self._first_frame


class _SessionReader(DataReader):
    """Passes on what a session of the connection carried."""

    def __init__(self, follower: StreamFollower, missing: MissingData) -> None:
        super().__init__(missing)
        self._follower = follower

    def feed(self, role: int, data: bytes, frame: int, at: int) -> None:
        """See `DataReader.feed`."""
        self._report_missing()
        self._follower.feed(role, data, frame, at)

    def close(self, at: int) -> None:
        """See `DataReader.close`."""
        self._report_missing()

    def _report_missing(self) -> None:
        for missing in self.missing.take():
            self._follower.note_missing(missing)


def follow_stream(options: Namespace, output: Output, capture_run: CaptureRun, view: View, shows: Shows) -> int:
    """Write the bytes of the connection that the options name, and return the exit status."""
    keys = read_keys(options, capture_run)
    decrypts = bool(options.keylog or options.rsa_key or options.psk_file)
    side = None if options.side is None else NAMES.index(options.side)
    follower = StreamFollower(view, shows, output, decrypts, side, part_of(options))
    followed = FollowedConnection(options.stream, follower, until_tls=decrypts)
    engine = Engine(detailed=True, places=False, fields=False, reads_data=False, dispatches=followed.dispatcher(), **keys)
    capture_run.run(engine, [follower])
    if not follower.keys:
        capture_run.status()
        raise CommandError(_no_such_stream(names_of(options.captures), options.stream, followed.n_connections))
    if isinstance(view, TextView | HexView | AsciiView):
        view.note(_end_text(options.stream, follower))
    output.flush()
    unopened = follower.closed if decrypts else follower.sessions
    if decrypts and unopened:
        numbers = listing(map(str, unopened))
        complain(say("TLS in this stream was not decrypted: `follow` with the id {numbers} says why", numbers=numbers))
    elif unopened:
        numbers = listing(map(str, unopened))
        complain(say("TLS begins in this stream: `follow` with the id {numbers} shows what it carried", numbers=numbers))
    return capture_run.status()


def _end_text(number: int, follower: StreamFollower) -> str:
    sizes = [
        say(
            "{bytes} from the {side} {end}",
            bytes=count_text(follower.n_bytes[side], "byte"),
            side=say(name),
            end=endpoint(endpoint_record(follower.keys[0], side)),
        )
        for side, name in enumerate(NAMES)
    ]
    why = _ENDS.get(follower.reason)
    return say("end of stream {n}: {sizes}", n=number, sizes=clauses(*sizes, say(why) if why else ""))


def _no_such_stream(capture: str, number: int, n_streams: int) -> str:
    there = "there are none" if n_streams == 0 else f"there are {n_streams}, from 0 to {n_streams - 1}"
    return f"{capture}: no TCP stream {number}: {there if n_streams != 1 else 'there is one, 0'}"
