"""Prints two captures compared, as tables for people: two places, or two times."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from analyzer.analysis.interception import EXCLUDED, POSSIBLE, PROVEN, VERDICTS
from analyzer.analysis.two_times import CHANGED, GONE, NEW
from analyzer.cli.files import print_fact
from analyzer.cli.output import Output
from analyzer.cli.page import headline
from analyzer.cli.table import Cell, Column, Table
from analyzer.store.compare_modes import PLACES
from analyzer.store.compare_schema import ASKED
from analyzer.text.escape import harmless
from analyzer.text.formatting import count_text, duration_text, endpoint_text, ranges_text, size_text
from analyzer.text.language import Sentences, noted, retold, say
from analyzer.text.punctuation import apart, beside, clauses, listing

MOST_ROWS = 20
"""Rows of each table. JSON and CSV have all."""

SHORT_HASH = 16
"""Characters of a hash that are shown."""

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

DIFFERENCES = (
    Column("", 0),
    Column("what", 0, limit=54, style="cyan"),
    Column("where", 1, limit=30),
    Column("session", 2, right=True),
    Column("frame", 3, right=True),
    Column("detail", 4),
)

STYLES = {PROVEN: "alarm", POSSIBLE: "yellow", EXCLUDED: "green"}
MARKS = {NEW: "+", GONE: "-", CHANGED: "~"}
MARK_STYLES = {NEW: "green", GONE: "red", CHANGED: "yellow"}

noted(("proven", "possible", "excluded", "unknown"))  # as VERDICTS are shown

JOINED_BY: Sentences = {
    "client_random": "client random",
    "server_random": "server random",
    "connection": "TCP connection",
    "server_name": "name and time",
}

WHY: Sentences = {
    "common_connections": "one traffic at two places: both have connections in common",
    "nothing_common": "two times: no connection is in both (--places compares them as two places)",
    PLACES: "one traffic at two places, as asked",
    "times": "two times, as asked",
}

TITLES: Sentences = {
    "finding": "Findings",
    "chain_problem": "Problems of certificate chains",
    "server": "Servers",
    "server_name": "Server names",
    "certificate": "Certificates",
    "version": "Versions",
    "cipher_suite": "Cipher suites",
    "group": "Groups",
    "ja4": "JA4 of clients",
    "protocol": "Protocols",
    "host": "Hosts",
}

FACTS: Sentences = {
    "certificate": "certificate",
    "issuer": "issuer",
    "ja4": "JA4",
    "version": "version",
    "cipher_suite": "cipher suite",
    "server_random": "server random",
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


def print_comparison(output: Output, record: dict[str, Any]) -> None:
    """Print the record of `compare`."""
    why = record["mode"] if record["why"] == ASKED else record["why"]
    output.line(output.paint(say(WHY[why]), "bold"))
    for name in ("a", "b"):
        print_fact(output, name.upper(), _capture_text(record[name]))
    if record["mode"] == PLACES:
        _print_places(output, record)
    else:
        _print_times(output, record["differences"])


def _capture_text(one: dict[str, Any]) -> str:
    files = one["captures"]
    named = files[0] if len(files) == 1 else say("{first} and {n} more", first=files[0], n=len(files) - 1)
    parts = [named, count_text(one["frames"], "frame"), count_text(one["sessions"], "TLS session")]
    if one["first_time"] is not None:
        parts.append(say("from {first} to {last}", first=_moment(one["first_time"]), last=_moment(one["last_time"])))
    left_out = sum(n or 0 for n in one["left_out"].values())
    if left_out:
        parts.append(say("{n:,} beyond the limits are not compared", n=left_out))
    return clauses(*parts)


def _moment(text: str) -> str:
    return f"{text[:10]} {text[11:19]}"


def _print_places(output: Output, record: dict[str, Any]) -> None:
    print_fact(output, "clocks", _clock_text(record["clock"]))
    connections = record["connections"]
    print_fact(output, "in both", clauses(count_text(connections["count"], "connection"), _sessions_text(record)))
    hops = _hops_text(connections["listed"])
    if hops:
        print_fact(output, "path", hops)
    print_fact(output, "interception", *_interception_text(record["interception"]))
    lost = _lost_text(record["totals"]) if connections["count"] else (say("unknown: no connection is in both"), "")
    print_fact(output, "lost between", *lost)
    for name, other in (("only_a", "B"), ("only_b", "A")):
        count = record[name]["connections"]["count"]
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
    n = clock["samples"]
    if clock["by"] == "names":
        if clock["offset"] < 0:
            return say("B is about {duration} behind A, from {n:,} sessions with the same server names", duration=duration, n=n)
        return say("B is about {duration} ahead of A, from {n:,} sessions with the same server names", duration=duration, n=n)
    if clock["offset"] < 0:
        parts = [say("B is {duration} behind A, from {n:,} packets", duration=duration, n=n)]
    else:
        parts = [say("B is {duration} ahead of A, from {n:,} packets", duration=duration, n=n)]
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
    joined = sum(pair["by"] == "client_random" for pair in record["sessions"]["listed"])
    return say("{sessions} with the same client random", sessions=count_text(joined, "TLS session"))


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


_LOSSES: Sentences = {
    "lost_from_client": "from clients {segments} ({size})",
    "lost_from_server": "from servers {segments} ({size})",
    "missed_a": "{segments} ({size}) missed by the capture of A",
    "missed_b": "{segments} ({size}) missed by the capture of B",
    "unknown_a": "{segments} ({size}) only at A, for an unknown reason",
    "unknown_b": "{segments} ({size}) only at B, for an unknown reason",
}


def _print_sessions(output: Output, sessions: dict[str, Any]) -> None:
    if not sessions["count"]:
        return
    _headline(output, say("TLS sessions"), sessions["count"])
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
    return say("nothing") if not value else say(value) if value in ("yes", "no") else harmless(_short(value))


def _short(text: str) -> str:
    """Return a value; of a hash, the beginning."""
    is_hash = len(text) == 64 and all(one in "0123456789abcdef" for one in text)
    return text[:SHORT_HASH] + "…" if is_hash else text


def _print_segments(output: Output, connections: Iterable[dict[str, Any]]) -> None:
    rows = [(one, side, one[side]) for one in connections for side in SIDES if one[side] is not None]
    named = ("lost", "missed_a", "missed_b", "unknown_a", "unknown_b")
    rows = [row for row in rows if any(row[2][name]["segments"] for name in named)]
    if not rows:
        return
    _headline(output, say("Segments between A and B"), len(rows))
    table = Table(SEGMENTS, output, indent=2)
    rows.sort(key=lambda row: -row[2]["lost"]["segments"])
    for connection, side, passage in rows[:MOST_ROWS]:
        unknown = passage["unknown_a"]["segments"] + passage["unknown_b"]["segments"]
        lost = passage["lost"]
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
    _headline(output, say("Changed between A and B"), len(found))
    table = Table(CHANGES, output, indent=2)
    for (fact, a, b), count in found.most_common(MOST_ROWS):
        table.add([_fact(fact), _value(a), _value(b), str(count)])
    table.close()


def _print_alone(output: Output, alone: dict[str, Any], title: str, other: str) -> None:
    if not alone["count"]:
        return
    _headline(output, title, alone["count"])
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


def _print_times(output: Output, differences: dict[str, Any]) -> None:
    listed = differences["listed"]
    counts = Counter(one["change"] for one in listed)
    if not listed:
        print_fact(output, "result", say("no difference"), "green")
        return
    parts = [say("{n:,} new", n=counts[NEW]), say("{n:,} gone", n=counts[GONE]), say("{n:,} changed", n=counts[CHANGED])]
    print_fact(
        output, "result", listing(part for part, change in zip(parts, (NEW, GONE, CHANGED), strict=True) if counts[change])
    )
    for kind, title in TITLES.items():
        rows = [one for one in listed if one["kind"] == kind]
        if rows:
            _headline(output, say(title), len(rows))
            _print_differences(output, rows)
    if any(not one["certain"] for one in listed):
        output.line()
        output.line("  " + say("? the other capture may have it too: certificates of this server are encrypted there"))


def _print_differences(output: Output, rows: Sequence[dict[str, Any]]) -> None:
    table = Table(DIFFERENCES, output, indent=2)
    for one in rows[:MOST_ROWS]:
        mark = MARKS[one["change"]] + ("" if one["certain"] else "?")
        places = ["" if one[name] is None else str(one[name]) for name in ("session", "frame")]
        table.add(
            [(mark, MARK_STYLES[one["change"]]), _what(one), harmless(listing(one["where"])), *places, harmless(_detail(one))]
        )
    table.close()


def _what(one: dict[str, Any]) -> str:
    if one["change"] == CHANGED:
        before, after = (listing(map(_short, one[name])) for name in ("before", "after"))
        return harmless(say("{before} became {after}", before=before, after=after))
    if one["kind"] == "certificate":
        return harmless(one["detail"] or _short(one["value"]))
    return harmless(beside(one["value"], say(one["severity"]) if one["severity"] else ""))


def _detail(one: dict[str, Any]) -> str:
    if one["change"] == CHANGED:
        issuers = [listing(one[name]) for name in ("issuers_before", "issuers_after")]
        return say("issuer: {before}, then {after}", before=issuers[0], after=issuers[1]) if issuers[0] != issuers[1] else ""
    if one["kind"] == "certificate":
        until = say("until {day}", day=str(one["not_after"])[:10]) if one["not_after"] else ""
        return clauses(say("issuer {name}", name=one["issuer"]) if one["issuer"] else "", until, _short(one["value"]))
    return "" if one["kind"] != "finding" else _told(one["detail"])


def _told(detail: str | None) -> str:
    return retold(detail) if detail else ""


def _headline(output: Output, title: str, count: int) -> None:
    more = say("{n:,}; the first {most} are shown, --format json has more", n=count, most=MOST_ROWS)
    headline(output, title, more if count > MOST_ROWS else f"{count:,}")
