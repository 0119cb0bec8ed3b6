"""Prints an inventory: all of its parts in short, or those that were chosen in full."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from analyzer.analysis.tally import MOST_VALUES
from analyzer.cli.files import print_fact
from analyzer.cli.inventory_arguments import CERTIFICATES, CLIENTS, JA4, POST_QUANTUM, SERVERS, TABLES, WEAK
from analyzer.cli.inventory_weakness_text import print_weak
from analyzer.cli.output import Output
from analyzer.cli.page import TIMES, dim_line, further_values, headline, print_items
from analyzer.cli.rows import clock, endpoint
from analyzer.cli.table import Cell, Column, Table, wrap
from analyzer.store.seen_certificates import EXPIRED, EXPIRING, NOT_YET_VALID, STATES, VALID
from analyzer.text.authentication_text import problem_title
from analyzer.text.escape import harmless
from analyzer.text.formatting import count_text, size_text
from analyzer.text.language import Sentences, say, translated_codes
from analyzer.text.message_summary import day, key_text
from analyzer.text.punctuation import beside, clauses, labelled, listing

SHOWN_ROWS = 5
"""Rows of each part where all of them are shown."""

SHOWN_VALUES = 3
"""Values of a cell."""

LAST_RANK = 5
"""The last rank of columns that are shown where all parts are."""

_SERVERS = (
    Column("server", 0, limit=47, style="bold"),
    Column("names", 1, limit=36, style="cyan"),
    Column("versions", 2),
    Column("certificate", 3, limit=36),
    Column("sessions", 4, right=True),
    Column("weak or legacy", 5, limit=60),
    Column("cipher suites", 6, limit=90),
    Column("groups", 7, limit=60),
    Column("ALPN", 8, limit=30),
    Column("signed with", 9, limit=60),
    Column("first seen", 10),
    Column("last seen", 11),
)

_CLIENTS = (
    Column("client", 0, limit=39, style="bold"),
    Column("sessions", 2, right=True),
    Column("offers", 3, limit=40),
    Column("post-quantum", 4, limit=40),
    Column("JA4", 1, limit=80),
    Column("servers", 5, limit=60),
    Column("weak offers", 6, limit=80),
    Column("first seen", 7),
    Column("last seen", 8),
)

_CERTIFICATES = (
    Column("expires", 0),
    Column("state", 1, limit=30),
    Column("subject", 2, limit=44),
    Column("served by", 3, limit=50),
    Column("issuer", 6, limit=44),
    Column("valid from", 7),
    Column("key", 8),
    Column("signed with", 9),
    Column("problems", 5, limit=40),
    Column("last served", 4),
    Column("sent", 10, right=True),
    Column("SHA-256", 11),
)

_JA4 = (
    Column("JA4", 0, style="bold"),
    Column("sessions", 1, right=True),
    Column("clients", 2, right=True),
    Column("rare", 3),
    Column("hosts", 4, limit=90),
)

_POST_QUANTUM = (
    Column("server", 0, limit=47, style="bold"),
    Column("names", 3, limit=36, style="cyan"),
    Column("groups", 4, limit=40),
    Column("accepted", 1, right=True),
    Column("refused", 1, right=True),
    Column("not offered", 1, right=True),
    Column("unknown", 1, right=True),
    Column("open later", 2, right=True),
)

_STATES: Sentences = {
    "valid": "valid", "expiring": "expires soon", "expired": "expired", "not_yet_valid": "not yet valid", "unknown": "unknown",
}  # fmt: skip
_STYLES = {EXPIRED: "red", NOT_YET_VALID: "red", EXPIRING: "yellow", VALID: "green"}

_ANSWERS: Sentences = {
    "accepted": "accepted by the server", "refused": "offered, and refused by the server",
    "not_offered": "not offered by the client", "unknown": "not known: a hello or the key exchange is not in the capture",
}  # fmt: skip

_KINDS: Sentences = {
    "hybrid": "ML-KEM and a curve", "post_quantum": "ML-KEM alone", "classical": "classical alone",
    "classical_with_psk": "classical, resumed or with a pre-shared key",
    "psk": "a pre-shared key, with nothing or RSA or DH beside it",
    "plaintext": "not encrypted", "unknown": "not known",
}  # fmt: skip

_HEADS: Sentences = {
    SERVERS: "Servers", CLIENTS: "Clients", CERTIFICATES: "Certificates", JA4: "JA4 fingerprints", WEAK: "Weak and legacy",
    POST_QUANTUM: "Post-quantum readiness",
}  # fmt: skip


def print_inventory(output: Output, record: dict[str, Any], chosen: Sequence[str], expiring: bool) -> None:
    """Print an inventory record. chosen: the parts in full, none for all in short. expiring: leave out what stays valid."""
    _print_whole(output, record)
    if not chosen:
        _print_protocols(output, record)
    for name in chosen or TABLES:
        _PRINTERS[name](output, record, MOST_VALUES if chosen else SHOWN_ROWS, expiring)
    _print_left_out(output, record)


class _Rows:
    """A table that leaves out the columns of higher ranks where it is one of many."""

    def __init__(self, columns: Sequence[Column], output: Output, short: bool) -> None:
        self._places = [place for place, column in enumerate(columns) if not short or column.rank <= LAST_RANK]
        self._table = Table([columns[place] for place in self._places], output, indent=2)

    def add(self, row: Sequence[Cell]) -> None:
        """Take a row of as many cells as there are columns."""
        self._table.add([row[place] for place in self._places])

    def close(self) -> None:
        """Write the rows that are still held."""
        self._table.close()


def values_text(values: Mapping[str, Any], n: int = SHOWN_VALUES, key: str = "value") -> str:
    """Return the first values of a count as a list, harmless, with how many there are more."""
    texts = [harmless(one[key]) for one in values["values"]]
    more = len(texts) - n
    further = say("more") if values["beyond"] else f"+{more}" if more > 0 else ""
    return listing([*texts[:n], *([further] if further else [])])


def _print_whole(output: Output, record: dict[str, Any]) -> None:
    sessions = record["sessions"]
    output.line(output.paint(say("Inventory"), "bold"))
    counts = clauses(
        count_text(sessions["count"], "session"),
        count_text(len(record["servers"]), "server"),
        count_text(len(record["clients"]), "client"),
        count_text(len(record["certificates"]), "certificate"),
    )
    print_fact(output, "contents", counts)
    if sessions["first_seen"] is not None and sessions["last_seen"] is not None:
        first, last = clock(sessions["first_seen"]), clock(sessions["last_seen"])
        print_fact(output, "time", say("{first} to {last} UTC", first=first, last=last))
    part = record["part"]
    if part is not None:
        chosen = [" ".join((f"--{key}", part[key])) for key in ("since", "until") if part[key]]
        hosts = (" ".join(("--host", host)) for host in part["hosts"])
        filtered = [f"-Y {harmless(part['filter'])}"] if part["filter"] is not None else []
        print_fact(output, "part", " ".join([*chosen, *hosts, *filtered]))


def _print_protocols(output: Output, record: dict[str, Any]) -> None:
    for label, tally in record["protocols"].items():
        texts = [f"{harmless(one['value'])} {TIMES}{one['sessions']:,}" for one in tally["values"]]
        if texts:
            further = further_values(max(0, len(texts) - SHOWN_ROWS), tally["beyond"])
            print_items(output, _PROTOCOLS[label], [*texts[:SHOWN_ROWS], *further])


_PROTOCOLS: Sentences = {
    "versions": "versions", "cipher_suites": "cipher suites", "groups": "groups", "alpn": "ALPN",
    "signature_schemes": "signatures",
}  # fmt: skip


def _more(output: Output, n_rows: int, n: int, name: str) -> None:
    """Print how many rows there are beyond those shown."""
    if n_rows > n:
        option = f"--{name.replace('_', '-')}"
        dim_line(output, say("and {n:,} more: {option} lists them", n=n_rows - n, option=option))


def _print_servers(output: Output, record: dict[str, Any], n: int, _: bool) -> None:
    servers = record["servers"]
    headline(output, say(_HEADS[SERVERS]), f"{len(servers):,}")
    known = {one["sha256"]: one for one in record["certificates"]}
    table = _Rows(_SERVERS, output, n == SHOWN_ROWS)
    for one in servers[:n]:
        table.add(
            [
                endpoint(one),
                values_text(one["names"], key="server_name"),
                values_text(one["versions"]),
                _certificate_cell(one["certificates"], known),
                f"{one['sessions']:,}",
                (listing(translated_codes("findings")[code].title for code in one["weak"]), "yellow"),
                values_text(one["cipher_suites"]),
                values_text(one["groups"]),
                values_text(one["alpn"]),
                values_text(one["signature_schemes"]),
                clock(one["first_seen"]),
                clock(one["last_seen"]),
            ]
        )
    table.close()
    _more(output, len(servers), n, SERVERS)


def _certificate_cell(sent: dict[str, Any], known: Mapping[str, dict[str, Any]]) -> Cell:
    """Return how the certificate of a server stands; where none was seen, whether that means that there was none."""
    found = [known[one["sha256"]] for one in sent["sent"] if one["sha256"] in known]
    if not found:
        if sent["visible"]:
            return say("sent, not listed"), "dim"
        if sent["not_visible"]:
            return say("not visible"), "dim"
        return (say("cut by the capture"), "dim") if sent["cut"] else (say("none sent"), "dim")
    worst = min(found, key=lambda one: (_WORST.index(one["state"]), one["not_after"] or ""))
    text = clauses(say(_STATES[worst["state"]]), say("until {day}", day=day(worst["not_after"])))
    more = say("{n} others", n=len(found) - 1) if len(found) > 1 else ""
    return beside(text, more), _STYLES.get(worst["state"], "")


_WORST = (EXPIRED, NOT_YET_VALID, EXPIRING, *STATES)


def _print_clients(output: Output, record: dict[str, Any], n: int, _: bool) -> None:
    clients = record["clients"]
    headline(output, say(_HEADS[CLIENTS]), f"{len(clients):,}")
    table = _Rows(_CLIENTS, output, n == SHOWN_ROWS)
    for one in clients[:n]:
        highest = one["highest_versions"]
        groups = values_text(one["post_quantum_groups"])
        table.add(
            [
                one["address"],
                f"{one['sessions']:,}",
                clauses(
                    values_text(one["versions"], 4),
                    say("up to {versions}", versions=values_text(highest)) if highest["values"] else "",
                )
                or say("not known"),
                groups or ((say("none offered"), "dim") if one["hellos"] else (say("not known"), "dim")),
                _fingerprints_text(one),
                values_text(one["servers"]),
                listing(translated_codes("findings")[code].title for code in one["weak_offers"]),
                clock(one["first_seen"]),
                clock(one["last_seen"]),
            ]
        )
    table.close()
    _more(output, len(clients), n, CLIENTS)


def _fingerprints_text(client: dict[str, Any]) -> str:
    """Return the fingerprints of a client, the rare ones first and marked."""
    rare = [beside(name, say("rare")) for name in client["rare_ja4"]]
    others = [one for one in client["ja4"]["values"] if one["value"] not in client["rare_ja4"]]
    return listing([*rare, *filter(None, [values_text(client["ja4"] | {"values": others})])])


def _print_certificates(output: Output, record: dict[str, Any], n: int, expiring: bool) -> None:
    expiry, certificates = record["expiry"], record["certificates"]
    shown = [one for one in certificates if not expiring or one["state"] != VALID]
    counts = [f"{say(_STATES[state])} {expiry[state]:,}" for state in STATES if expiry[state]]
    time, span = clock(expiry["at"]), _span(expiry["within"])
    at = say("at {time} UTC; soon is within {span}", time=time, span=span) if time else say("no packet has a time")
    headline(output, say(_HEADS[CERTIFICATES]), beside(listing(counts) or say("none seen"), at))
    sessions = record["sessions"]["certificates"]
    if sessions["not_visible"]:
        hidden = count_text(sessions["not_visible"], "session")
        dim_line(output, say("not visible in {sessions}: encrypted without keys, or not in the capture", sessions=hidden))
    if expiring and not shown:
        output.line("  " + say("all that were seen stay valid longer"))
    table = _Rows(_CERTIFICATES, output, n == SHOWN_ROWS)
    for one in shown[:n]:
        raw = one["type"] != "x509"
        served = values_text(one["servers"]) or values_text(one["clients"])
        table.add(
            [
                "" if raw else day(one["not_after"]),
                (_state_text(one), _STYLES.get(one["state"], "")),
                say("(a raw public key)") if raw else harmless(one["subject"] or say("unreadable")),
                beside(served, say("above another") if one["role"] == "chain" else ""),
                "" if raw else harmless(one["issuer"] or say("unreadable")),
                "" if raw else day(one["not_before"]),
                key_text(one["public_key"]),
                harmless(one["signature_algorithm"] or ""),
                (listing(problem_title(code) for code in one["problems"]), "yellow"),
                clock(one["last_seen"]),
                f"{one['sessions']:,}",
                one["sha256"],
            ]
        )
    table.close()
    _more(output, len(shown), n, CERTIFICATES)


def _state_text(one: dict[str, Any]) -> str:
    state, days = say(_STATES[one["state"]]), one["days_left"]
    if days is None or one["state"] == NOT_YET_VALID:
        return state
    if one["state"] == EXPIRED:
        return beside(state, say("{days} ago", days=count_text(max(0, -days - 1), "day")))
    return beside(state, say("{days} left", days=count_text(days, "day")))


def _span(seconds: int) -> str:
    days, hours = divmod(seconds // 3_600, 24)
    return clauses(count_text(days, "day") if days else "", count_text(hours, "hour") if hours or not days else "")


def _print_ja4(output: Output, record: dict[str, Any], n: int, _: bool) -> None:
    listed = record["ja4"]
    note = say("the rarest first")
    if listed and listed[0]["rare"] is None:
        note = say("the rarest first; too few sessions to call one rare")
    headline(output, say(_HEADS[JA4]), beside(f"{len(listed):,}", note))
    table = _Rows(_JA4, output, n == SHOWN_ROWS)
    for one in listed[:n]:
        clients = one["clients"]
        hosts = [*clients["first"], *(["…"] if clients["count"] > len(clients["first"]) else [])]
        rare: Cell = (say("yes"), "yellow") if one["rare"] else "" if one["rare"] is None else say("no")
        table.add(
            [one["ja4"], f"{one['sessions']:,}", f"{clients['count']:,}" if clients["count"] else "", rare, listing(hosts)]
        )
    table.close()
    _more(output, len(listed), n, JA4)


def _print_post_quantum(output: Output, record: dict[str, Any], n: int, _: bool) -> None:
    ready = record["post_quantum"]
    headline(output, say(_HEADS[POST_QUANTUM]))
    for answer, count in ready["answers"].items():
        if count:
            print_fact(output, "", labelled(say(_ANSWERS[answer]), count_text(count, "session")))
    groups = [f"{one['value']} {TIMES}{one['sessions']:,}" for one in record["post_quantum_groups"]["values"]]
    if groups:
        print_items(output, "offered", groups)
    lead = say("Recorded today, by key exchange; what is classical can be opened when that is broken:")
    for line in wrap(lead, output.width - 2):
        output.line("  " + line)
    for kind, one in ready["recorded"].items():
        if one["sessions"]:
            amount = clauses(count_text(one["sessions"], "session"), say("{size} encrypted", size=size_text(one["bytes"])))
            print_fact(output, "", labelled(say(_KINDS[kind]), amount), "yellow" if kind == "classical" else "")
    table = _Rows(_POST_QUANTUM, output, n == SHOWN_ROWS)
    for one in record["servers"][:n]:
        of_server = one["post_quantum"]
        answers = [f"{of_server['answers'][name]:,}" if of_server["answers"][name] else "" for name in _ANSWERS]
        later = of_server["openable_later"]
        opened = size_text(later["bytes"]) if later["sessions"] else ""
        table.add(
            [
                endpoint(one),
                values_text(one["names"], key="server_name"),
                values_text(one["groups"]),
                *answers,
                (opened, "yellow"),
            ]
        )
    table.close()
    _more(output, len(record["servers"]), n, POST_QUANTUM)


def _print_left_out(output: Output, record: dict[str, Any]) -> None:
    left_out = record["left_out"]
    told: Iterable[str] = [text.format(n=f"{left_out[key]:,}") for key, text in _left_out_texts().items() if left_out[key]]
    if told:
        output.line()
        print_fact(output, "left out", clauses(*told), "yellow")


def _left_out_texts() -> dict[str, str]:
    return {
        "server_sessions": say("{n} sessions of further servers"),
        "client_sessions": say("{n} sessions of further clients"),
        "certificates": say("{n} sendings of further certificates"),
        "ja4_sessions": say("{n} sessions with further fingerprints"),
    }


_PRINTERS: dict[str, Callable[[Output, dict[str, Any], int, bool], None]] = {
    SERVERS: _print_servers,
    CLIENTS: _print_clients,
    CERTIFICATES: _print_certificates,
    JA4: _print_ja4,
    WEAK: print_weak,
    POST_QUANTUM: _print_post_quantum,
}
