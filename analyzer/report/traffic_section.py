"""The sections on what passed in the captures: timeline, traffic by protocol and conversation, hosts with their names."""

from typing import Any

from analyzer.report import plots
from analyzer.report.document import Figure, Grid, Line, Paragraph, Quoted, Section
from analyzer.report.fact_texts import in_language
from analyzer.report.pieces import (
    Record,
    attachment_of,
    duration,
    endpoint,
    finding_texts,
    listed,
    moment,
    seconds_between,
    session_link,
    severity_mark,
    share,
    shown_sessions,
    size,
)
from analyzer.report.sentences import Sentences

SHOWN_EVENTS = 40
"""Entries of the timeline that have a row in its table."""

SHOWN_CONVERSATIONS = 15
SHOWN_HOSTS = 50
SHOWN_NAMES = 4

DEEPER = "\u203a "
"""Stands before a protocol for each one that carries it."""

_TELLING = ("high", "medium", "low")
"""Severities of entries that come first into the table, if there are too many for all of them; so do those of captures."""


def timeline_section(facts: Record, sentences: Sentences) -> Section:
    """Return the section with what happened when, as a picture and as a table."""
    entries = facts["timeline"]
    title = [sentences.say("timeline.title")]
    if not entries:
        return Section("timeline", title, (Paragraph([sentences.say("timeline.nothing")]),))
    first, last = entries[0]["time"], entries[-1]["time"]
    words = sentences.say(
        "timeline.text",
        n=len(entries),
        first=moment(first, sentences),
        last=moment(last, sentences),
        sessions=facts["sessions"]["count"],
    )
    figure = Figure(sentences.say("timeline.caption"), plots.timeline_svg(facts, sentences), words)
    chosen = _chosen(entries)
    shown = shown_sessions(facts)
    titles = {one["code"]: finding_texts(one, sentences)["title"] for one in facts["findings"]}
    rows: list[list[Line]] = [
        [
            [moment(entry["time"], sentences, 6, "")],
            _event(entry, titles, sentences),
            [session_link(entry["session"], shown, sentences)],
            [sentences.say("unknown") if entry["frame"] is None else str(entry["frame"])],
        ]
        for entry in chosen
    ]
    heads = [sentences.say(key) for key in ("head.time", "timeline.event", "head.session", "head.frame")]
    n_more = len(entries) - len(rows)
    grid = Grid(sentences.say("timeline.table"), heads, rows, frozenset({3}), n_more)
    return Section("timeline", title, (figure, grid))


def traffic_section(facts: Record, sentences: Sentences) -> Section:
    """Return the section with the amounts of traffic: over time, by protocol, by conversation."""
    traffic = facts["traffic"]
    blocks: list[Any] = [
        Paragraph([sentences.say("traffic.lead", n=traffic["packets"], size=size(traffic["bytes"], sentences))])
    ]
    if traffic["series"]["packets"]:
        step = duration(traffic["series"]["step_seconds"], sentences)
        words = sentences.say(
            "traffic.text", n=len(traffic["series"]["packets"]), step=step, most=max(traffic["series"]["bytes"])
        )
        blocks.append(Figure(sentences.say("traffic.caption"), plots.traffic_svg(facts, sentences), words))
    if traffic["protocols"]:
        protocols: list[list[Line]] = [
            [
                [DEEPER * one["depth"], *in_language(one["protocol"], sentences)],
                [f"{one['packets']:,}"],
                [size(one["bytes"], sentences)],
                [share(one["bytes"], traffic["bytes"])],
            ]
            for one in traffic["protocols"]
        ]
        heads = [sentences.say(f"traffic.{key}") for key in ("protocol", "packets", "size", "share")]
        blocks.append(Grid(sentences.say("traffic.protocols"), heads, protocols, frozenset({1, 2, 3})))
    conversations = traffic["conversations"]
    if conversations["count"]:
        blocks.append(_conversations(conversations, sentences))
    return Section("traffic", [sentences.say("traffic.title")], blocks)


def hosts_section(facts: Record, sentences: Sentences) -> Section:
    """Return the section with the hosts, those with the most traffic first, and the names that clients asked them for."""
    shown = facts["hosts"][:SHOWN_HOSTS]
    title = [sentences.say("hosts.title")]
    if not shown:
        return Section("hosts", title, (Paragraph([sentences.say("hosts.nothing")]),))
    rows: list[list[Line]] = [
        [
            [Quoted(one["address"], code=True)],
            listed(one["names"], SHOWN_NAMES, sentences) if one["names"] else [],
            [f"{one['client_sessions']:,}"],
            [f"{one['server_sessions']:,}"],
            [f"{one['packets']:,}"],
            [size(one["bytes_sent"], sentences)],
            [size(one["bytes_received"], sentences)],
        ]
        for one in shown
    ]
    heads = [
        sentences.say(f"hosts.{key}") for key in ("address", "names", "as_client", "as_server", "packets", "sent", "received")
    ]
    n_more = max(0, facts["n_hosts"] - len(rows))
    grid = Grid(
        sentences.say("hosts.caption"), heads, rows, frozenset({2, 3, 4, 5, 6}), n_more, attachment_of("hosts.csv", facts)
    )
    return Section("hosts", title, (Paragraph([sentences.say("hosts.lead")]), grid))


def _chosen(entries: list[Record]) -> list[Record]:
    """Return the entries for the table, in the order of time: all if there are few, else those that tell most."""
    if len(entries) <= SHOWN_EVENTS:
        return entries
    telling = [entry for entry in entries if _is_telling(entry)]
    if len(telling) > SHOWN_EVENTS:
        order = {"high": 0, "medium": 1}
        worst = sorted(telling, key=lambda entry: (entry["session"] is not None, order.get(entry["severity"], 2)))[
            :SHOWN_EVENTS
        ]
        kept = {id(entry) for entry in worst}
        return [entry for entry in telling if id(entry) in kept]
    rest = [entry for entry in entries if not _is_telling(entry)][: SHOWN_EVENTS - len(telling)]
    kept = {id(entry) for entry in (*telling, *rest)}
    return [entry for entry in entries if id(entry) in kept]


def _is_telling(entry: Record) -> bool:
    return entry["severity"] in _TELLING or entry["session"] is None


def _event(entry: Record, titles: Record, sentences: Sentences) -> Line:
    if entry["kind"] == "alert" and entry["code"]:
        return [severity_mark(entry["severity"] or "info", sentences), " ", *in_language(entry["code"], sentences)]
    words: list[Any] = [sentences.say(f"timeline.{entry['kind']}")]
    if entry["kind"] == "finding" and entry["severity"] is not None:
        words = [severity_mark(entry["severity"], sentences), " ", *words]
    if entry["code"]:
        words += [sentences.colon, titles[entry["code"]] if entry["code"] in titles else Quoted(entry["code"])]
    return words


def _conversations(conversations: Record, sentences: Sentences) -> Grid:
    shown = conversations["top"][:SHOWN_CONVERSATIONS]
    rows: list[list[Line]] = [
        [
            in_language(one["carries"] or one["protocol"], sentences),
            [endpoint(one["source"])],
            [endpoint(one["destination"])],
            [f"{one['packets_sent'] + one['packets_answered']:,}"],
            [size(one["bytes_sent"], sentences)],
            [size(one["bytes_answered"], sentences)],
            [duration(seconds_between(one["first_time"], one["last_time"]), sentences)],
        ]
        for one in shown
    ]
    heads = [sentences.say(f"traffic.{key}") for key in ("carries", "from", "to", "packets", "sent", "answered", "lasted")]
    n_more = conversations["count"] - len(rows)
    return Grid(sentences.say("traffic.conversations"), heads, rows, frozenset({3, 4, 5, 6}), n_more)
