"""The sections that sum up TLS: versions, cipher suites and results over all sessions, failed connections, certificates."""

from typing import Any

from analyzer.codec.codes import codes
from analyzer.report import plots
from analyzer.report.document import Code, Figure, Grid, Line, Mark, Paragraph, Quoted, Section
from analyzer.report.pieces import (
    Record,
    attachment_of,
    day,
    endpoint,
    frame_span,
    joined,
    key_piece,
    listed,
    moment,
    or_unknown,
    or_unseen,
    session_link,
    share,
    shown_sessions,
    state_mark,
    top,
)
from analyzer.report.sentences import Sentences

SHOWN_COUNTS = 12
SHOWN_FAILED = 50
SHOWN_CERTIFICATES = 50
SHOWN_NAMES = 4

SOON = 30
"""Days before the end of its validity in which a certificate is marked."""

_COUNTED = (
    ("cipher_suites", True),
    ("groups", True),
    ("alpn", True),
    ("decryption", False),
    ("verdicts", False),
    ("signatures", False),
)
"""The counts in tables. Whether their keys are names of a protocol, else they are states."""


def tls_section(facts: Record, sentences: Sentences) -> Section:
    """Return the section with the counts over all sessions."""
    sessions = facts["sessions"]
    title = [sentences.say("tls.title")]
    if not sessions["count"]:
        return Section("tls", title, (Paragraph([sentences.say("front.no_sessions")]),))
    blocks: list[Any] = [Paragraph([sentences.say("tls.lead", n=sessions["count"], established=sessions["established"])])]
    if sessions["versions"]:
        words = sentences.comma.join(
            f"{name}{sentences.colon}{count:,}" for name, count in top(sessions["versions"], SHOWN_COUNTS)[0]
        )
        figure = Figure(
            sentences.say("tls.versions"),
            plots.versions_svg(facts, sentences),
            sentences.say("tls.versions_text", versions=words),
        )
        blocks.append(figure)
    for key, named in _COUNTED:
        if sessions[key]:
            blocks.append(_counts(key, named, sessions, sentences))
    if sessions["reasons"]:
        blocks.append(_reasons(sessions, sentences))
    return Section("tls", title, blocks)


def failed_section(facts: Record, sentences: Sentences) -> Section:
    """Return the section with the connections whose handshake was not completed."""
    n_failed = facts["sessions"]["failed"]
    title = [sentences.say("failed.title")]
    if not n_failed:
        return Section("failed", title, (Paragraph([sentences.say("failed.nothing")]),))
    shown = shown_sessions(facts)
    rows: list[list[Line]] = [
        [
            [session_link(one["session"], shown, sentences)],
            [moment(one["start_time"], sentences, 3, "")],
            [endpoint(one["client"])],
            [endpoint(one["server"])],
            or_unseen(one["server_name"], sentences),
            _cause(one["cause"], sentences),
            _alerts(one, sentences),
            [frame_span(one)],
        ]
        for one in facts["failed"][:SHOWN_FAILED]
    ]
    keys = (
        "head.session", "head.time", "head.client", "head.server", "head.server_name", "failed.cause", "failed.alerts",
        "failed.frames",
    )  # fmt: skip
    heads = [sentences.say(key) for key in keys]
    caption = sentences.say("failed.caption")
    grid = Grid(caption, heads, rows, frozenset(), n_failed - len(rows), attachment_of("sessions.csv", facts))
    return Section("failed", title, (Paragraph([sentences.say("failed.lead", n=n_failed)]), _causes(facts, sentences), grid))


def _cause(code: str, sentences: Sentences) -> Line:
    """Return a cause in a few words. Facts that were changed can have one that does not exist."""
    known = codes("outcome_causes", sentences.language).get(code)
    return [Quoted(code, code=True) if known is None else known.title]


def _causes(facts: Record, sentences: Sentences) -> Grid:
    """Return the causes, those with the most connections first, and what to do about each."""
    known = codes("outcome_causes", sentences.language)
    counts, n_more = top(facts["sessions"]["causes"], SHOWN_COUNTS)
    rows: list[list[Line]] = [
        [_cause(code, sentences), [known[code].advice if code in known else ""], [f"{count:,}"]] for code, count in counts
    ]
    heads = [sentences.say(key) for key in ("failed.cause", "tls.advice", "tls.sessions")]
    return Grid(sentences.say("failed.causes"), heads, rows, frozenset({2}), n_more)


def certificates_section(facts: Record, sentences: Sentences) -> Section:
    """Return the section with every certificate once, those of the earliest sessions first, with its expiry."""
    certificates = facts["certificates"]
    title = [sentences.say("certificates.title")]
    if not certificates:
        return Section("certificates", title, (Paragraph([sentences.say("certificates.nothing")]),))
    rows: list[list[Line]] = [
        [
            [*or_unknown(one["subject"], sentences), *_names(one, sentences)],
            or_unknown(one["issuer"], sentences),
            [day(one["not_before"], sentences), " – ", day(one["not_after"], sentences)],  # noqa: RUF001
            [_expiry(one["expires_in_days"], sentences)],
            [_key(one, sentences)],
            _verdicts(one, sentences),
            [f"{one['sessions']:,}"],
            [Code(one["sha256"])],
        ]
        for one in certificates[:SHOWN_CERTIFICATES]
    ]
    keys = ("subject", "issuer", "validity", "expiry", "key", "verdicts", "sessions", "sha256")
    heads = [sentences.say(f"certificates.{key}") for key in keys]
    caption, n_more = sentences.say("certificates.caption"), len(certificates) - len(rows)
    grid = Grid(caption, heads, rows, frozenset({6}), n_more, attachment_of("certificates.csv", facts))
    return Section("certificates", title, (Paragraph([sentences.say("certificates.lead")]), grid))


def _counts(key: str, named: bool, sessions: Record, sentences: Sentences) -> Grid:
    counts, n_more = top(sessions[key], SHOWN_COUNTS)
    rows: list[list[Line]] = [
        [
            [Quoted(name, code=True) if named else state_mark(name, sentences)],
            [f"{count:,}"],
            [share(count, sessions["count"])],
        ]
        for name, count in counts
    ]
    heads = [sentences.say(f"tls.head.{key}"), sentences.say("tls.sessions"), sentences.say("tls.share")]
    return Grid(sentences.say(f"tls.{key}"), heads, rows, frozenset({1, 2}), n_more)


def _reasons(sessions: Record, sentences: Sentences) -> Grid:
    known = codes("decryption_failures", sentences.language)
    rows: list[list[Line]] = [
        [[known[code].title], [known[code].advice], [f"{count:,}"]] for code, count in top(sessions["reasons"], SHOWN_COUNTS)[0]
    ]
    heads = [sentences.say(f"tls.{key}") for key in ("reason", "advice", "sessions")]
    return Grid(sentences.say("tls.reasons"), heads, rows, frozenset({2}))


def _alerts(one: Record, sentences: Sentences) -> Line:
    alerts = one["alerts"]
    if not alerts:
        return [sentences.say("failed.no_alert")]
    return joined([alert_line(alert, sentences) for alert in alerts[:SHOWN_NAMES]], sentences.semicolon)


def alert_line(alert: Record, sentences: Sentences) -> Line:
    """Return an alert as a line: its level, its name, and who sent it."""
    side = sentences.say(f"side.{alert['from']}")
    if alert["description"] is None:
        return [sentences.say("alert_encrypted", side=side)]
    kind = "bad" if alert["level"] == "fatal" else "plain"
    return sentences.line("alert", description=Mark(f"{alert['level']} {alert['description']}", kind), side=side)


def _names(one: Record, sentences: Sentences) -> Line:
    names = [name for name in one["names"] or () if f"CN={name}" != one["subject"]]
    return [" ", *sentences.line("certificates.also", names=listed(names, SHOWN_NAMES, sentences))] if names else []


def _expiry(days: int | None, sentences: Sentences) -> Mark | str:
    if days is None:
        return sentences.say("unknown")
    if days < 0:
        return Mark(sentences.say("certificates.expired", n=-days), "bad")
    return Mark(sentences.say("certificates.left", n=days), "unsure" if days < SOON else "plain")


def _key(one: Record, sentences: Sentences) -> str | Quoted:
    return sentences.say("unknown") if one["key"] is None else key_piece(one["key"])


def _verdicts(one: Record, sentences: Sentences) -> Line:
    if not one["verdicts"]:
        return [sentences.say("certificates.above")]
    return joined([[state_mark(state, sentences), f" {count:,}"] for state, count in one["verdicts"].items()], sentences.comma)
