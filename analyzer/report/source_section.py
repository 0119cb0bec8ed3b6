"""The appendix of a report: where each number comes from, with the command that gives it again, attachments, and a glossary."""

import shlex
from typing import Any

from analyzer.report.command_lines import command_line, report_line
from analyzer.report.document import Code, Facts, Grid, Line, Paragraph, Section
from analyzer.report.pieces import Record, size
from analyzer.report.sentences import Sentences

_TERMS = (
    "alert", "alpn", "capture", "certificate", "chain", "cipher_suite", "decrypted", "finished", "fingerprint",
    "forward_secrecy", "frame", "gap", "group", "handshake", "ja4", "key_log", "resumption", "revocation", "root", "sct",
    "server_name", "session", "signature", "tls",
)  # fmt: skip


def sources_section(facts: Record, sentences: Sentences) -> Section:
    """Return the section that names the command behind each number."""
    commands: list[tuple[str, str]] = [
        ("report", report_line(facts)),
        ("hashes", " ".join(["sha256sum", "--", *(shlex.quote(one["path"]) for one in facts["evidence"]["inputs"])])),
        ("summary", command_line(facts, "summary", "--format", "json")),
        ("sessions", command_line(facts, "sessions", "--format", "json")),
        ("certificates", command_line(facts, "certificates", "--format", "json")),
        ("inventory", command_line(facts, "inventory", "--format", "json")),
        ("packets", command_line(facts, "packets", "--format", "csv")),
    ]
    rows: list[list[Line]] = [[[sentences.say(f"sources.{key}")], [Code(line)]] for key, line in commands]
    rows.append([[sentences.say("sources.rules")], [Code("analyzer fields --findings")]])
    heads = [sentences.say("sources.number"), sentences.say("sources.command")]
    blocks = (
        Paragraph([sentences.say("sources.lead")]),
        Grid(sentences.say("sources.caption"), heads, rows),
        Paragraph([sentences.say("sources.check")]),
    )
    return Section("sources", [sentences.say("sources.title")], blocks)


def attachments_section(facts: Record, sentences: Sentences) -> Section:
    """Return the section that lists the attached files with their hashes."""
    title = [sentences.say("attachments.title")]
    if not facts["attachments"]:
        return Section("attachments", title, (Paragraph([sentences.say("attachments.nothing")]),))
    rows: list[list[Line]] = [
        [[Code(one["name"])], [attachment_text(one, sentences)], [size(one["size"], sentences)], [Code(one["sha256"])]]
        for one in facts["attachments"]
    ]
    heads = [sentences.say(f"attachments.{key}") for key in ("name", "content", "size", "sha256")]
    blocks: tuple[Any, ...] = (
        Paragraph([sentences.say("attachments.lead")]),
        Grid(sentences.say("attachments.caption"), heads, rows, frozenset({2})),
    )
    return Section("attachments", title, blocks)


def attachment_text(one: Record, sentences: Sentences) -> str:
    """Return the sentence that says what an attached file contains."""
    return sentences.say(f"attachment.{one['description']}")


def glossary_section(facts: Record, sentences: Sentences) -> Section:
    """Return the section with the terms of the report, in the order of the alphabet; in Chinese, of the English terms."""
    rows: list[tuple[str, Line]] = [(sentences.say(f"term.{term}"), [sentences.say(f"glossary.{term}")]) for term in _TERMS]
    if sentences.language == "en":
        rows.sort()
    return Section("glossary", [sentences.say("glossary.title")], (Facts(rows),))
