"""`analyzer follow`: what the two sides of one session said to each other, decrypted, as it comes.

All sessions are decrypted up to the end of the one that is followed, since one may hang on another by resumption; nothing of
them is held.
"""

from argparse import Namespace

from analyzer.analysis.losses import Losses
from analyzer.analysis.why_not import CAUSES
from analyzer.application.unread import Unread
from analyzer.cli.key_files import read_keys
from analyzer.cli.output import Output, Refusal, complain
from analyzer.cli.quantities import count_text
from analyzer.cli.reading import DONE, FAILED, Reading, no_such_session
from analyzer.cli.rows import endpoint
from analyzer.cli.turns import NAMES, HexView, JsonView, RawView, TextView, View
from analyzer.engine import Engine
from analyzer.store.chains import UNJUDGED
from analyzer.store.record import session_record
from analyzer.tls.secrets import Application
from analyzer.tls.session import Session

CLOSE_NOTIFY = 0


class Follower(Unread):
    """Hands the data of one session on to a view, with what is missing in its place; only one side's if there is a `side`."""

    def __init__(self, session: Session, view: View, side: int | None) -> None:
        self._losses = Losses(session)
        self._view = view
        self._side = side

    def feed(self, side: int, data: bytes, frame: int, at: int) -> None:
        """Take the next bytes of a side."""
        self._tell()
        if data and self._side in (None, side):
            self._view.data(side, data, frame, at)

    def gap(self, side: int, length: int | None, why: str | None = None) -> None:
        """Hear that something of a side is missing; it is told when all of it is known."""
        self._losses.hear(side, why)

    def close(self, at: int) -> None:
        """Hear that nothing more comes."""
        self._tell()
        self._view.close()

    def _tell(self) -> None:
        for loss in self._losses.take():
            if self._side is None or loss.side in (None, self._side):
                self._view.loss(loss)


def run(options: Namespace, output: Output) -> int:
    """Write what a session carried; the exit status."""
    if options.raw and output.terminal:
        raise Refusal("raw bytes may drive the terminal: write them to a file with -o, or into a pipe")
    side = None if options.side is None else NAMES.index(options.side)
    view = _view(options, output)
    reading = Reading([options.capture])
    keys = read_keys(options, reading)

    def take(session: Session) -> Application:
        return Follower(session, view, side) if session.id == options.id else Unread()

    engine = Engine(False, False, *keys, application=take)
    session = _read(reading, output, engine, options.id)
    if session is None:
        reading.status()
        raise Refusal(no_such_session(options.capture, options.id, engine.sessions.count))
    status = _tell_end(session, view, options.capture)
    output.flush()
    return reading.status() or status


def _view(options: Namespace, output: Output) -> View:
    if options.format == "json":
        if options.raw or options.hex:
            raise Refusal("--format json has a form of its own: leave out --raw and --hex")
        return JsonView(output)
    if options.raw:
        return RawView(output)
    return HexView(output) if options.hex else TextView(output)


def _read(reading: Reading, output: Output, engine: Engine, number: int) -> Session | None:
    """Read to the end of the session, and no further."""
    session: Session
    for walker in reading.walkers(output, True):
        engine.run(walker)
        output.flush()
        for session in engine.drain():
            if session.id == number:
                return session
    engine.close()
    return next((session for session in engine.drain() if session.id == number), None)


def _tell_end(session: Session, view: View, capture: str) -> int:
    """Say on standard error why there is nothing, or in the output how it ended; the status."""
    record = session_record(session, False, UNJUDGED)
    decryption = record["decryption"]
    name = f"{'standard input' if capture == '-' else capture}: session {session.id}"
    n_bytes = sum(decryption["bytes"].values())
    if decryption["status"] == "none":
        meaning, advice = CAUSES[decryption["reason"]]
        shown = f" ({decryption['detail']})" if decryption["detail"] not in (None, meaning) else ""
        tried = f"; {count_text(decryption['failed'], 'record')} tried" if decryption["failed"] else ""
        complain(f"{name} was not decrypted: {meaning}{shown}{tried}. {advice}")
        return FAILED
    if n_bytes == 0:
        complain(f"{name} carried no application data")
    if isinstance(view, TextView | HexView):
        said = {alert.side ^ session.client for alert in session.alerts if alert.description == CLOSE_NOTIFY}
        silent = " and ".join(name for side, name in enumerate(NAMES) if side not in said)
        ends = {side: f"{endpoint(record[side])}" for side in NAMES}
        sizes = ", ".join(f"{count_text(decryption['bytes'][side], 'byte')} from the {side} {ends[side]}" for side in NAMES)
        cut = f"; no close_notify of the {silent}, so the end may be missing" if silent and n_bytes else ""
        view.note(f"end of session {session.id}: {sizes}{cut}")
    return DONE
