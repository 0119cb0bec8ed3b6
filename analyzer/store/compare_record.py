"""Makes the JSON record of two captures compared, as `compare_schema.COMPARE` declares it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from analyzer.analysis.clock_offset import ClockOffset
from analyzer.analysis.connection_trace import ConnectionTrace
from analyzer.analysis.interception import VERDICTS, Difference, PlaceSession, SessionPair, overall
from analyzer.analysis.joined_traces import CLIENT_RANDOM
from analyzer.analysis.lost_between import MAX_FRAMES, Missing, Passage
from analyzer.analysis.two_places import AloneConnection, ComparedConnection, TwoPlaces, compare_places
from analyzer.analysis.two_times import CHANGED, FINDING, GONE, HOST, KINDS, NEW, PROTOCOL, Change, changes
from analyzer.flows.flow import TCP
from analyzer.packet.addresses import endpoints
from analyzer.store.clock import rfc3339
from analyzer.store.compare_modes import PLACES, TIMES
from analyzer.store.compare_schema import ASKED, COMMON, COMPARE, MOST_LISTED, NOTHING_COMMON
from analyzer.store.declaration import empty, path_text
from analyzer.store.place_facts import PlaceFacts

_A, _B = 0, 1


def compare_record(
    facts: Sequence[PlaceFacts], paths: Sequence[Sequence[str]], *, mode: str | None, new_findings: bool = False
) -> dict[str, Any]:
    """Compare two captures, and return the result. paths: of the files of each.

    mode: PLACES or TIMES; None for places if both have a connection in common, else times. new_findings: only findings of the
    second capture that the first one does not have.
    """
    record = empty(COMPARE)
    found = None if mode == TIMES else compare_places(facts[_A].place(), facts[_B].place())
    if mode is None and found is not None and not found.certain:
        found = None
        record["why"] = NOTHING_COMMON
    else:
        record["why"] = COMMON if mode is None else ASKED
    record["mode"] = TIMES if found is None else PLACES
    for name, one, files in zip("ab", facts, paths, strict=True):
        record[name] = _capture_record(one, files, by_packet=found is not None)
    if found is None:
        kinds = (FINDING,) if new_findings else KINDS
        listed = list(changes(facts[_A].sightings, facts[_B].sightings, kinds))
        if new_findings:
            listed = [one for one in listed if one.change == NEW]
        record["different"] = bool(listed)
        counts = Counter((one.kind, one.change) for one in listed)
        record["counts"] = {kind: {change: counts[kind, change] for change in (NEW, GONE, CHANGED)} for kind in KINDS}
        record["differences"] = _counted(map(_change_record, listed[:MOST_LISTED]), len(listed))
    else:
        record["different"] = found.is_different()
        _add_places(record, found)
    return record


def _add_places(record: dict[str, Any], found: TwoPlaces) -> None:
    record["clock"] = None if found.clock is None else _clock_record(found.clock)
    verdicts = [pair.verdict for pair in found.pairs]
    record["interception"] = {"verdict": overall(verdicts)} | {one: verdicts.count(one) for one in VERDICTS}
    record["same_client_random"] = sum(pair.by == CLIENT_RANDOM for pair in found.pairs)
    record["sessions"] = _counted(map(_pair_record, found.pairs[:MOST_LISTED]), len(found.pairs))
    record["connections"] = _counted(map(_connection_record, found.connections[:MOST_LISTED]), len(found.connections))
    record["totals"] = _totals(found.connections)
    for name, alone, sessions in zip(("only_a", "only_b"), found.alone, found.sessions_alone, strict=True):
        unknown = bool(alone) and all(one.covered is None for one in alone)
        record[name] = {
            "connections": _counted(map(_alone_record, alone[:MOST_LISTED]), len(alone)),
            "covered": None if unknown else sum(one.covered is True for one in alone),
            "expected": None if unknown else sum(one.covered is True and one.expected for one in alone),
            "sessions": _counted(map(_session_record, sessions[:MOST_LISTED]), len(sessions)),
        }


def _capture_record(facts: PlaceFacts, paths: Sequence[str], by_packet: bool) -> dict[str, Any]:
    traces = facts.traces if by_packet else None
    return {
        "captures": [path_text(path) for path in paths],
        "frames": facts.traffic.packets,
        "first_time": None if facts.first < 0 else rfc3339(facts.first),
        "last_time": None if facts.last < 0 else rfc3339(facts.last),
        "sessions": facts.sightings.n_sessions,
        "connections": None if traces is None else len(traces.traces),
        "left_out": {
            "sessions": facts.left_out if by_packet else 0,
            "packets": None if traces is None else traces.beyond,
            "segments": None if traces is None else traces.left_out,
            "values": facts.sightings.left_out,
        },
    }


def _clock_record(clock: ClockOffset) -> dict[str, Any]:
    return {
        "offset": _seconds(clock.offset),
        "uncertainty": _seconds(clock.uncertainty),
        "median": _seconds(clock.middle),
        "spread": _seconds(clock.spread),
        "round_trip": _seconds(clock.round_trip),
        "drift": clock.drift,
        "drift_error": clock.drift_error,
        "samples": clock.n_samples,
        "by": clock.by,
    }


def _pair_record(pair: SessionPair) -> dict[str, Any]:
    return {
        "a": pair.a.id,
        "b": pair.b.id,
        "server_name": pair.a.server_name or pair.b.server_name,
        "by": pair.by,
        "interception": pair.verdict,
        "differences": list(map(_difference_record, pair.differences)),
    }


def _session_record(one: PlaceSession) -> dict[str, Any]:
    return {"session": one.id, "server_name": one.server_name, "first_frame": one.frame}


def _difference_record(one: Difference) -> dict[str, Any]:
    return {"fact": one.fact, "a": one.a, "b": one.b}


def _connection_record(one: ComparedConnection) -> dict[str, Any]:
    joined = one.joined
    ends = _ends(joined.a), _ends(joined.b)
    hops = [(a.hops, b.hops) for a, b in zip(joined.a.directions, joined.b.directions, strict=True)]
    seen = one.passages or (None, None)
    passages = [
        _passage_record(passage, *places) if passage is not None and passage.compared else None
        for passage, places in zip(seen, hops, strict=True)
    ]
    return {
        "protocol": "tcp" if joined.a.protocol == TCP else "udp",
        "by": joined.by,
        "client_a": ends[_A][0],
        "server_a": ends[_A][1],
        "client_b": ends[_B][0],
        "server_b": ends[_B][1],
        "frame_a": joined.a.first_frame,
        "frame_b": joined.b.first_frame,
        "changed": list(map(_difference_record, one.changed)),
        "from_client": passages[0],
        "from_server": passages[1],
    }


def _passage_record(one: Passage, hops_a: int, hops_b: int) -> dict[str, Any]:
    return {
        "first": one.first,
        "hops_a": None if hops_a < 0 else hops_a,
        "hops_b": None if hops_b < 0 else hops_b,
        "segments_a": one.segments[_A],
        "segments_b": one.segments[_B],
        "bytes_a": one.n_bytes[_A],
        "bytes_b": one.n_bytes[_B],
        "resent_a": None if one.resent is None else one.resent[_A],
        "resent_b": None if one.resent is None else one.resent[_B],
        "lost": _missing_record([one.lost]),
        "missed_a": _missing_record([one.missed[_A]]),
        "missed_b": _missing_record([one.missed[_B]]),
        "unknown_a": _missing_record([one.unknown[_A]]),
        "unknown_b": _missing_record([one.unknown[_B]]),
    }


def _totals(connections: Iterable[ComparedConnection]) -> dict[str, Any] | None:
    both = [one.passages for one in connections if one.passages is not None and any(seen.compared for seen in one.passages)]
    if not both:
        return None
    return {
        "lost_from_client": _missing_record([passages[0].lost for passages in both]),
        "lost_from_server": _missing_record([passages[1].lost for passages in both]),
        "missed_a": _missing_record([one.missed[_A] for passages in both for one in passages]),
        "missed_b": _missing_record([one.missed[_B] for passages in both for one in passages]),
        "unknown_a": _missing_record([one.unknown[_A] for passages in both for one in passages]),
        "unknown_b": _missing_record([one.unknown[_B] for passages in both for one in passages]),
    }


def _missing_record(listed: Sequence[Missing]) -> dict[str, Any]:
    return {
        "segments": sum(one.segments for one in listed),
        "bytes": sum(one.n_bytes for one in listed),
        "frames": sorted(frame for one in listed for frame in one.frames)[:MAX_FRAMES],
    }


def _alone_record(one: AloneConnection) -> dict[str, Any]:
    client, server = _ends(one.trace)
    return {
        "protocol": "tcp" if one.trace.protocol == TCP else "udp",
        "client": client,
        "server": server,
        "first_frame": one.trace.first_frame,
        "covered": one.covered,
        "expected": one.expected,
    }


def _change_record(one: Change) -> dict[str, Any]:
    seen, about = one.sighting, one.sighting.about
    counted = one.change != CHANGED and one.kind not in (HOST, PROTOCOL)
    return {
        "change": one.change,
        "kind": one.kind,
        "value": one.value,
        "where": seen.where,
        "severity": about.get("severity"),
        "detail": about.get("detail") or about.get("subject"),
        "issuer": about.get("issuer"),
        "not_after": about.get("not_after"),
        "before": list(one.before),
        "after": list(one.after),
        "issuers_before": about.get("issuers_before", []),
        "issuers_after": about.get("issuers_after", []),
        "sessions": seen.count if counted else None,
        "session": seen.session,
        "frame": seen.frame,
        "certain": one.certain,
    }


def _counted(listed: Iterable[dict[str, Any]], count: int) -> dict[str, Any]:
    return {"count": count, "listed": list(listed)}


def _ends(trace: ConnectionTrace) -> list[dict[str, Any]]:
    return [{"address": address, "port": port} for address, port in endpoints(trace.key)]


def _seconds(nanoseconds: int | None) -> Any:
    return None if nanoseconds is None else nanoseconds / 1e9
