"""`analyzer certificates`: prints every distinct certificate once, with the sessions that sent it. Also writes PEM files."""

import marshal
import os
from argparse import Namespace
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from analyzer.cli.capture_run import CaptureRun
from analyzer.cli.certificate_text import print_certificate
from analyzer.cli.files import print_fact
from analyzer.cli.key_files import read_keys
from analyzer.cli.output import CommandError, Output, complain
from analyzer.cli.part_arguments import part_of
from analyzer.cli.part_listener import PartListener
from analyzer.cli.rows import capture_cell
from analyzer.cli.sharing import SharedListener, make_shards, run_shared
from analyzer.cli.table import Cell, Column, Table
from analyzer.cli.trust_options import read_chains
from analyzer.engine import Engine
from analyzer.store.chain_verdicts import NO_VERDICTS, Chains, ChainVerdict
from analyzer.store.declaration import columns, path_text
from analyzer.store.output_schemas import CERTIFICATE
from analyzer.store.session_record import json_line
from analyzer.text.chain_text import UNKNOWN_ISSUER, YOUNGER_ROOTS, titles_text, verdict_style
from analyzer.text.escape import harmless
from analyzer.text.formatting import count_text, ranges_text
from analyzer.text.language import noted, say
from analyzer.text.message_summary import day, key_text
from analyzer.text.session_csv import csv_head, csv_line
from analyzer.tls.events import Event, SessionEnded
from analyzer.tls.handshake.certificate_messages import CUT
from analyzer.tls.session import Session
from analyzer.x509.certificate import RAW_PUBLIC_KEY, certificate
from analyzer.x509.details import certificate_details
from analyzer.x509.pem import write_block

if TYPE_CHECKING:
    from analyzer.store.shard import Holes
    from analyzer.store.shards import SharedSession

MAX_CERTIFICATES = 1 << 18
"""The most distinct certificates that are listed: some hundred megabytes. A capture with more is meant to fill the memory."""

MAX_BYTES = 1 << 30
"""The most bytes of all listed certificates together."""

SIDES = ("server", "client")
noted(("valid", "invalid"))  # as verdicts are shown

COLUMNS = (
    Column("subject", 0, limit=44),
    Column("issuer", 3, limit=44),
    Column("from", 4),
    Column("until", 1),
    Column("key", 2),
    Column("signed with", 5),
    Column("problems", 3, limit=40),
    Column("sent by", 6),
    Column("sessions", 2, limit=40),
    Column("SHA-256", 7),
    Column("capture", 8, limit=40),
)

CSV_COLUMNS = columns(
    CERTIFICATE,
    "sha256", "type", "subject", "issuer", "serial", "not_before", "not_after",
    ("subject_alt_names", "subject_alt_names", "; ".join), ("public_key_type", "public_key.type"),
    ("public_key_bits", "public_key.bits"), ("public_key_curve", "public_key.curve"),
    ("public_key_sha256", "public_key.sha256"), "signature_algorithm", "sha1",
    ("sent_by", "sessions", lambda sessions: " ".join(side for side in SIDES if sessions[side])),
    ("sessions", "sessions", lambda sessions: " ".join(map(str, sorted({*sessions["server"], *sessions["client"]})))),
    ("verdicts", "verdicts", " ".join), ("chain_problems", "chain_problems", " ".join), "capture", "frame_in_capture",
)  # fmt: skip


@dataclass(slots=True)
class Sent:
    """Where one certificate was sent.

    first: the lowest session, the side (an index of SIDES) and the place in the list; capture: where the connection of that
    session begins, as in `Flow`. sessions: by side, in the order in which
    they ended. verdicts: of the chains that begin with it. problems: the codes of all that is wrong with it in any chain.
    younger: whether its issuer is unknown only by roots that are years younger than the capture, in all chains in which it is.
    """

    first: tuple[int, int, int]
    capture: tuple[str, int | None] | None
    sessions: "tuple[array[int], array[int]]" = field(default_factory=lambda: (array("q"), array("q")))

    verdicts: set[str] = field(default_factory=set)
    problems: set[str] = field(default_factory=set)
    younger: bool = False

    def by(self) -> list[str]:
        """Return the sides that sent it."""
        return [name for name, sessions in zip(SIDES, self.sessions, strict=True) if sessions]

    def place(self) -> dict[str, Any]:
        """Return the entries `capture` and `frame_in_capture`."""
        path, number = self.capture or (None, None)
        return {"capture": None if path is None else path_text(path), "frame_in_capture": number}


class Listing(SharedListener):
    """Collects certificates, and the problems that were found in them."""

    def __init__(self, chains: Chains) -> None:
        self.chains = chains
        self.sent: dict[bytes, Sent] = {}
        self.dropped = 0
        self._n_bytes = 0

    def take(self, events: Sequence[Event]) -> None:
        """See `Listener.take`."""
        for event in events:
            if isinstance(event, SessionEnded):
                self.add(event.ended, event.ended.flow.capture)

    def take_shared(self, sessions: "Sequence[SharedSession]") -> None:
        """See `SharedListener.take_shared`."""
        for session in sessions:
            self.add(session.as_session(), marshal.loads(session.describe(NO_VERDICTS)))  # noqa: S302 - of a process of our own

    def add(self, session: Session, capture: tuple[str, int | None] | None = None) -> None:
        """Take the certificates that both roles sent in a session. The session has ended.

        capture: where it begins, as in `Flow`.
        """
        for side in range(2):
            chain = session.handshake.certificates[1 - side] or ()
            for place, der in enumerate(chain):
                if der != CUT:
                    self._add(der, (session.id, side, place), capture)
            judged = self.chains.judge(session, 1 - side) if chain else None
            if judged is not None:
                self._add_verdict(chain, judged)
        for role, frame, later in session.log.certificate_changes:
            for place, der in enumerate(later):
                self._add(der, (session.id, 1 - role, frame + place), capture)

    def in_order(self) -> list[tuple[bytes, Sent]]:
        """Return all certificates, in the order of the sessions that sent them first."""
        return sorted(self.sent.items(), key=lambda entry: entry[1].first)

    def _add_verdict(self, chain: Sequence[bytes], judged: ChainVerdict) -> None:
        first, verdict = self.sent.get(chain[0]), judged.verdict
        if first is not None:
            first.verdicts.add(judged.record["verdict"])
        younger = any(note.code == YOUNGER_ROOTS for note in verdict.notes)
        for problem in verdict.problems:
            sent = None if problem.certificate is None else self.sent.get(chain[problem.certificate])
            if sent is not None:
                if problem.code == UNKNOWN_ISSUER:
                    sent.younger = younger and (sent.younger or UNKNOWN_ISSUER not in sent.problems)
                sent.problems.add(problem.code)

    def _add(self, der: bytes, where: tuple[int, int, int], capture: tuple[str, int | None] | None) -> None:
        sent = self.sent.get(der)
        if sent is None:
            if len(self.sent) >= MAX_CERTIFICATES or len(der) > MAX_BYTES - self._n_bytes:
                self.dropped += 1
                return
            self._n_bytes += len(der)
            sent = self.sent[der] = Sent(where, capture)
        if where < sent.first:
            sent.first, sent.capture = where, capture
        sessions = sent.sessions[where[1]]
        if not sessions or sessions[-1] != where[0]:  # a certificate can be twice in one list
            sessions.append(where[0])


def run(options: Namespace, output: Output) -> int:
    """Print the certificates of the captures, and return the exit status."""
    capture_run = CaptureRun(options.captures, output)
    part = capture_run.part = part_of(options)
    keys = read_keys(options, capture_run)
    if options.pem is not None:
        _make_folder(options.pem)
    listing = Listing(read_chains(options))
    shards = make_shards(options, capture_run, keys, _describe, listing.chains, {"fields": False, "watches_revocation": True})
    if shards is not None:
        run_shared(capture_run, shards, listing)
    else:
        engine = Engine(fields=False, watches_revocation=True, **keys)
        capture_run.run(engine, [listing.chains, listing if part is None else PartListener(listing, part, listing.chains)])
    entries = listing.in_order()
    if listing.dropped:
        dropped = count_text(listing.dropped, "certificate")
        complain(say("{certificates} after the first {n:,} are not listed", certificates=dropped, n=len(entries)))
    if options.pem is not None:
        write_files(options.pem, (der for der, _ in entries))
    for one in options.outputs:
        _PRINTERS[one.form](one, entries, options)
        one.flush()
    return capture_run.status()


def _describe(session: Session, holes: "Holes", resumed: bool) -> bytes:
    return marshal.dumps(session.flow.capture)


def write_files(folder: str, ders: Iterable[bytes]) -> None:
    """Write each certificate as `<SHA-256>.pem` into a folder. Files that exist already are not changed.

    Raises CommandError if an existing file is not what would have been written.
    """
    for der in ders:
        read = certificate(der)
        path = os.path.join(folder, f"{read.sha256}.pem")
        text = write_block(der, "PUBLIC KEY" if read.type == RAW_PUBLIC_KEY else "CERTIFICATE")
        try:
            number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        except FileExistsError:
            if not _is_file_with(path, text):
                raise CommandError(f"{path}: is there already, and is another file") from None
            continue
        with os.fdopen(number, "wb") as file:
            file.write(text)


def problems_text(sent: Sent) -> str:
    """Return the problems of a certificate as text."""
    return titles_text(sorted(sent.problems), younger=sent.younger)


def _is_file_with(path: str, text: bytes) -> bool:
    if os.path.islink(path) or not os.path.isfile(path):
        return False
    with open(path, "rb") as file:
        return file.read(len(text) + 1) == text


def _make_folder(path: str) -> None:
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from error


def _record(der: bytes, sent: Sent) -> dict[str, Any]:
    sessions = {side: sorted(sessions) for side, sessions in zip(SIDES, sent.sessions, strict=True)}
    judged = {"verdicts": sorted(sent.verdicts), "chain_problems": sorted(sent.problems)}
    return certificate_details(der) | judged | {"sessions": sessions} | sent.place()


def _print_json(output: Output, entries: list[tuple[bytes, Sent]], _: Namespace) -> None:
    for der, sent in entries:
        output.write(json_line(_record(der, sent)))


def _print_csv(output: Output, entries: list[tuple[bytes, Sent]], _: Namespace) -> None:
    output.head = csv_head(CSV_COLUMNS)
    for der, sent in entries:
        output.write(csv_line(CSV_COLUMNS, _record(der, sent)))


def _print_text(output: Output, entries: list[tuple[bytes, Sent]], options: Namespace) -> None:
    if not entries:
        if part_of(options) is not None:
            output.line(say("no certificates in the part that was chosen"))
        else:
            output.line(say("no certificates: none was sent, or they are encrypted"))
        return
    if options.long:
        for number, (der, sent) in enumerate(entries):
            if number:
                output.line()
            _print_long(output, der, sent)
        return
    table = Table(COLUMNS, output)
    for der, sent in entries:
        table.add(_row(der, sent))
    table.close()


def _print_long(output: Output, der: bytes, sent: Sent) -> None:
    details = certificate_details(der)
    output.line(output.paint(harmless(details["subject"] or details["sha256"]), "bold"))
    for name, sessions in zip(SIDES, sent.sessions, strict=True):
        if sessions:
            print_fact(
                output, "  sent by", say("the {side} in session {sessions}", side=say(name), sessions=ranges_text(sessions))
            )
    if sent.verdicts:
        print_fact(output, "  chain", say(" and ").join(map(say, sorted(sent.verdicts, reverse=True))))
    if sent.problems:
        print_fact(output, "  against it", problems_text(sent), verdict_style(sent.problems, younger=sent.younger))
    print_certificate(output, details)


def _row(der: bytes, sent: Sent) -> list[Cell]:
    record: dict[str, Any] = dict(certificate(der).record())
    raw = record["type"] == RAW_PUBLIC_KEY
    return [
        say("(a raw public key)") if raw else harmless(record["subject"] or say("unreadable")),
        "" if raw else harmless(record["issuer"] or say("unreadable")),
        "" if raw else day(record["not_before"]),
        "" if raw else day(record["not_after"]),
        key_text(record["public_key"]),
        harmless(record["signature_algorithm"] or ""),
        (problems_text(sent), verdict_style(sent.problems, younger=sent.younger)),
        say(" and ").join(map(say, sent.by())),
        ranges_text([*sent.sessions[0], *sent.sessions[1]]),
        record["sha256"],
        capture_cell(sent.place()),
    ]


_PRINTERS = {"text": _print_text, "json": _print_json, "csv": _print_csv}
