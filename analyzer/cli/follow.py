"""`analyzer follow`: writes the data that both sides of one session sent, decrypted, while the capture is read.

All sessions are decrypted until the followed session ends, because one session may depend on another by resumption. Their data
is not kept.
"""

from argparse import Namespace

from analyzer.analysis.decryption_failure import CAUSES
from analyzer.analysis.missing_data import MissingData
from analyzer.capture.frame_places import FramePlaces
from analyzer.cli.capture_paths import names_of
from analyzer.cli.capture_run import CaptureRun, no_such_session
from analyzer.cli.exit_status import DONE, FAILED
from analyzer.cli.follow_stream import follow_stream
from analyzer.cli.key_files import read_keys
from analyzer.cli.output import CommandError, Output, complain
from analyzer.cli.part_arguments import part_of
from analyzer.cli.part_frames import not_in_part, sessions_of
from analyzer.cli.rows import endpoint
from analyzer.cli.session_choice import session_number
from analyzer.cli.stream_view import NAMES, NO_STREAM, HexView, JsonView, RawView, View
from analyzer.cli.text_view import AsciiView, TextView
from analyzer.engine import Engine
from analyzer.engine.data_streams import DataReader, DataStreams
from analyzer.store.chain_verdicts import NO_VERDICTS
from analyzer.store.part import Part
from analyzer.store.session_record import session_record
from analyzer.text.authentication_text import advice_text, cause_text
from analyzer.text.formatting import count_text
from analyzer.text.language import retold, say
from analyzer.text.punctuation import beside, clauses
from analyzer.tls.session import Session

CLOSE_NOTIFY = 0


class Follower(DataStreams):
    """Passes the data of one session to a view, with missing data noted in its place. side: only that side's, None for both.

    session: the session after it has ended, else None.
    """

    def __init__(self, number: int, view: View, shows: "Choice", output: Output) -> None:
        super().__init__()
        self.session: Session | None = None
        self._number = number
        self._view = view
        self._shows = shows
        self._output = output

    def open(self, session: int, alpn: bytes | None, missing: MissingData) -> DataReader | None:
        """See `DataStreams.open`."""
        if session != self._number:
            return None
        self._view.begin(alpn)
        return ViewReader(self._view, self._shows, missing)

    def end(self, session: Session) -> None:
        """See `DataStreams.end`."""
        if session.id == self._number:
            self.session = session
            self.done = True

    def end_turn(self) -> None:
        """See `Listener.end_turn`."""
        self._output.flush()


class Choice:
    """What is written: only what one side sent, and in one stream (None for all), and what was sent in the time of a part."""

    def __init__(self, side: int | None, part: Part | None, substream: int | None = None) -> None:
        self.side = side
        self.found = False
        self._part = part
        self._substream = substream

    def __call__(self, side: int, at: int, stream: int = NO_STREAM) -> bool:
        """See `Shows`. `found` becomes True where something is written."""
        wanted = self.side in (None, side) and self._substream in (None, stream)
        if wanted and (self._part is None or self._part.has_moment(at)):
            self.found = True
            return True
        return False


class ViewReader(DataReader):
    """Passes the data of a session to a view."""

    def __init__(self, view: View, shows: Choice, missing: MissingData) -> None:
        super().__init__(missing)
        self._shows = shows
        self._view = view

    def feed(self, role: int, data: bytes, frame: int, at: int) -> None:
        """See `DataReader.feed`."""
        self._report_missing()
        if data and (self._view.sees_all or self._shows(role, at)):
            self._view.data(role, data, frame, at)

    def feed_stream(self, stream: int, role: int, data: bytes, end: bool, frame: int, at: int) -> None:
        """See `DataReader.feed_stream`."""
        self._report_missing()
        if self._view.sees_all or self._shows(role, at, stream):
            self._view.data(role, data, frame, at, stream, end)

    def reset_stream(self, stream: int, role: int, code: int, frame: int, at: int) -> None:
        """See `DataReader.reset_stream`."""
        self._view.reset(role, stream, code, frame, at)

    def miss_stream(self, stream: int, role: int, length: int | None, reason: str | None) -> None:
        """See `DataReader.miss_stream`."""
        self._view.miss(role, stream, length)

    def close(self, at: int) -> None:
        """See `DataReader.close`."""
        self._report_missing()
        self._view.close()

    def _report_missing(self) -> None:
        for missing in self.missing.take():
            if self._shows.side is None or missing.role in (None, self._shows.side):
                self._view.missing(missing)


def run(options: Namespace, output: Output) -> int:
    """Write the data of a session, and return the exit status."""
    if options.raw and output.terminal:
        raise CommandError("raw bytes may drive the terminal: write them to a file with -o, or into a pipe")
    if options.format == "json" and (options.raw or options.hex or options.ascii):
        raise CommandError("--format json has a form of its own: leave out --raw, --hex and --ascii")
    if options.stream is not None and options.substream is not None:
        raise CommandError("--substream is for sessions, and --stream for TCP connections: leave one out")
    part = part_of(options)
    shows = Choice(None if options.side is None else NAMES.index(options.side), part, options.substream)
    capture_run = CaptureRun(options.captures, output, streaming=True)
    view = _view(options, output, capture_run.reader.places, shows)
    if options.stream is not None:
        return follow_stream(options, output, capture_run, view, shows)
    keys = read_keys(options, capture_run)
    options.id = session_number(options, output, keys)
    if part is not None and options.id not in sessions_of(part, options, output, keys).numbers:
        raise not_in_part(options, options.id)
    engine = Engine(detailed=True, places=False, fields=False, reads_data=False, **keys)
    follower = Follower(options.id, view, shows, output)
    capture_run.run(engine, [follower])
    session = follower.session
    if session is None:
        capture_run.status()
        raise CommandError(no_such_session(names_of(options.captures), options.id, engine.dispatcher.count))
    status = _report_end(session, view, names_of(options.captures))
    if status == DONE and options.substream is not None and not shows.found:
        complain(say("session {n} has nothing to show in stream {stream}", n=session.id, stream=options.substream))
        status = FAILED
    output.flush()
    return capture_run.status() or status


def _view(options: Namespace, output: Output, places: FramePlaces, shows: Choice) -> View:
    if options.format == "json":
        return JsonView(output, places)
    if options.raw:
        return RawView(output)
    if options.ascii:
        return AsciiView(output)
    return HexView(output) if options.hex else TextView(output, shows)


def _warning(silent: str) -> str:
    return say("; no close_notify of the {sides}, so the end may be missing", sides=silent) if silent else ""


def _report_end(session: Session, view: View, capture: str) -> int:
    """Report why there is no data (on standard error), or how the session ended (in the output). Return the status."""
    record = session_record(session, False, NO_VERDICTS, False)
    decryption = record["decryption"]
    name = say("{capture}: session {n}", capture=say("standard input") if capture == "-" else capture, n=session.id)
    n_bytes = sum(decryption["bytes"].values())
    if decryption["status"] == "none":
        meaning, advice = cause_text(decryption["reason"])[0], advice_text(decryption)
        shown = retold(decryption["detail"]) if decryption["detail"] not in (None, CAUSES[decryption["reason"]][0]) else ""
        tried = say("; {records} tried", records=count_text(decryption["failed"], "record")) if decryption["failed"] else ""
        complain(
            say(
                "{name} was not decrypted: {why}. {advice}",
                name=name,
                why=beside(meaning, shown) + tried,
                advice=advice,
            )
        )
        return FAILED
    if n_bytes == 0:
        complain(say("{name} carried no application data", name=name))
    if isinstance(view, TextView | HexView | AsciiView):
        notified = {alert.role for alert in session.log.alerts if alert.description == CLOSE_NOTIFY}
        silent = say(" and ").join(say(name) for side, name in enumerate(NAMES) if side not in notified)
        sizes = clauses(
            *(
                say(
                    "{bytes} from the {side} {end}",
                    bytes=count_text(decryption["bytes"][side], "byte"),
                    side=say(side),
                    end=endpoint(record[side]),
                )
                for side in NAMES
            )
        )
        ends_silently = n_bytes > 0 and record["protocol"] == "tls"  # QUIC has no close_notify
        view.note(say("end of session {n}: {sizes}", n=session.id, sizes=sizes) + _warning(silent if ends_silently else ""))
    return DONE
