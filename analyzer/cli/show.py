"""`analyzer show`: one session in full: its facts, the handshake as a ladder, certificates, every message's fields."""

from argparse import Namespace
from typing import Any

from analyzer.cli.certificate_text import print_certificate
from analyzer.cli.chain_tree import ChainTree
from analyzer.cli.escape import harmless
from analyzer.cli.fields import print_fields
from analyzer.cli.files import print_fact
from analyzer.cli.judging import read_chains
from analyzer.cli.key_files import Keys, read_keys
from analyzer.cli.ladder import Ladder, Steps, camel
from analyzer.cli.output import Output, Refusal
from analyzer.cli.proof_text import authenticity_text, decryption_text, why_not_text
from analyzer.cli.quantities import count_text, duration_text, moment_text, size_text
from analyzer.cli.reading import Reading, no_such_session
from analyzer.cli.resumptions import Resumptions, ech_text
from analyzer.cli.rows import alerts_text, endpoint
from analyzer.cli.table import wrap
from analyzer.engine import Engine
from analyzer.store.chains import CLIENT, SERVER, Chains, Judged
from analyzer.store.record import json_line, session_record
from analyzer.tls.facts import HandshakeMessage
from analyzer.tls.inner_hello import InnerHello
from analyzer.tls.session import Session
from analyzer.x509.details import certificate_details

_ENDED = {"fin": "closed by both sides", "rst": "reset", "end": "still open at the end of the capture"}


def run(options: Namespace, output: Output) -> int:
    """Print one session of a capture; the exit status."""
    reading = Reading([options.capture])
    chains = read_chains(options)
    resumptions = Resumptions()
    steps, session, n_sessions = _read(reading, output, read_keys(options, reading), options.id, chains, resumptions)
    if session is None:
        reading.status()
        raise Refusal(no_such_session(options.capture, options.id, n_sessions))
    if options.format == "json":
        output.write(json_line(session_record(session, True, chains)))
    else:
        _print_session(output, session, steps, options, chains, resumptions)
    output.flush()
    return reading.status()


def _read(
    reading: Reading, output: Output, keys: Keys, number: int, chains: Chains, resumptions: Resumptions
) -> tuple[Steps, Session | None, int]:
    """Follow all sessions, since streams and numbers hang together, and keep one; `chains` learns from those before it."""
    engine = Engine(True, True, *keys, answers=chains.answers)
    steps = Steps(number)
    found: Session | None = None

    def take(session: Session) -> None:
        nonlocal found
        if session.id == number:
            found = session
            chains.settle()
        if found is None:
            chains.learn(session)
            resumptions.take(session)

    for walker in reading.walkers(output):
        engine.run(walker)
        steps.take(engine.trace)
        engine.trace.clear()
        for session in engine.drain():
            take(session)
    engine.close()
    steps.take(engine.trace)
    for session in engine.drain():
        take(session)
    return steps, found, engine.sessions.count


def _print_session(
    output: Output, session: Session, steps: Steps, options: Namespace, chains: Chains, resumptions: Resumptions
) -> None:
    record = session_record(session, False, chains)
    _print_head(output, session, record, options.capture, resumptions.text(record))
    output.line()
    output.line(output.paint("Handshake", "bold"))
    output.line()
    Ladder(output, session, options.terse).print(steps.rungs())
    if steps.dropped:
        output.line(output.paint(f"  and {count_text(steps.dropped, 'further step')}", "dim"))
    _print_http(output, record["http"])
    for role, name in ((SERVER, "server"), (CLIENT, "client")):
        ders = session.certificates[role ^ session.client]
        if ders:
            _print_certificates(output, name, ders, chains.judge(session, role), chains)
    if session.messages:
        output.line()
        output.line(output.paint("Messages", "bold"))
        for message in session.messages:
            _print_message(output, message, ("client", "server")[message.side ^ session.client])
            if message is session.messages[0] and session.ech is not None and session.ech.body is not None:
                _print_inner_hello(output, session.ech)


def _print_head(output: Output, session: Session, record: dict[str, Any], capture: str, resumed: str | None) -> None:
    name = "standard input" if capture == "-" else harmless(capture)
    for line in wrap(f"TLS session {session.id} in {name}", output.width):
        output.line(output.paint(line, "bold"))
    span = f" ({duration_text(session.end - session.at)})" if 0 <= session.at <= session.end else ""
    lost = sum(gap["length"] for gap in record["gaps"])
    facts = {
        "client": endpoint(record["client"]),
        "server": endpoint(record["server"]),
        "server name": record["server_name"],
        "version": record["version"] or ("unknown: the capture begins after the handshake" if session.mid_stream else None),
        "cipher suite": record["cipher_suite"] and f"{record['cipher_suite']} ({record['cipher_suite_id']:#06x})",
        "group": record["group"],
        "ECH": record["ech"] and ech_text(record["ech"]),
        "ALPN": record["alpn"],
        "established": "yes" if record["established"] else "no",
        "resumed": resumed,
        "alerts": alerts_text(record) or None,
        "decryption": decryption_text(record["decryption"]),
        "gaps": f"{count_text(lost, 'byte')} in {count_text(len(record['gaps']), 'piece')}" if lost else None,
        "time": f"{moment_text(session.at)} to {moment_text(session.end)} UTC{span}",
        "frames": f"{session.first_frame} to {session.last_frame}",
        "connection": _ENDED.get(session.closed, session.closed.replace("_", " ")) or None,
        "JA3": record["ja3"],
        "JA3S": record["ja3s"],
        "JA4": record["ja4"],
    }
    for label, value in facts.items():
        if value is not None:
            style = {"yes": "green", "no": "yellow"}.get(value, "") if label == "established" else ""
            print_fact(output, label, harmless(value), style)
            if label == "decryption":
                for sentence in why_not_text(record["decryption"]):
                    print_fact(output, "", harmless(sentence), "yellow")
                for number, (sentence, style) in enumerate(authenticity_text(record)):
                    print_fact(output, "" if number else "authenticity", harmless(sentence), style)


def _print_http(output: Output, exchanges: list[dict[str, Any]]) -> None:
    if not exchanges:
        return
    output.line()
    output.line(output.paint("HTTP", "bold"))
    for exchange in exchanges:
        request, response = exchange["request"] or {}, exchange["response"] or {}
        asked = f"{request.get('method')} {request.get('scheme')}://{request.get('authority')}{request.get('path')}"
        length = response.get("body_length")
        answer = (
            f"{response.get('status')}{'' if length is None else f', {size_text(length)}'}" if response else "no answer seen"
        )
        for line in wrap(f"{harmless(asked)}  {answer}", output.width - 2):
            output.line("  " + line)


def _print_certificates(output: Output, side: str, ders: list[bytes], judged: Judged | None, chains: Chains) -> None:
    output.line()
    output.line(output.paint(f"Certificates of the {side}", "bold"))
    if judged is not None:
        ChainTree(output, chains.stores()).print(judged, ders)
        output.line()
    for number, der in enumerate(ders):
        output.line(output.paint(f"  {number}", "bold"))
        print_certificate(output, certificate_details(der))


def _print_inner_hello(output: Output, ech: InnerHello) -> None:
    output.line()
    note = f"inside the one above, {count_text(len(ech.hellos[0]), 'byte')}, {ech.status}"
    output.line("  " + output.paint("ClientHelloInner", "bold") + output.paint(f"  {note}", "dim"))
    print_fields(output, ech.body.json(), 4)


def _print_message(output: Output, message: HandshakeMessage, side: str) -> None:
    output.line()
    note = f"from {side}, frame {message.frame}, {count_text(message.length, 'byte')}"
    output.line("  " + output.paint(camel(message.name), "bold") + output.paint(f"  {note}", "dim"))
    if message.body is not None:
        fields = message.body.json()
        if fields:
            print_fields(output, fields, 4)
        else:
            output.line("    " + output.paint("(no fields)", "dim"))
    elif message.encrypted or message.raw:
        what = "encrypted" if message.encrypted else "no fields are known for this type"
        output.line("    " + output.paint(what, "dim"))
    for problem in message.problems:
        output.line(
            "    " + output.paint(harmless(f"problem: {problem.field} at byte {problem.offset}: {problem.why}"), "alarm")
        )
