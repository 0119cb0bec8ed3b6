"""Prints one traffic at two places compared: clocks, joined sessions and connections, and what is between both places."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from analyzer.analysis.interception import EXCLUDED, POSSIBLE, PROVEN, VERDICTS
from analyzer.cli.compare_page import MOST_ROWS, list_headline, short
from analyzer.cli.files import print_fact
from analyzer.cli.output import Output
from analyzer.cli.table import Cell, Column, Table
from analyzer.text.escape import harmless
from analyzer.text.formatting import count_text, duration_text, endpoint_text, ranges_text, size_text
from analyzer.text.language import Sentences, noted, say
from analyzer.text.punctuation import apart, beside, clauses, listing

SESSIONS = (
    Column("A", 0, right=True, style="bold"),
    Column("B", 0, right=True, style="bold"),
    Column("server name", 1, limit=36, style="cyan"),
    Column("interception", 0),
    Column("joined by", 2),
)

DIFFERING = (
    Column("what differs", 0),
    Column("at A", 0, limit=44),
    Column("at B", 1, limit=44),
    Column("sessions at A", 2, limit=30),
)

SEGMENTS = (
    Column("client at A", 1),
    Column("server at A", 2),
    Column("from", 0),
    Column("lost", 0, right=True),
    Column("bytes", 0, right=True),
    Column("missed by A", 3, right=True),
    Column("by B", 3, right=True),
    Column("unknown", 3, right=True),
    Column("sent again", 4),
    Column("frames of the lost", 5),
)

CHANGES = (
    Column("changed on the way", 0),
    Column("at A", 1, limit=40),
    Column("at B", 1, limit=40),
    Column("connections", 2, right=True),
)

ALONE = (
    Column("protocol", 2),
    Column("client", 0),
    Column("server", 0),
    Column("frame", 1, right=True),
    Column("the other capture", 1),
)

STYLES = {PROVEN: "alarm", POSSIBLE: "yellow", EXCLUDED: "green"}

noted(("proven", "possible", "excluded", "unknown"))  # as VERDICTS are shown

JOINED_BY: Sentences = {
    "client_random": "client random",
    "server_random": "server random",
    "connection": "TCP connection",
    "server_name": "name and time",
}

FACTS: Sentences = {
    "certificate": "certificate",
    "issuer": "issuer",
    "ja4": "JA4",
    "version": "version",
    "cipher_suite": "cipher suite",
    "server_random": "server random",
    "server_hello": "ServerHello (SHA-256)",
    "address": "address",
    "sequence_numbers": "sequence numbers",
    "mss": "MSS",
    "window_scale": "window scale",
    "window": "window of the SYN",
    "sack_permitted": "SACK permitted",
    "timestamps": "timestamps",
    "options": "further options",
    "reset": "RST",
}

_OF_SIDES: Sentences = {"client": "{fact} of the client", "server": "{fact} of the server"}

SIDES: Sentences = {"from_client": "client", "from_server": "server"}

_LOSSES: Sentences = {
    "lost_from_client": "from clients {segments} ({size})",
    "lost_from_server": "from servers {segments} ({size})",
    "missed_a": "{segments} ({size}) missed by the capture of A",
    "missed_b": "{segments} ({size}) missed by the capture of B",
    "unknown_a": "{segments} ({size}) only at A, for an unknown reason",
    "unknown_b": "{segments} ({size}) only at B, for an unknown reason",
}


def print_places(output: Output, record: dict[str, Any]) -> None:
    """Print the record of two places."""
    print_fact(output, "clocks", _clock_text(record["clock"]))
    connections = record["connections"]
    print_fact(output, "in both", clauses(count_text(connections["count"], "connection"), _sessions_text(record)))
    hops = _hops_text(connections["listed"])
    if hops:
        print_fact(output, "path", hops)
    print_fact(output, "interception", *_interception_text(record["interception"]))
    if record["totals"] is not None:
        lost = _lost_text(record["totals"])
    elif connections["count"]:
        lost = say("unknown: no packet with payload is in both"), ""
    else:
        lost = say("unknown: no connection is in both"), ""
    print_fact(output, "lost between", *lost)
    for name, other in (("only_a", "B"), ("only_b", "A")):
        count = record[name]["connections"]["count"]
        if record[name]["covered"] is None:
            note = say("unknown whether {other} was captured then", other=other)
        else:
            note = say("{n} while {other} was captured", n=record[name]["covered"], other=other)
        if record[name]["expected"]:
            note = clauses(note, say("{n} of them between addresses that both have", n=record[name]["expected"]))
        shown = beside(count_text(count, "connection"), note if count else "")
        print_fact(output, say("only at {place}", place=name[-1].upper()), shown, "yellow" if record[name]["expected"] else "")
    _print_sessions(output, record["sessions"])
    _print_segments(output, connections["listed"])
    _print_changes(output, connections["listed"])
    for name, other in (("only_a", "B"), ("only_b", "A")):
        _print_alone(output, record[name]["connections"], say("Only at {place}", place=name[-1].upper()), other)


def _clock_text(clock: dict[str, Any] | None) -> str:
    if clock is None:
        return say("unknown: no packet and no server name is in both")
    duration = _duration(abs(round(clock["offset"] * 1e9)))
    seen = count_text(clock["samples"], "session" if clock["by"] == "names" else "packet")
    if clock["by"] == "names":
        if clock["offset"] < 0:
            return say(
                "B is about {duration} behind A, from {sessions} with the same server names", duration=duration, sessions=seen
            )
        return say(
            "B is about {duration} ahead of A, from {sessions} with the same server names", duration=duration, sessions=seen
        )
    if clock["offset"] < 0:
        parts = [say("B is {duration} behind A, from {packets}", duration=duration, packets=seen)]
    else:
        parts = [say("B is {duration} ahead of A, from {packets}", duration=duration, packets=seen)]
    if clock["uncertainty"] is None:
        parts.append(say("with the delay between A and B in it: only one direction is in both"))
    else:
        parts.append(say("± {duration}", duration=_duration(round(clock["uncertainty"] * 1e9))))
    parts.append(say("spread {duration}", duration=_duration(round(clock["spread"] * 1e9))))
    if clock["drift"] is not None:
        parts.append(say("drift {drift:+.2f} ± {error:.2f} ppm", drift=clock["drift"], error=clock["drift_error"]))
    return clauses(*parts)


def _duration(nanoseconds: int) -> str:
    """Return a duration, with seconds to the microsecond where it is long: an offset of hours is known that exactly."""
    if nanoseconds < 60 * 10**9:
        return duration_text(nanoseconds)
    hours, rest = divmod(nanoseconds, 3600 * 10**9)
    minutes, rest = divmod(rest, 60 * 10**9)
    return f"{hours}:{minutes:02d}:{rest / 1e9:09.6f}"


def _sessions_text(record: dict[str, Any]) -> str:
    sessions = count_text(record["same_client_random"], "TLS session")
    return say("{sessions} with the same client random", sessions=sessions)


def _hops_text(connections: Iterable[dict[str, Any]]) -> str:
    """Return how many routers are between both places, as most connections say."""
    found: Counter[tuple[str, int]] = Counter()
    for one in connections:
        passage = one["from_client"]
        if passage is not None and passage["first"] is not None and None not in (passage["hops_a"], passage["hops_b"]):
            found[passage["first"], abs(passage["hops_a"] - passage["hops_b"])] += 1
    if not found:
        return ""
    (first, hops), _ = found.most_common(1)[0]
    return say("{place} is nearer to the clients, {hops} between", place=first.upper(), hops=count_text(hops, "router"))


def _interception_text(found: dict[str, Any]) -> tuple[str, str]:
    parts = [say("{verdict} for {n}", verdict=say(one), n=count_text(found[one], "session")) for one in VERDICTS if found[one]]
    return (listing(parts), STYLES.get(found["verdict"], "")) if parts else (say("unknown: no session is in both"), "")


def _lost_text(totals: dict[str, Any]) -> tuple[str, str]:
    parts = [
        say(sentence, segments=count_text(totals[name]["segments"], "segment"), size=size_text(totals[name]["bytes"]))
        for name, sentence in _LOSSES.items()
        if totals[name]["segments"]
    ]
    lost = totals["lost_from_client"]["segments"] + totals["lost_from_server"]["segments"]
    return (apart(parts) if parts else say("nothing"), "yellow" if lost else "")


def _print_sessions(output: Output, sessions: dict[str, Any]) -> None:
    if not sessions["count"]:
        return
    list_headline(output, say("TLS sessions"), sessions["count"])
    table = Table(SESSIONS, output, indent=2)
    ranked = sorted(sessions["listed"], key=lambda pair: VERDICTS.index(pair["interception"]))
    for pair in ranked[:MOST_ROWS]:
        verdict = pair["interception"]
        table.add(
            [
                str(pair["a"]),
                str(pair["b"]),
                harmless(pair["server_name"] or ""),
                (say(verdict), STYLES.get(verdict, "")),
                say(JOINED_BY[pair["by"]]),
            ]
        )
    table.close()
    found: dict[tuple[str, str | None, str | None], list[int]] = {}
    for pair in ranked:
        for one in pair["differences"]:
            found.setdefault((one["fact"], one["a"], one["b"]), []).append(pair["a"])
    if not found:
        return
    output.line()
    table = Table(DIFFERING, output, indent=2)
    for (fact, a, b), ids in sorted(found.items(), key=lambda entry: -len(entry[1]))[:MOST_ROWS]:
        table.add([_fact(fact), _value(a), _value(b), ranges_text(ids)])
    table.close()


def _fact(name: str) -> str:
    """Return what differs, in words."""
    side, _, rest = name.partition("_")
    if side in _OF_SIDES and rest in FACTS:
        return say(_OF_SIDES[side], fact=say(FACTS[rest]))
    return say(FACTS[name])


def _value(value: str | None) -> str:
    return say("nothing") if not value else say(value) if value in ("yes", "no") else harmless(short(value))


def _print_segments(output: Output, connections: Iterable[dict[str, Any]]) -> None:
    rows = [(one, side, one[side]) for one in connections for side in SIDES if one[side] is not None]
    named = ("lost", "missed_a", "missed_b", "unknown_a", "unknown_b")
    rows = [row for row in rows if any(row[2][name]["segments"] for name in named)]
    if not rows:
        return
    list_headline(output, say("Segments between A and B"), len(rows))
    table = Table(SEGMENTS, output, indent=2)
    rows.sort(key=lambda row: -row[2]["lost"]["segments"])
    for connection, side, passage in rows[:MOST_ROWS]:
        unknown = passage["unknown_a"]["segments"] + passage["unknown_b"]["segments"]
        lost = passage["lost"]
        resent = ""
        if passage["resent_a"] is not None:
            resent = say("{a} at A, {b} at B", a=passage["resent_a"], b=passage["resent_b"])
        cells: list[Cell] = [_end(connection["client_a"]), _end(connection["server_a"]), say(SIDES[side])]
        cells += [(str(lost["segments"]), "yellow" if lost["segments"] else ""), f"{lost['bytes']:,}"]
        cells += [
            str(passage["missed_a"]["segments"]),
            str(passage["missed_b"]["segments"]),
            str(unknown),
            resent,
            _frames(passage),
        ]
        table.add(cells)
    table.close()


def _frames(passage: dict[str, Any]) -> str:
    """Return the frames of lost segments, which are in the capture of the first place."""
    frames = passage["lost"]["frames"]
    return say("{frames} of {place}", frames=ranges_text(frames), place=passage["first"].upper()) if frames else ""


def _print_changes(output: Output, connections: Iterable[dict[str, Any]]) -> None:
    found: Counter[tuple[str, str | None, str | None]] = Counter()
    for connection in connections:
        for one in connection["changed"]:
            if one["fact"] in ("client", "server"):  # without the ports, which are others in each connection
                found[f"{one['fact']}_address", *(connection[f"{one['fact']}_{place}"]["address"] for place in "ab")] += 1
            elif one["fact"] == "sequence_numbers" or one["fact"].endswith("_reset"):
                found[one["fact"], *(None if one[place] is None else "…" for place in "ab")] += 1
            else:
                found[one["fact"], one["a"], one["b"]] += 1
    if not found:
        return
    list_headline(output, say("Changed between A and B"), len(found))
    table = Table(CHANGES, output, indent=2)
    for (fact, a, b), count in found.most_common(MOST_ROWS):
        table.add([_fact(fact), _value(a), _value(b), str(count)])
    table.close()


def _print_alone(output: Output, alone: dict[str, Any], title: str, other: str) -> None:
    if not alone["count"]:
        return
    list_headline(output, title, alone["count"])
    table = Table(ALONE, output, indent=2)
    covered = {True: say("was running"), False: say("was not running"), None: say("unknown")}
    ranked = sorted(alone["listed"], key=lambda one: (one["covered"] is not True, not one["expected"]))
    for one in ranked[:MOST_ROWS]:
        table.add(
            [
                one["protocol"].upper(),
                _end(one["client"]),
                _end(one["server"]),
                str(one["first_frame"]),
                covered[one["covered"]],
            ]
        )
    table.close()


def _end(end: dict[str, Any]) -> str:
    return endpoint_text(end["address"], end["port"])
