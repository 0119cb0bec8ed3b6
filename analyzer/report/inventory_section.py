"""The section with the inventory: servers, clients and their JA4, what is weak, and what resists quantum computers."""

from collections.abc import Mapping, Sequence
from typing import Any

from analyzer.codec.codes import codes
from analyzer.report.document import Code, Facts, Grid, Line, Mark, Paragraph, Quoted, Section
from analyzer.report.pieces import Record, endpoint, joined, listed, moment, session_link, shown_sessions, size
from analyzer.report.sentences import Sentences

SHOWN_ROWS = 50
"""Rows of each table."""

SHOWN_VALUES = 4
"""Values of a cell."""


def inventory_section(facts: Record, sentences: Sentences) -> Section:
    """Return the section."""
    inventory = facts["inventory"]
    title = [sentences.say("inventory.title")]
    if not inventory["sessions"]["count"]:
        return Section("inventory", title, (Paragraph([sentences.say("front.no_sessions")]),))
    counts = inventory["counts"]
    lead = sentences.say(
        "inventory.lead", n=inventory["sessions"]["count"], servers=counts["servers"], clients=counts["clients"]
    )
    blocks: list[Any] = [Paragraph([lead]), _servers(inventory, sentences), _clients(inventory, sentences)]
    if inventory["ja4"]:
        blocks.append(_fingerprints(inventory, sentences))
    blocks += _weak(facts, sentences)
    blocks += _post_quantum(inventory, sentences)
    return Section("inventory", title, blocks)


def _values(counted: Mapping[str, Any], sentences: Sentences, key: str = "value") -> Line:
    return listed([one[key] for one in counted["values"]], SHOWN_VALUES, sentences)


def _heads(keys: Sequence[str], sentences: Sentences) -> list[str]:
    return [sentences.say(f"inventory.{key}") for key in keys]


def _titles(found: Sequence[str], sentences: Sentences) -> Line:
    """Return findings by their titles. Facts that were changed can have a code that does not exist."""
    known = codes("findings", sentences.language)
    return joined([[known[code].title if code in known else Quoted(code, code=True)] for code in found], sentences.comma)


def _servers(inventory: Record, sentences: Sentences) -> Grid:
    rows: list[list[Line]] = [
        [
            [endpoint(one)],
            _values(one["names"], sentences, "server_name"),
            _values(one["versions"], sentences),
            _values(one["cipher_suites"], sentences),
            _values(one["groups"], sentences),
            [_certificates(one["certificates"], sentences)],
            _titles(one["weak"], sentences),
            [f"{one['sessions']:,}"],
            [moment(one["first_seen"], sentences, 0, ""), " – ", moment(one["last_seen"], sentences, 0, "")],  # noqa: RUF001
        ]
        for one in inventory["servers"][:SHOWN_ROWS]
    ]
    keys = ("server", "names", "versions", "suites", "groups", "certificate", "weak", "sessions", "seen")
    n_more = inventory["counts"]["servers"] - len(rows)
    return Grid(sentences.say("inventory.servers"), _heads(keys, sentences), rows, frozenset({7}), n_more)


def _certificates(shown: Record, sentences: Sentences) -> Mark | str:
    """Return whether the certificates of a server were seen; where they cannot be, that is not the same as none."""
    if shown["sent"]:
        return sentences.say("inventory.visible", n=len(shown["sent"]))
    if shown["visible"]:  # beyond the limits of the list
        return sentences.say("inventory.not_listed")
    if shown["not_visible"] or shown["cut"]:
        return Mark(sentences.say("inventory.not_visible"), "unsure")
    return sentences.say("inventory.not_sent")


def _clients(inventory: Record, sentences: Sentences) -> Grid:
    rows: list[list[Line]] = [
        [
            [Quoted(one["address"], code=True)],
            _values(one["ja4"], sentences),
            _offered_versions(one, sentences),
            _groups(one, sentences),
            _values(one["servers"], sentences),
            _titles(one["weak_offers"], sentences),
            [f"{one['sessions']:,}"],
        ]
        for one in inventory["clients"][:SHOWN_ROWS]
    ]
    keys = ("client", "ja4", "offered_versions", "post_quantum_groups", "servers_of", "weak_offers", "sessions")
    n_more = inventory["counts"]["clients"] - len(rows)
    return Grid(sentences.say("inventory.clients"), _heads(keys, sentences), rows, frozenset({6}), n_more)


def _offered_versions(client: Record, sentences: Sentences) -> Line:
    listed_ones, highest = _values(client["versions"], sentences), client["highest_versions"]["values"]
    if not highest:
        return listed_ones or [sentences.say("unknown")]
    up_to = sentences.line("inventory.up_to", versions=_values(client["highest_versions"], sentences))
    return joined([line for line in (listed_ones, up_to) if line], sentences.semicolon)


def _groups(client: Record, sentences: Sentences) -> Line:
    found = _values(client["post_quantum_groups"], sentences)
    return found or [sentences.say("none" if client["hellos"] else "unknown")]


def _fingerprints(inventory: Record, sentences: Sentences) -> Grid:
    rows: list[list[Line]] = [
        [
            [Code(one["ja4"])],
            [f"{one['sessions']:,}"],
            [f"{one['clients']['count']:,}"] if one["clients"]["count"] else [],
            [_rare(one["rare"], sentences)],
            listed(one["clients"]["first"], SHOWN_VALUES, sentences),
        ]
        for one in inventory["ja4"][:SHOWN_ROWS]
    ]
    heads = _heads(("ja4", "sessions", "n_clients", "rare", "hosts"), sentences)
    n_more = inventory["counts"]["ja4"] - len(rows)
    return Grid(sentences.say("inventory.fingerprints"), heads, rows, frozenset({1, 2}), n_more)


def _rare(rare: bool | None, sentences: Sentences) -> Mark | str:
    if rare is None:
        return sentences.say("inventory.too_few")
    return Mark(sentences.say("yes"), "unsure") if rare else sentences.say("no")


def _weak(facts: Record, sentences: Sentences) -> list[Any]:
    inventory = facts["inventory"]
    weak, counts, shown = inventory["weak"], inventory["counts"], shown_sessions(facts)
    if not weak["agreed"]:
        blocks: list[Any] = [Paragraph([sentences.say("inventory.nothing_weak")])]
    else:
        rows: list[list[Line]] = [
            [
                _titles([one["code"]], sentences),
                [endpoint(one["server"])],
                listed(one["names"], SHOWN_VALUES, sentences),
                [f"{one['sessions']:,}"],
                [session_link(one["session"], shown, sentences)],
                [] if one["frame"] is None else [str(one["frame"])],
            ]
            for one in weak["agreed"][:SHOWN_ROWS]
        ]
        heads = _heads(("weak", "server", "names", "sessions", "session", "frame"), sentences)
        n_more = counts["weak_agreed"] - len(rows)
        blocks = [Grid(sentences.say("inventory.agreed"), heads, rows, frozenset({3}), n_more)]
    if weak["certificates"]:
        blocks.append(_weak_certificates(inventory, sentences))
    if weak["offered"]:
        rows = [
            [_titles([one["code"]], sentences), [Quoted(one["client"], code=True)], [f"{one['sessions']:,}"]]
            for one in weak["offered"][:SHOWN_ROWS]
        ]
        heads, n_more = _heads(("weak", "client", "sessions"), sentences), counts["weak_offered"] - len(rows)
        blocks.append(Grid(sentences.say("inventory.offered"), heads, rows, frozenset({2}), n_more))
    return blocks


def _weak_certificates(inventory: Record, sentences: Sentences) -> Grid:
    known = codes("chain_problems", sentences.language)
    rows: list[list[Line]] = [
        [
            [known[one["code"]].title if one["code"] in known else Quoted(one["code"], code=True)],
            listed(one["servers"], SHOWN_VALUES, sentences),
            [Code(one["sha256"])],
        ]
        for one in inventory["weak"]["certificates"][:SHOWN_ROWS]
    ]
    n_more = inventory["counts"]["weak_certificates"] - len(rows)
    heads = _heads(("weak", "servers_of", "sha256"), sentences)
    return Grid(sentences.say("inventory.weak_certificates"), heads, rows, frozenset(), n_more)


def _post_quantum(inventory: Record, sentences: Sentences) -> list[Any]:
    ready = inventory["post_quantum"]
    answers: list[tuple[str, Line]] = [
        (sentences.say(f"inventory.answer.{answer}"), [sentences.say("inventory.n_sessions", n=n)])
        for answer, n in ready["answers"].items()
        if n
    ]
    rows: list[list[Line]] = [
        [[sentences.say(f"inventory.kind.{kind}")], [f"{one['sessions']:,}"], [size(one["bytes"], sentences)]]
        for kind, one in ready["recorded"].items()
        if one["sessions"]
    ]
    blocks: list[Any] = [Paragraph([sentences.say("inventory.post_quantum")]), Facts(answers)]
    if rows:
        heads = _heads(("kind", "sessions", "encrypted"), sentences)
        blocks.append(Grid(sentences.say("inventory.recorded"), heads, rows, frozenset({1, 2})))
    return blocks
