"""Makes the JSON record of the summary, as `output_schemas.SUMMARY` declares it."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from analyzer.analysis.http_totals import HttpTotals, Transfer
from analyzer.analysis.talkers import Talker, talkers
from analyzer.analysis.tally import Tally
from analyzer.capture.capture_reader import CaptureReader
from analyzer.capture.frame_places import FramePlaces
from analyzer.cli.not_examined import records
from analyzer.store.capture_record import capture_record, conversation_record
from analyzer.store.packet_info import place_record
from analyzer.store.part import Part

if TYPE_CHECKING:
    from analyzer.cli.summary import Summary


def summary_record(summary: "Summary", reader: CaptureReader, n: int, part: Part | None = None) -> dict[str, Any]:
    """Return the summary of a run. reader: of its captures. n: how many entries each list has at most.

    part: what it is about; None for all.
    """
    files, places = reader.files, reader.places
    traffic, totals = summary.traffic, summary.totals
    top, n_hosts = talkers(traffic, n)
    return {
        "captures": [capture_record(facts) for facts in files],
        "part": None if part is None else part.record(),
        "packets": traffic.packets,
        "bytes": traffic.n_bytes,
        "protocols": [
            {"depth": share.depth, "protocol": share.label, "packets": share.n_packets, "bytes": share.n_bytes}
            for share in traffic.shares(summary.tls)
        ],
        "conversations": {
            "count": traffic.conversations,
            "top": [conversation_record(one) for one in traffic.top(n, summary.tls)],
        },
        "hosts": {"count": n_hosts, "top": [_host_record(one, totals.names.get(one.address, ())) for one in top]},
        "sessions": {
            "count": totals.n_sessions,
            "established": totals.established[True],
            "not_established": totals.established[False],
            "totals": {name: tally_record(tally, n) for name, tally in totals.tallies.items()},
            "decryption": dict(sorted(summary.decryptions.statuses.items())),
            "reasons": dict(sorted(summary.decryptions.reasons.items())),
            "verdicts": dict(sorted(summary.chain_summary.verdicts.items())),
        },
        "http": _http_record(summary.http, places, n),
        "failures": [_failure_record(failure, places) for failure in summary.failures.listed()],
        "failures_in_all": summary.failures.count,
        "causes": dict(sorted(summary.failures.causes.items())),
        "findings": summary.findings.records(),
        "not_examined": records(summary.not_examined(files)),
    }


def tally_record(tally: Tally, n: int) -> dict[str, Any]:
    """Return the `n` values that occur most, and how many there are."""
    return {
        "count": len(tally),
        "unknown": tally.unknown,
        "beyond": tally.beyond,
        "top": [{"value": value, "count": count} for value, count in tally.first(n)],
    }


def _failure_record(failure: dict[str, Any], places: FramePlaces) -> dict[str, Any]:
    kept = {key: value for key, value in failure.items() if key not in ("session", "outcome")}
    place = place_record(places, failure["first_frame"])
    return kept | place | {"session": failure["session"], "outcome": failure["outcome"]}


def _host_record(one: Talker, names: Iterable[str]) -> dict[str, Any]:
    return {
        "address": one.address,
        "names": list(names),
        "packets_sent": one.packets[0],
        "packets_received": one.packets[1],
        "bytes_sent": one.n_bytes[0],
        "bytes_received": one.n_bytes[1],
        "conversations": one.conversations,
        "peers": one.peers,
    }


def _http_record(http: HttpTotals, places: FramePlaces, n: int) -> dict[str, Any]:
    return {
        "sessions": http.n_sessions,
        "exchanges": http.n_exchanges,
        "requests": http.n_requests,
        "hosts": tally_record(http.hosts, n),
        "methods": tally_record(http.methods, n),
        "statuses": tally_record(http.statuses, n),
        "types": [{"type": name, "count": count, "bytes": http.type_bytes[name]} for name, count in http.types.first(n)],
        "bytes_received": http.received,
        "bytes_sent": http.sent,
        "downloads": [_transfer_record(one, places) for one in http.downloads(n)],
        "uploads": [_transfer_record(one, places) for one in http.uploads(n)],
    }


def _transfer_record(one: Transfer, places: FramePlaces) -> dict[str, Any]:
    return {
        "session": one.session,
        "frame": one.frame,
        **place_record(places, one.frame),
        "method": one.method,
        "url": one.url,
        "type": one.type,
        "size": one.size,
        "sha256": one.sha256,
    }
