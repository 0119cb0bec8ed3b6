"""`analyzer follow --stream N`: writes the bytes of one TCP connection as they were sent, while the capture is read.

Nothing is decrypted. If TLS begins in the connection, the numbers of its sessions are said, with which `follow` decrypts.
"""

from argparse import Namespace
from collections.abc import Sequence

from analyzer.analysis.missing_data import Missing
from analyzer.cli.capture_paths import names_of
from analyzer.cli.capture_run import CaptureRun
from analyzer.cli.output import CommandError, Output, complain
from analyzer.cli.rows import endpoint
from analyzer.cli.stream_view import NAMES, HexView, Shows, View
from analyzer.cli.text_view import AsciiView, TextView
from analyzer.engine import Engine, Listener
from analyzer.engine.tcp_data import FollowedConnection
from analyzer.store.session_record import endpoint_record
from analyzer.text.formatting import count_text
from analyzer.text.language import noted, say
from analyzer.text.punctuation import clauses, listing
from analyzer.tls.events import Event, SessionBegan

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


class StreamFollower(Listener):
    """Passes the bytes of one connection to a view.

    keys: addresses and ports, as in packets of each side; none before its first packet. n_bytes: by side. sessions: the numbers
    of the TLS sessions that began in it.
    """

    def __init__(self, view: View, shows: Shows, output: Output) -> None:
        self.keys: tuple[bytes, ...] = ()
        self.n_bytes = [0, 0]
        self.sessions: list[int] = []
        self.reason = ""
        self._view = view
        self._shows = shows
        self._output = output
        self._first_frame = 0

    def begin(self, keys: tuple[bytes, bytes], frame: int) -> None:
        """See `TcpDataReader.begin`."""
        self.keys, self._first_frame = keys, frame
        self._view.begin(None)

    def feed(self, side: int, data: bytes, frame: int, at: int) -> None:
        """See `TcpDataReader.feed`."""
        self.n_bytes[side] += len(data)
        if self._view.sees_all or self._shows(side, at):
            self._view.data(side, data, frame, at)

    def lose(self, side: int, n_bytes: int) -> None:
        """See `TcpDataReader.lose`."""
        self._view.missing(Missing(side, n_bytes, 0, _MISSING))

    def end(self, reason: str) -> None:
        """See `TcpDataReader.end`."""
        self._view.close()
        self.reason = reason
        self.done = True

    def take(self, events: Sequence[Event]) -> None:
        """See `Listener.take`."""
        for event in events:
            if isinstance(event, SessionBegan) and self._is_ours(event):
                self.sessions.append(event.session)

    def end_turn(self) -> None:
        """See `Listener.end_turn`."""
        self._output.flush()

    def _is_ours(self, event: SessionBegan) -> bool:
        return event.flow.key in self.keys and event.flow.first_frame == self._first_frame


def follow_stream(options: Namespace, output: Output, capture_run: CaptureRun, view: View, shows: Shows) -> int:
    """Write the bytes of the connection that the options name, and return the exit status."""
    follower = StreamFollower(view, shows, output)
    followed = FollowedConnection(options.stream, follower)
    capture_run.run(Engine(announces=True, fields=False, reads_data=False, dispatches=followed.dispatcher()), [follower])
    if not follower.keys:
        capture_run.status()
        raise CommandError(_no_such_stream(names_of(options.captures), options.stream, followed.n_connections))
    if isinstance(view, TextView | HexView | AsciiView):
        view.note(_end_text(options.stream, follower))
    output.flush()
    if follower.sessions:
        numbers = listing(map(str, follower.sessions))
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
