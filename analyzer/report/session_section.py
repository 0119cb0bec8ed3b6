"""The sections of sessions: an overview of all that are shown, and for each its facts, ladder, chains, proofs, and requests."""

from typing import Any

from analyzer.application.request_target import content_type
from analyzer.codec.codes import codes
from analyzer.report.chain_branches import chain_tree, verdict_line
from analyzer.report.command_lines import command_line
from analyzer.report.document import (
    Code,
    Facts,
    Grid,
    Ladder,
    Line,
    Link,
    Mark,
    Note,
    Paragraph,
    Piece,
    Quoted,
    Rung,
    Section,
    Strong,
)
from analyzer.report.fact_texts import explanation_in_language, in_language, parts_in_language, step_line, words_in_language
from analyzer.report.pieces import (
    Record,
    attachment_of,
    duration,
    endpoint,
    finding_anchor,
    frame_span,
    frames_text,
    joined,
    moment,
    or_unknown,
    or_unseen,
    seconds_between,
    session_anchor,
    session_link,
    severity_mark,
    shown_sessions,
    size,
    state_mark,
    yes_no,
)
from analyzer.report.sentences import Sentences
from analyzer.report.tls_section import alert_line

SHOWN_REQUESTS = 50
SHOWN_ALERTS = 10
SHOWN_FINDINGS = 20

_CHECKS = {"green": "good", "alarm": "bad", "red": "bad", "yellow": "unsure"}
"""Kind of the mark for a result of a check, by the style that it has on a terminal."""

_SIGNATURES = {"verified": "good", "failed": "bad", "unverifiable": "unsure"}


def sessions_section(facts: Record, sentences: Sentences) -> Section:
    """Return the section with the overview, and below it one section for each session that is shown."""
    shown, count = facts["sessions"]["shown"], facts["sessions"]["count"]
    title = [sentences.say("sessions.title")]
    if not shown:
        return Section("sessions", title, (Paragraph([sentences.say("front.no_sessions")]),))
    rows: list[list[Line]] = [
        [
            [Link(str(record["id"]), session_anchor(record["id"]))],
            [moment(record["start_time"], sentences, 3, "")],
            [endpoint(record["client"])],
            [endpoint(record["server"])],
            or_unseen(record["server_name"], sentences),
            [record["version"] or sentences.say("unknown")],
            [_established(record, sentences)],
            [state_mark(record["chain"]["verdict"], sentences)],
            [state_mark(record["decryption"]["status"], sentences)],
        ]
        for record in shown
    ]
    keys = (
        "head.number",
        "head.time",
        "head.client",
        "head.server",
        "head.server_name",
        "session.version",
        "session.handshake",
        "session.chain",
        "session.content",
    )
    heads = [sentences.say(key) for key in keys]
    attachment = attachment_of("sessions.csv", facts)
    grid = Grid(sentences.say("sessions.caption"), heads, rows, frozenset({0}), count - len(rows), attachment)
    lead = Paragraph([sentences.say("sessions.lead", n=count, shown=len(shown))])
    return Section("sessions", title, (lead, grid), [session_section(record, facts, sentences) for record in shown])


def session_section(record: Record, facts: Record, sentences: Sentences) -> Section:
    """Return the section of one session."""
    say = sentences.say
    blocks: list[Any] = [_facts(record, facts, sentences)]
    blocks += [Note(line, kind) for line, kind in _statements(record, sentences)]
    if record["findings"]:
        blocks += _findings(record, sentences)
    if record["steps"]:
        blocks.append(_ladder(record, sentences))
    for side, key in (("server", "chain"), ("client", "client_chain")):
        chain, sent = record[key], record["certificates"][side]
        if chain["verdict"] != "absent":
            blocks += [
                Paragraph([Strong(say(f"session.certificates_{side}")), " ", *verdict_line(chain, sentences)]),
                chain_tree(chain, sent or (), say(f"session.tree_{side}"), sentences),
            ]
    if record["http"]:
        blocks.append(_requests(record["http"], facts, sentences))
    blocks.append(Paragraph([say("session.reproduce"), " ", Code(_show_line(record, facts))]))
    title: list[Piece] = [say("session.title", session=record["id"])]
    if record["server_name"]:
        title += [sentences.colon, Quoted(record["server_name"])]
    return Section(session_anchor(record["id"]), title, blocks)


def _facts(record: Record, facts: Record, sentences: Sentences) -> Facts:
    say = sentences.say
    span = duration(seconds_between(record["start_time"], record["end_time"]), sentences)
    suite: Line = [say("unknown")]
    if record["cipher_suite"]:
        suite = [Quoted(record["cipher_suite"], code=True), *sentences.aside(f"0x{record['cipher_suite_id']:04x}")]
    rows: list[tuple[str, Line]] = [
        (say("head.client"), [endpoint(record["client"])]),
        (say("head.server"), [endpoint(record["server"])]),
        (say("head.server_name"), or_unseen(record["server_name"], sentences)),
        (
            say("session.time"),
            [
                say(
                    "session.span",
                    first=moment(record["start_time"], sentences),
                    last=moment(record["end_time"], sentences),
                    duration=span,
                )
            ],
        ),
        (say("session.frames"), [frame_span(record)]),
        (say("session.version"), [record["version"] or say("unknown")]),
        (say("tls.head.cipher_suites"), suite),
        (say("tls.head.groups"), or_unseen(record["group"], sentences)),
        (say("session.alpn"), or_unseen(record["alpn"], sentences)),
        (say("session.handshake"), [_established(record, sentences)]),
        (say("session.resumed"), _resumed(record, facts, sentences)),
    ]
    if record["ech"] is not None:
        rows.append((say("session.ech"), [say(f"ech.{record['ech']['status']}")]))
    alerts = record["alerts"]
    if alerts:
        rows.append(
            (
                say("failed.alerts"),
                joined([alert_line(alert, sentences) for alert in alerts[:SHOWN_ALERTS]], sentences.semicolon),
            )
        )
    gaps = record["gaps"]
    lost = sum(gap["length"] or 0 for gap in gaps)
    if any(gap["length"] is None for gap in gaps):
        rows.append((say("session.gaps"), [Mark(say("session.gaps_unknown", n=len(gaps)), "unsure")]))
    elif gaps:
        rows.append((say("session.gaps"), [Mark(say("session.gaps_value", n=lost, pieces=len(gaps)), "unsure")]))
    process = record["process"]
    if process is not None:
        words = [part for part in (process["name"], process["user"], process["container"]) if part]
        rows.append((say("session.process"), joined([[Quoted(word)] for word in words], sentences.comma) or [say("unknown")]))
    rows += [(key.upper(), [Quoted(record[key], code=True)]) for key in ("ja3", "ja3s", "ja4") if record[key]]
    return Facts(rows)


def _established(record: Record, sentences: Sentences) -> Mark:
    if record["established"]:
        return Mark(sentences.say("state.established"), "good")
    if record["established"] is None:
        return Mark(sentences.say("state.unknown"), "unsure")
    refused = any(alert["level"] == "fatal" for alert in record["alerts"])
    return Mark(sentences.say("state.not_established"), "bad" if refused else "unsure")


def _resumed(record: Record, facts: Record, sentences: Sentences) -> Line:
    if not record["resumed"]:
        return [yes_no(record["resumed"], sentences)]
    how = sentences.say(f"resumption.{record['resumption']}") if record["resumption"] else sentences.say("unknown")
    before = record["resumes"]
    if before is None:
        return [sentences.say("session.resumed_by", how=how)]
    return sentences.line("session.resumes", how=how, session=session_link(before, shown_sessions(facts), sentences))


def _statements(record: Record, sentences: Sentences) -> list[tuple[Line, str]]:
    """Return what was proved of the handshake, and what was decrypted, each with the kind of its note."""
    made: list[tuple[Line, str]] = []
    authenticity = record["authenticity"]
    server, client = authenticity["server_signature"], authenticity["client_signature"]
    for side, state in (("server", server), ("client", client)):
        if state in _SIGNATURES:
            signed = f"{side}_parameters" if side == "server" and not _covers_handshake(record) else side
            made.append(([sentences.say(f"proof.{signed}_{state}")], _SIGNATURES[state]))
    for side in ("client", "server"):
        state = authenticity["finished"][side]
        if state in ("verified", "failed"):
            made.append(([sentences.say(f"proof.finished_{side}_{state}")], _SIGNATURES[state]))
    if not made:
        made.append(([sentences.say("proof.nothing")], "plain"))
    if authenticity["detail"]:
        made.append((sentences.line("proof.detail", detail=parts_in_language(authenticity["detail"], sentences)), "plain"))
    made.append(_decryption(record["decryption"], sentences))
    return made


def _covers_handshake(record: Record) -> bool:
    """Return whether the server's signature covers the handshake (RFC 9846 section 4.4.3), and not only its key exchange and
    the random values (RFC 5246 section 7.4.3)."""
    return str(record["version"]).startswith("TLS 1.3")


def _decryption(decryption: Record, sentences: Sentences) -> tuple[Line, str]:
    status = decryption["status"]
    line = sentences.line(
        f"decryption.{status}",
        n=decryption["records"],
        failed=decryption["failed"],
        client=size(decryption["bytes"]["client"], sentences),
        server=size(decryption["bytes"]["server"], sentences),
    )
    if decryption["reason"] is not None:
        reason = codes("decryption_failures", sentences.language)[decryption["reason"]]
        general = codes("decryption_failures")[decryption["reason"]].advice
        advice = decryption["advice"]
        advised = reason.advice if advice in (None, general) else words_in_language(advice, sentences)
        line = [*line, sentences.gap, *sentences.line("decryption.reason", reason=reason.title, advice=advised)]
        if decryption["detail"] and decryption["detail"] != codes("decryption_failures")[decryption["reason"]].title:
            detail = in_language(decryption["detail"], sentences)
            line = [*line, sentences.gap, *sentences.line("proof.detail", detail=detail)]
    return line, {"decrypted": "good", "partial": "unsure"}.get(status, "plain")


def _findings(record: Record, sentences: Sentences) -> list[Any]:
    known = codes("findings", sentences.language)
    findings = record["findings"][:SHOWN_FINDINGS]
    rows: list[list[Line]] = [
        [
            [severity_mark(one["severity"], sentences)],
            [Link(known[one["code"]].title, finding_anchor(one))],
            [frames_text(one["frames"], sentences) if one["frames"] else ""],
            in_language(one["detail"], sentences),
        ]
        for one in findings
    ]
    heads = [sentences.say(key) for key in ("findings.severity", "findings.kind", "findings.frames", "findings.fact")]
    n_more = len(record["findings"]) - len(rows)
    return [Grid(sentences.say("session.findings"), heads, rows, frozenset(), n_more)]


def _ladder(record: Record, sentences: Sentences) -> Ladder:
    rungs = [_rung(step, record, sentences) for step in record["steps"]]
    return Ladder(sentences.say("session.ladder"), [endpoint(record["client"])], [endpoint(record["server"])], rungs)


def _rung(step: Record, record: Record, sentences: Sentences) -> Rung:
    time = seconds_between(record["start_time"], step["time"])
    shown = "" if time is None else f"{time:+.3f} s" if abs(time) >= 1 else f"{time * 1000:+.3f} ms"
    kind, title = _rung_title(step, sentences)
    lines: list[tuple[str, Line]] = [step_line(str(label), str(value), sentences) for label, value in step["lines"]]
    if step["check"] is not None:
        check = step["check"]
        lines.append(
            (
                sentences.say("session.check"),
                [Mark(words_in_language(check["text"], sentences), _CHECKS.get(check["style"], "plain"))],
            )
        )
    lines += [
        (sentences.say("session.problem"), [Mark(sentences.say("session.malformed"), "bad"), " ", Quoted(text)])
        for text in step["problems"]
    ]
    side = "note" if step["from"] == "none" else str(step["from"])
    if step["kind"] in ("finding", "gap"):
        side = "note"
    return Rung(shown, step["frame"], side, title, kind, lines, explanation_in_language(step["explanation"], sentences))


def _rung_title(step: Record, sentences: Sentences) -> tuple[str, Line]:
    if step["kind"] == "finding":
        return step["severity"], [
            severity_mark(step["severity"], sentences),
            " ",
            *in_language(step["title"], sentences),
        ]
    if step["kind"] == "gap":
        side = sentences.say(f"side.{step['from']}")
        return "unsure", sentences.line("session.gap", size=in_language(step["title"], sentences), side=side)
    kind = "bad" if step["fatal"] or step["problems"] else "plain"
    return kind, in_language(step["title"], sentences)


def _requests(exchanges: list[Record], facts: Record, sentences: Sentences) -> Grid:
    rows: list[list[Line]] = [_request(one, sentences) for one in exchanges[:SHOWN_REQUESTS]]
    heads = [
        sentences.say(key) for key in ("head.frame", "http.method", "http.address", "http.status", "http.type", "http.size")
    ]
    n_more = len(exchanges) - len(rows)
    return Grid(sentences.say("http.caption"), heads, rows, frozenset({0, 5}), n_more, attachment_of("requests.csv", facts))


def _request(exchange: Record, sentences: Sentences) -> list[Line]:
    request, response = exchange["request"], exchange["response"]
    unseen = sentences.say("http.unseen")
    frame = (request or response or {}).get("frame")
    asked: list[Line] = [[unseen], [unseen]]
    if request is not None:
        url = f"{request['scheme'] or '?'}://{request['authority'] or '?'}{request['path'] or ''}"
        asked = [or_unknown(request["method"], sentences, code=True), [Quoted(url)]]
    if response is None:
        return [[str(frame)], *asked, [unseen], [], []]
    status, length, kind = response["status"], response["body_length"], content_type(response["headers"])
    return [
        [str(frame)],
        *asked,
        [sentences.say("unknown") if status is None else str(status)],
        [Quoted(kind)] if kind else [],
        [sentences.say("unknown") if length is None else size(length, sentences)],
    ]


def _show_line(record: Record, facts: Record) -> str:
    """Return the command that shows this session; `show` takes one capture, with several it is a row of `sessions`."""
    if len(facts["evidence"]["inputs"]) == 1:
        return command_line(facts, "show", str(record["id"]))
    return command_line(facts, "sessions", "--format", "json")
