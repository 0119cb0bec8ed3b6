"""Puts together the facts of a report: everything that a run has found, as JSON values without a word of any language.

The document, its forms, CASE, STIX and `-o report.json` are made of these facts and of nothing else. The same captures and
options give the same facts.
"""

import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from analyzer import __version__
from analyzer.analysis.traffic import Traffic
from analyzer.capture.frame import Frame
from analyzer.codec.build import build_state
from analyzer.engine.run import Listener
from analyzer.packet.packet import Packet
from analyzer.report.limitations import limitations
from analyzer.report.session_collector import SessionCollector
from analyzer.report.timeline_facts import timeline
from analyzer.report.traffic_series import TrafficSeries
from analyzer.store.capture_record import conversation_record
from analyzer.tls.events import Event

FORMAT = 1
"""Number of the form of the facts. It grows when a key changes its meaning."""

SHOWN_CONVERSATIONS = 25

_LIBRARIES = ("cryptography", "certifi", "brotli", "hpack", "lz4", "zstandard")


class TrafficCounter(Listener):
    """Counts all packets of a run."""

    sees_packets = True

    def __init__(self) -> None:
        self.traffic = Traffic()
        self._count = self.traffic.count

    def packet(self, packet: Packet, frame: Frame, events: Sequence[Event]) -> None:
        """See `Listener.packet`."""
        self._count(packet, frame)


def tool_facts() -> dict[str, Any]:
    """Return which program made the report: its version and build, and the libraries that its results depend on."""
    from cryptography.hazmat.backends.openssl.backend import backend

    libraries = {name: _version_of(name) for name in _LIBRARIES}
    return {
        "name": "analyzer",
        "version": __version__,
        "build": build_state(),
        "python": platform.python_version(),
        "libraries": libraries | {"OpenSSL": backend.openssl_version_text().removeprefix("OpenSSL ")},
    }


def traffic_facts(traffic: Traffic, series: TrafficSeries, tls: set[bytes]) -> dict[str, Any]:
    """Return what was counted of all packets. tls: keys of the TCP conversations with a TLS session."""
    return {
        "packets": traffic.packets,
        "bytes": traffic.n_bytes,
        "malformed": traffic.malformed,
        "uncounted": traffic.uncounted,
        "protocols": [
            {"depth": share.depth, "protocol": share.label, "packets": share.n_packets, "bytes": share.n_bytes}
            for share in traffic.shares(tls)
        ],
        "conversations": {
            "count": traffic.conversations,
            "top": [conversation_record(one) for one in traffic.top(SHOWN_CONVERSATIONS, tls)],
        },
        "series": series.record(),
    }


def session_facts(collected: SessionCollector) -> dict[str, Any]:
    """Return the counts of all sessions, and the records of those that are shown, in the order of their numbers."""
    return {
        "count": collected.n_sessions,
        "established": collected.n_established,
        "failed": collected.n_failed,
        **{key: dict(sorted(counts.items(), key=_most_first)) for key, counts in collected.counts.items()},
        "brief": sorted(collected.brief, key=lambda record: record["id"]),
        "shown": sorted(collected.shown, key=lambda record: record["id"]),
    }


def result_facts(
    evidence: dict[str, Any],
    traffic: Traffic,
    series: TrafficSeries,
    collected: SessionCollector,
    secrets_given: bool,
    stopped_after: int | None = None,
    unread: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the part of the facts that depends on the captures alone. evidence: as in the facts. The last two: see
    `limitations`."""
    inputs: Sequence[dict[str, Any]] = evidence["inputs"]
    counted = traffic_facts(traffic, series, collected.tls)
    sessions = session_facts(collected)
    hosts, n_hosts = collected.hosts.records(traffic)
    findings = collected.findings.records()
    certificates = collected.certificates
    left_out = {
        "hosts": n_hosts - len(hosts),
        "certificates": certificates.uncounted,
        "findings": sum(one["count"] - len(one["occurrences"]) for one in findings),
        "requests": collected.requests.count - len(collected.requests.rows),
    }
    last = max((one["last_time"] for one in inputs if one["last_time"] is not None), default=None)
    return {
        "traffic": counted,
        "sessions": sessions,
        "failed": sorted(collected.failed, key=lambda record: record["session"]),
        "findings": findings,
        "hosts": hosts,
        "n_hosts": n_hosts,
        "certificates": certificates.records(last),
        "inventory": collected.inventory_facts(last),
        "timeline": timeline(inputs, sessions["brief"], sessions["shown"], collected.times.of),
        "limits": limitations(
            inputs,
            evidence["trust"],
            sessions,
            counted,
            collected.gaps["bytes"],
            secrets_given,
            stopped_after,
            unread,
            left_out,
            collected.gaps["unknown"],
        ),
    }


def _most_first(entry: tuple[str, int]) -> tuple[int, str]:
    return -entry[1], entry[0]


def _version_of(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
