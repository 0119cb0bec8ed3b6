"""`analyzer show`: prints one session in full: its facts, the handshake as a ladder, certificates, what became of it."""

from argparse import Namespace
from collections.abc import Sequence
from typing import Any

from analyzer.analysis.outcome import outcome
from analyzer.analysis.same_server import SameServer
from analyzer.capture.frame_places import FramePlaces
from analyzer.cli.capture_paths import names_of
from analyzer.cli.capture_run import CaptureRun, no_such_session
from analyzer.cli.certificate_text import print_certificate
from analyzer.cli.chain_tree import ChainTree
from analyzer.cli.dns_lines import print_dns
from analyzer.cli.files import print_fact
from analyzer.cli.findings import print_findings
from analyzer.cli.key_files import read_keys
from analyzer.cli.ladder import Ladder
from analyzer.cli.live_rows import exchange_text
from analyzer.cli.message_fields import print_fields
from analyzer.cli.outcome_view import print_outcome
from analyzer.cli.output import CommandError, Output
from analyzer.cli.part_arguments import part_of
from analyzer.cli.part_frames import not_in_part
from analyzer.cli.quic_text import quic_text
from analyzer.cli.resumptions import Resumptions, ech_text
from analyzer.cli.rows import endpoint, owner_text
from analyzer.cli.session_choice import session_number
from analyzer.cli.six_steps_view import print_six_steps
from analyzer.cli.table import wrap
from analyzer.cli.trust_options import read_chains
from analyzer.engine import Engine, Listener
from analyzer.engine.failed_connections import ConnectionFailed
from analyzer.packet.addresses import endpoints
from analyzer.store.chain_verdicts import CLIENT, SERVER, Chains, ChainVerdict
from analyzer.store.session_record import json_line, session_record
from analyzer.text.authentication_text import authenticity_text, decryption_failure_text, decryption_text
from analyzer.text.before_text import before_text
from analyzer.text.escape import harmless
from analyzer.text.formatting import count_text, duration_text, established_text, missing_text, moment_text, problem_text
from analyzer.text.handshake_steps import Steps, camel
from analyzer.text.language import Labelled, Sentences, say
from analyzer.text.punctuation import beside
from analyzer.text.session_csv import alerts_text
from analyzer.tls.events import Event, HandshakeMessage, SessionEnded
from analyzer.tls.handshake.certificate_messages import CUT
from analyzer.tls.handshake.ech_offer import EchOffer
from analyzer.tls.session import Session
from analyzer.tls.session_log import ROLES
from analyzer.x509.details import certificate_details

_ENDED: Sentences = {
    "fin": "closed by both sides",
    "rst": "reset",
    "end": "still open at the end of the capture",
    "closed": "closed by both sides before another session on the same connection",
}

OF_CLOCKS = frozenset({"time_goes_back", "clocks_differ"})
"""Findings after which durations are not shown."""


def run(options: Namespace, output: Output) -> int:
    """Print one session of a capture, and return the exit status."""
    capture_run = CaptureRun(options.captures, output)
    chains = read_chains(options)
    resumptions = Resumptions()
    keys = read_keys(options, capture_run)
    number = session_number(options, output, keys)
    engine = Engine(detailed=True, places=False, watches_revocation=True, watches_failures=True, **keys)
    finder = SessionFinder(number, chains, resumptions)
    capture_run.run(engine, [chains, finder])
    session = finder.session
    if session is None:
        capture_run.status()
        raise CommandError(no_such_session(names_of(options.captures), number, engine.dispatcher.count))
    part = part_of(options)
    if part is not None and not part.has_session(session):
        raise not_in_part(options, session.id)
    for one in options.outputs:
        if one.form == "json":
            one.write(json_line(session_record(session, True, chains)))
        else:
            _print_session(one, session, finder, options, chains, resumptions, capture_run.reader.places)
        one.flush()
    return capture_run.status()


class SessionFinder(Listener):
    """Keeps one session. All sessions are followed, because streams and numbers depend on each other.

    session: the session after it has ended, else None. steps: what happened in it. servers: what became of all connections to
    each server. `chains` and `resumptions` take the sessions that end before it.
    """

    def __init__(self, number: int, chains: Chains, resumptions: Resumptions) -> None:
        self.session: Session | None = None
        self.steps = Steps(number)
        self.servers = SameServer()
        self._number = number
        self._chains = chains
        self._resumptions = resumptions

    def take(self, events: Sequence[Event]) -> None:
        """See `Listener.take`."""
        self.steps.take(events)
        for event in events:
            if isinstance(event, SessionEnded):
                self._end(event.ended)
            elif isinstance(event, ConnectionFailed):
                self.servers.take(endpoints(event.key)[1], event.outcome["result"])

    def _end(self, session: Session) -> None:
        self.servers.take(session.flow.server, outcome(session).result)
        if session.id == self._number:
            self.session = session
            self._chains.freeze_revocation()
        if self.session is None:
            self._chains.add_certificates(session)
            self._resumptions.take(session)


def _print_session(
    output: Output,
    session: Session,
    finder: SessionFinder,
    options: Namespace,
    chains: Chains,
    resumptions: Resumptions,
    places: FramePlaces,
) -> None:
    record, steps = session_record(session, False, chains), finder.steps
    resumed = resumptions.text(record)
    _print_head(output, session, record, places, resumed)
    if options.explain:
        judged = chains.judge(session, SERVER) if session.handshake.certificates[SERVER] else None
        print_six_steps(output, session, record, steps.rungs(session), judged, resumed)
    output.line()
    output.line(output.paint(say("Handshake"), "bold"))
    output.line()
    Ladder(output, session, options.terse).print(steps.rungs(session))
    if steps.dropped:
        output.line(output.paint("  " + say("and {further}", further=count_text(steps.dropped, "further step")), "dim"))
    print_findings(output, record)
    _print_http(output, record["http"])
    print_dns(output, record["dns"])
    for role in (SERVER, CLIENT):
        ders = session.handshake.certificates[role]
        if ders:
            _print_certificates(output, role, ders, chains.judge(session, role), chains)
    messages, ech = session.log.messages, session.handshake.hellos.ech
    if messages and options.fields:
        output.line()
        output.line(output.paint(say("Messages"), "bold"))
        for message in messages:
            _print_message(output, message, ROLES[message.role])
            if message is messages[0] and ech is not None and ech.body is not None:
                _print_inner_hello(output, ech)
    print_outcome(output, record["outcome"], finder.servers.of(session.flow.server))


def _print_head(output: Output, session: Session, record: dict[str, Any], places: FramePlaces, resumed: str | None) -> None:
    captures = places.between(session.flow.first_frame, session.flow.last_frame)
    capture = names_of([path for path, _, _ in captures])
    name = say("standard input") if capture == "-" else harmless(capture)
    title = say("TLS session {id} in {name}", id=session.id, name=name)
    if record["protocol"] == "quic":
        title = say("QUIC session {id} in {name}", id=session.id, name=name)
    elif record["protocol"] == "dtls":
        title = say("DTLS session {id} in {name}", id=session.id, name=name)
    for line in wrap(title, output.width):
        output.line(output.paint(line, "bold"))
    flow = session.flow
    span = duration_text(flow.end - flow.start) if 0 <= flow.start <= flow.end else ""
    if any(finding["code"] in OF_CLOCKS for finding in record["findings"]):
        span = say("the clock is wrong: the duration is not known")
    quic = record["quic"]
    told = flow.carrier is not None or (quic is not None and quic["close"] is not None)  # the line QUIC says by whom
    facts: Labelled = {
        "client": endpoint(record["client"]),
        "server": endpoint(record["server"]),
        "inside": None if record["inside"] is None else say("the data of session {id}", id=record["inside"]),
        "before TLS": before_text(record["before"]) or None,
        "process": owner_text(record["process"]) or None,
        "server name": record["server_name"],
        "version": record["version"] or (say("unknown: the capture begins after the handshake") if flow.mid_stream else None),
        "QUIC": quic_text(record["quic"]),
        "cipher suite": record["cipher_suite"] and beside(record["cipher_suite"], f"{record['cipher_suite_id']:#06x}"),
        "group": record["group"],
        "ECH": record["ech"] and ech_text(record["ech"]),
        "ALPN": record["alpn"],
        "established": established_text(record["established"]),
        "resumed": resumed,
        "alerts": alerts_text(record["alerts"]) or None,
        "decryption": decryption_text(record["decryption"], record["protocol"]),
        "gaps": _gaps_text(record["gaps"]),
        "time": beside(say("{first} to {last} UTC", first=moment_text(flow.start), last=moment_text(flow.end)), span),
        "frames": say("{first} to {last}", first=flow.first_frame, last=flow.last_frame),
        "connection": None if told else say(_ENDED.get(flow.closed, flow.closed.replace("_", " "))) or None,
        "JA3": record["ja3"],
        "JA3S": record["ja3s"],
        "JA4": record["ja4"],
    }
    for label, value in facts.items():
        if value is not None:
            style = ("green" if record["established"] else "yellow") if label == "established" else ""
            print_fact(output, label, harmless(value), style)
            if label == "decryption":
                for sentence in decryption_failure_text(record["decryption"]):
                    print_fact(output, "", harmless(sentence), "yellow")
                for number, (sentence, style) in enumerate(authenticity_text(record)):
                    print_fact(output, "" if number else "authenticity", harmless(sentence), style)
            elif label == "frames" and places.several:
                for path, first, last in captures:
                    print_fact(output, "", _place_text(places, path, first, last))


def _place_text(places: FramePlaces, path: str, first: int, last: int) -> str:
    return say(
        "{first} to {last} are {own_first} to {own_last} of {capture}",
        first=first,
        last=last,
        own_first=places.number(first),
        own_last=places.number(last),
        capture=harmless(path),
    )


def _gaps_text(gaps: list[dict[str, Any]]) -> str | None:
    lost = missing_text(gap["length"] for gap in gaps)
    return say("{bytes} in {pieces}", bytes=lost, pieces=count_text(len(gaps), "piece")) if gaps else None


def _print_http(output: Output, exchanges: list[dict[str, Any]]) -> None:
    if not exchanges:
        return
    output.line()
    output.line(output.paint("HTTP", "bold"))
    for exchange in exchanges:
        for line in wrap(exchange_text(exchange), output.width - 2):
            output.line("  " + line)


def _print_certificates(output: Output, role: int, ders: list[bytes], judged: ChainVerdict | None, chains: Chains) -> None:
    output.line()
    output.line(output.paint(say("Certificates of the {side}", side=say(ROLES[role])), "bold"))
    if judged is not None:
        ChainTree(output, chains.stores()).print(judged, ders)
        output.line()
    for number, der in enumerate(ders):
        output.line(output.paint(f"  {number}", "bold"))
        if der == CUT:
            output.line("  " + output.paint(say("certificate cut by the capture"), "yellow"))
        else:
            print_certificate(output, certificate_details(der))


def _print_inner_hello(output: Output, ech: EchOffer) -> None:
    output.line()
    size = count_text(len(ech.hellos[0]), "byte")
    note = say("inside the one above, {size}, {status}", size=size, status=ech.status)
    output.line("  " + output.paint("ClientHelloInner", "bold") + output.paint(f"  {note}", "dim"))
    print_fields(output, ech.body.json(), 4)


def _print_message(output: Output, message: HandshakeMessage, side: str) -> None:
    output.line()
    size = count_text(message.length, "byte")
    note = say("from {side}, frame {frame}, {size}", side=say(side), frame=message.frame, size=size)
    output.line("  " + output.paint(camel(message.name), "bold") + output.paint(f"  {note}", "dim"))
    if message.body is not None:
        fields = message.body.json()
        if fields:
            print_fields(output, fields, 4)
        else:
            output.line("    " + output.paint(say("(no fields)"), "dim"))
    elif message.encrypted or message.raw:
        what = say("encrypted") if message.encrypted else say("no fields are known for this type")
        output.line("    " + output.paint(what, "dim"))
    for problem in message.problems:
        text = problem_text(problem.field, problem.offset, problem.why)
        output.line("    " + output.paint(harmless(say("problem: {problem}", problem=text)), "alarm"))
