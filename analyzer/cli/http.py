"""`analyzer http`: writes one row for every HTTP exchange, decrypted or in plain text: what was asked, and what came back.

JSON is written while reading, the exchanges of a connection when it ends. Text and CSV are in the order of the frames.
"""

import heapq
from argparse import Namespace
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import orjson

from analyzer.application.request_target import media_type
from analyzer.cli.capture_run import CaptureRun
from analyzer.cli.key_files import read_keys
from analyzer.cli.output import Output, complain
from analyzer.cli.part_arguments import part_of
from analyzer.cli.part_listener import PartListener
from analyzer.cli.rows import capture_cell, clock, endpoint
from analyzer.cli.sharing import Several, SharedListener, make_shards, run_shared
from analyzer.cli.table import Cell, Column, Table, share_of_width
from analyzer.cli.trust_options import read_chains
from analyzer.engine import Engine
from analyzer.engine.capture_events import PlainHttp
from analyzer.store.chain_verdicts import NO_VERDICTS
from analyzer.store.declaration import columns
from analyzer.store.http_record import plain_exchanges, session_exchanges
from analyzer.store.http_schema import HTTP
from analyzer.store.packet_info import place_record
from analyzer.store.part import Part
from analyzer.store.session_record import decryption_record, json_line
from analyzer.text.escape import harmless
from analyzer.text.formatting import count_text, size_text
from analyzer.text.language import say
from analyzer.text.punctuation import listing
from analyzer.text.session_csv import csv_head, csv_line
from analyzer.tls.events import Event, SessionEnded
from analyzer.tls.session import Session

if TYPE_CHECKING:
    from analyzer.store.shard import Holes
    from analyzer.store.shards import SharedSession

MOST_HELD = 1 << 16
"""The most rows that are held to put them in order: about 100 MiB. Beyond, the earliest one is written at once."""

COLUMNS = (
    Column("frame", 0, right=True, style="bold"),
    Column("session", 3, right=True),
    Column("time", 8),
    Column("client", 6, limit=47),
    Column("server", 7, limit=47),
    Column("method", 0, limit=12),
    Column("URL", 1, limit=60, style="cyan"),
    Column("sent", 9, right=True),
    Column("status", 0, right=True),
    Column("type", 4, limit=40),
    Column("size", 2, right=True),
    Column("SHA-256", 5),
    Column("capture", 10, limit=40),
)

Place = Callable[[int], dict[str, Any]]
"""Returns in which capture a frame is, as `place_record` does."""

CSV_COLUMNS = columns(
    HTTP,
    "session", ("client_address", "client.address"), ("client_port", "client.port"), ("server_address", "server.address"),
    ("server_port", "server.port"), "time", "frame", "response_frame", "version", "method", "url", "request_type",
    "request_size", "request_sha256", "status", "type", "size", "sha256", "guessed", "capture", "frame_in_capture",
    "response_seconds",
)  # fmt: skip


def run(options: Namespace, output: Output) -> int:
    """Print the HTTP exchanges of the captures, and return the exit status."""
    capture_run = CaptureRun(options.captures, output, streaming=any(one.form == "json" for one in options.outputs))
    keys = read_keys(options, capture_run)
    read_chains(options)  # nothing is judged here, but a store that cannot be read is said
    settings = {"fields": False, "watches_http": True}
    shards = make_shards(options, capture_run, keys, describe_exchanges, NO_VERDICTS, settings)

    def place(frame: int) -> dict[str, Any]:
        return place_record((capture_run if shards is None else shards).reader.places, frame)

    part = capture_run.part = part_of(options)
    printers = [_PRINTERS[one.form](one, place, part) for one in options.outputs]
    printer = Several(printers)
    if shards is not None:
        run_shared(capture_run, shards, printer)
    else:
        listener = printer if part is None else PartListener(printer, part)
        capture_run.run(Engine(fields=False, watches_http=True, **keys), [listener])
    if not printers[0].n_exchanges and not capture_run.has_no_capture():
        _say_why_none(printers[0].n_undecrypted)
    return capture_run.status()


def _say_why_none(n_undecrypted: int) -> None:
    if not n_undecrypted:
        complain(say("no HTTP exchange was seen"))
        return
    sessions = count_text(n_undecrypted, "session was", "sessions were")
    complain(say("no HTTP exchange was seen; {sessions} not decrypted: -k takes a key log", sessions=sessions))


def describe_exchanges(session: Session, holes: "Holes", resumed: bool) -> bytes:
    """Return the exchanges of a session as JSON, see `Shard`."""
    return orjson.dumps(session_exchanges(session))


class JsonLines(SharedListener):
    """Writes one exchange per line. Subclasses override `add`.

    n_exchanges: how many were in the part. n_undecrypted: sessions without decrypted data; not counted in several processes.
    """

    def __init__(self, output: Output, place: Place, part: Part | None = None) -> None:
        """part: which exchanges are written; None for all."""
        self._output = output
        self._place = place
        self._part = part
        self._unflushed = False
        self.n_exchanges = 0
        self.n_undecrypted = 0

    def take(self, events: Sequence[Event]) -> None:
        """See `Listener.take`."""
        for event in events:
            if isinstance(event, SessionEnded):
                self._add_all(session_exchanges(event.ended))
                self.n_undecrypted += decryption_record(event.ended)["status"] == "none"
            elif isinstance(event, PlainHttp):
                self._add_all(plain_exchanges(event))

    def take_shared(self, sessions: "Sequence[SharedSession]") -> None:
        """See `SharedListener.take_shared`."""
        for session in sessions:
            self._add_all(orjson.loads(session.describe(NO_VERDICTS)))

    def _add_all(self, records: list[dict[str, Any]]) -> None:
        for record in records:
            if self._part is None or in_part(self._part, record):
                self.n_exchanges += 1
                record.update(self._place(record["frame"] or 0))
                self.add(record)

    def add(self, record: dict[str, Any]) -> None:
        """Take the next exchange."""
        self._output.write(json_line(record))
        self._unflushed = True

    def end_turn(self) -> None:
        """See `Listener.end_turn`. What was written in the turn is flushed."""
        if self._unflushed:
            self._output.flush()
            self._unflushed = False


class InOrder(JsonLines):
    """Writes the exchanges in the order of their frames. Subclasses override `row` and `write`."""

    def __init__(self, output: Output, place: Place, part: Part | None = None) -> None:
        super().__init__(output, place, part)
        self._held: list[tuple[int, int, Any]] = []
        self._n_rows = 0

    def add(self, record: dict[str, Any]) -> None:
        """See `JsonLines.add`."""
        entry = (record["frame"] or 0, self._n_rows, self.row(record))
        self._n_rows += 1
        if len(self._held) < MOST_HELD:
            heapq.heappush(self._held, entry)
        else:
            self.write(heapq.heappushpop(self._held, entry)[2])

    def row(self, record: dict[str, Any]) -> Any:
        """Return what is held of an exchange."""
        return record

    def write(self, row: Any) -> None:
        """Take the next row in order."""

    def close(self) -> None:
        """See `Listener.close`."""
        while self._held:
            self.write(heapq.heappop(self._held)[2])
        self._output.flush()


class CsvLines(InOrder):
    """Writes the exchanges as CSV."""

    def __init__(self, output: Output, place: Place, part: Part | None = None) -> None:
        super().__init__(output, place, part)
        output.head = csv_head(CSV_COLUMNS)

    def row(self, record: dict[str, Any]) -> bytes:
        """See `InOrder.row`."""
        return csv_line(CSV_COLUMNS, record)

    def write(self, row: bytes) -> None:
        """See `InOrder.write`."""
        self._output.write(row)


class TextTable(InOrder):
    """Prints a table."""

    def __init__(self, output: Output, place: Place, part: Part | None = None) -> None:
        super().__init__(output, place, part)
        self._table = Table(share_of_width(COLUMNS, "URL", output), output, one_line=True)

    def row(self, record: dict[str, Any]) -> list[Cell]:
        """See `InOrder.row`."""
        return exchange_row(record)

    def write(self, row: list[Cell]) -> None:
        """See `InOrder.write`."""
        self._table.add(row)

    def close(self) -> None:
        """See `InOrder.close`."""
        super().close()
        self._table.close()
        self._output.flush()


def in_part(part: Part, record: dict[str, Any]) -> bool:
    """Return whether an exchange is in a part, by its own time. One in a session is that of a host of the part.

    In plain text, the host that the request names counts too.
    """
    if not part.has_number(record["session"]) or not part.has_time(record["time"], record["time"]):
        return False
    if record["session"] is not None or part.has_ends(record):
        return True
    return part.has_host(authority_host(record["url"]))


def authority_host(url: str | None) -> str | None:
    """Return the host in a URL, without its port; None where there is none, or it cannot be read."""
    try:
        return urlsplit(url).hostname if url is not None and "//" in url else None
    except ValueError:  # brackets that are no address
        return None


def exchange_row(record: dict[str, Any]) -> list[Cell]:
    """Return the cells of `COLUMNS` for an exchange. What was not seen is empty; a method or URL that was not read is `?`."""
    status, asked = record["status"], record["request_size"] is not None
    return [
        "" if record["frame"] is None else str(record["frame"]),
        "" if record["session"] is None else str(record["session"]),
        clock(record["time"]),
        endpoint(record["client"]),
        endpoint(record["server"]),
        harmless(record["method"] or "?"),
        harmless(record["url"] or "?"),
        size_text(record["request_size"]) if asked and record["request_size"] else "",
        ("" if status is None else str(status), status_style(status)),
        harmless(media_type(record["type"]) or extended_text(record)),
        "" if record["size"] is None else size_text(record["size"]),
        record["sha256"] or "" if record["size"] else "",
        capture_cell(record),
    ]


def extended_text(record: dict[str, Any]) -> str:
    """Return what an extended CONNECT asks for, with how many datagrams and capsules both sides sent; "" for others."""
    if record["protocol"] is None:
        return ""
    parts = [str(record["protocol"])]
    if record["datagrams"]:
        parts.append(count_text(sum(record["datagrams"]), "datagram"))
    parts += [f"{name} {sum(counts)}" for name, counts in (record["capsules"] or {}).items()]
    return listing(parts)


def status_style(status: int | None) -> str:
    """Return the style of a status code (RFC 9110 section 15): errors of the client yellow, of the server red."""
    return "" if status is None or status < 400 else "yellow" if status < 500 else "red"


_PRINTERS: dict[str, Callable[[Output, Place, Part | None], JsonLines]] = {
    "json": JsonLines,
    "csv": CsvLines,
    "text": TextTable,
}
