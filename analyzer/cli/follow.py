"""`analyzer follow`: what the two sides of one session said to each other, decrypted, as it comes.

All sessions are decrypted up to the end of the one that is followed, since one may hang on another by resumption; nothing of
them is held.
"""

from argparse import Namespace

from analyzer.analysis.decryption_failure import CAUSES
from analyzer.analysis.missing_data import MissingData
from analyzer.cli.capture_run import DONE, FAILED, CaptureRun, no_such_session
from analyzer.cli.formatting import count_text
from analyzer.cli.key_files import read_keys
from analyzer.cli.output import Output, Refusal, complain
from analyzer.cli.rows import endpoint
from analyzer.cli.stream_view import NAMES, HexView, JsonView, RawView, TextView, View
from analyzer.engine import Engine
from analyzer.engine import run as run_engine
from analyzer.engine.data_streams import DataReader, DataStreams
from analyzer.store.chain_verdicts import UNJUDGED
from analyzer.store.session_record import session_record
from analyzer.tls.session import Session

CLOSE_NOTIFY = 0


class Follower(DataStreams):
    """Hands the data of one session on to a view, with what is missing in its place; only one side's if there is a `side`.

    session: the one, once it has ended.
    """

    def __init__(self, number: int, view: View, side: int | None, output: Output) -> None:
        super().__init__()
        self.session: Session | None = None
        self._number = number
        self._view = view
        self._side = side
        self._output = output

    def open(self, session: int, alpn: bytes | None, missing: MissingData) -> DataReader | None:
        """As in `DataStreams`."""
        return ViewReader(self._view, self._side, missing) if session == self._number else None

    def end(self, session: Session) -> None:
        """As in `DataStreams`."""
        if session.id == self._number:
            self.session = session
            self.done = True

    def end_turn(self) -> None:
        """As in `Listener`."""
        self._output.flush()


class ViewReader(DataReader):
    """Gives a view the data of a session."""

    def __init__(self, view: View, side: int | None, missing: MissingData) -> None:
        super().__init__(missing)
        self._view = view
        self._side = side

    def feed(self, role: int, data: bytes, frame: int, at: int) -> None:
        """As in `DataReader`."""
        self._tell()
        if data and self._side in (None, role):
            self._view.data(role, data, frame, at)

    def close(self, at: int) -> None:
        """As in `DataReader`."""
        self._tell()
        self._view.close()

    def _tell(self) -> None:
        for missing in self.missing.take():
            if self._side is None or missing.role in (None, self._side):
                self._view.missing(missing)


def run(options: Namespace, output: Output) -> int:
    """Write what a session carried; the exit status."""
    if options.raw and output.terminal:
        raise Refusal("raw bytes may drive the terminal: write them to a file with -o, or into a pipe")
    side = None if options.side is None else NAMES.index(options.side)
    view = _view(options, output)
    capture_run = CaptureRun([options.capture], output, streaming=True)
    engine = Engine(detailed=True, places=False, fields=False, reads_data=False, **read_keys(options, capture_run))
    follower = Follower(options.id, view, side, output)
    run_engine(capture_run, engine, [follower])
    session = follower.session
    if session is None:
        capture_run.status()
        raise Refusal(no_such_session(options.capture, options.id, engine.dispatcher.count))
    status = _tell_end(session, view, options.capture)
    output.flush()
    return capture_run.status() or status


def _view(options: Namespace, output: Output) -> View:
    if options.format == "json":
        if options.raw or options.hex:
            raise Refusal("--format json has a form of its own: leave out --raw and --hex")
        return JsonView(output)
    if options.raw:
        return RawView(output)
    return HexView(output) if options.hex else TextView(output)


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
        said = {alert.role for alert in session.log.alerts if alert.description == CLOSE_NOTIFY}
        silent = " and ".join(name for side, name in enumerate(NAMES) if side not in said)
        ends = {side: f"{endpoint(record[side])}" for side in NAMES}
        sizes = ", ".join(f"{count_text(decryption['bytes'][side], 'byte')} from the {side} {ends[side]}" for side in NAMES)
        cut = f"; no close_notify of the {silent}, so the end may be missing" if silent and n_bytes else ""
        view.note(f"end of session {session.id}: {sizes}{cut}")
    return DONE
