"""Makes the JSON record of an inventory, as `inventory_schema.INVENTORY` declares it."""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any

from analyzer.analysis.key_exchange_class import ANSWERS, CLASSICAL, CLASSICAL_WITH_PSK, KEY_EXCHANGES
from analyzer.analysis.tally import Tally
from analyzer.packet.addresses import address_order
from analyzer.store.chain_verdicts import moment_rfc3339
from analyzer.store.fingerprint_rarity import fingerprint_records
from analyzer.store.inventory_tables import SHOWN, Inventory, SeenClient, SeenServer
from analyzer.store.seen_certificates import STATES, WEAK_CERTIFICATES, SeenCertificate
from analyzer.store.session_sighting import WEAKNESSES

_SECOND = 1_000_000_000
_LAST_SECOND = 253_402_300_799
"""Of the year 9999, the last one that dates can have, in seconds since 1970."""

_DAY = timedelta(days=1)


class Moment:
    """The moment with which the validity of certificates is compared.

    at: RFC 3339 text, None if no packet has a time. within: seconds after it in which a certificate counts as expiring; until:
    their end.
    """

    def __init__(self, at: int | None, within: int) -> None:
        """at: nanoseconds since 1970, below 0 before that; None if it is not known."""
        self.within = within
        self.at = None if at is None else moment_rfc3339(at)
        self.until = None if at is None else moment_rfc3339(min(at + within * _SECOND, _LAST_SECOND * _SECOND))

    def days_to(self, end: str | None) -> int | None:
        """Return whole days from the moment to a time, negative if that came first; None if one is not known."""
        if self.at is None or end is None:
            return None
        return (datetime.fromisoformat(end) - datetime.fromisoformat(self.at)) // _DAY


def inventory_record(inventory: Inventory, moment: Moment) -> dict[str, Any]:
    """Return the inventory of a run as JSON values: all but what is said of the captures."""
    seen = inventory.certificates.seen.values()
    certificates = sorted(seen, key=lambda one: (one.facts["not_after"] or "", one.facts["sha256"]))
    states = Tally(len(STATES))
    for one in certificates:
        states.add(one.state(moment.at, moment.until))
    servers = sorted(inventory.servers.values(), key=lambda one: (address_order(one.address), one.port))
    clients = sorted(inventory.clients.values(), key=lambda one: address_order(one.address))
    fingerprints = fingerprint_records(inventory)
    rare = {one["ja4"] for one in fingerprints if one["rare"]}
    span = inventory.span
    return {
        "expiry": {"at": moment.at, "within": moment.within, **{state: states[state] for state in STATES}},
        "sessions": {
            "count": span.sessions,
            "established": span.established,
            "first_seen": span.first,
            "last_seen": span.last,
            "certificates": _counts(inventory.shown, SHOWN.values()),
        },
        "left_out": {
            "server_sessions": inventory.beyond["servers"],
            "client_sessions": inventory.beyond["clients"],
            "certificates": inventory.certificates.left_out,
            "ja4_sessions": inventory.ja4.beyond,
        },
        "protocols": {name: _values(tally) for name, tally in inventory.totals.items()},
        "suites": [
            {"version": version, "cipher_suite": suite, "sessions": n}
            for (version, suite), n in sorted(inventory.suites.items())
        ],
        "servers": [_server_record(one) for one in servers],
        "clients": [_client_record(one, rare) for one in clients],
        "certificates": [_certificate_record(one, moment) for one in certificates],
        "ja4": fingerprints,
        "weak": {
            "agreed": list(_agreed(servers)),
            "offered": list(_offered(clients)),
            "certificates": list(_weak_certificates(certificates)),
        },
        "post_quantum": _readiness(inventory),
        "post_quantum_groups": _values(inventory.post_quantum),
    }


def _values(tally: Tally, key: str = "value") -> dict[str, Any]:
    """Return what was counted: the values, with their sessions; sessions without one; occurrences beyond the limit."""
    return {
        "values": [{key: value, "sessions": count} for value, count in tally.first(len(tally))],
        "unknown": tally.unknown,
        "beyond": tally.beyond,
    }


def _counts(tally: Tally, names: Iterable[str]) -> dict[str, int]:
    return {name: tally[name] for name in names}


def _readiness(of: Inventory | SeenServer) -> dict[str, Any]:
    def recorded(kind: str) -> dict[str, int]:
        return {"sessions": of.recorded[kind], "bytes": of.n_bytes[kind]}

    return {
        "answers": _counts(of.answers, ANSWERS),
        "key_exchanges": _counts(of.key_exchanges, KEY_EXCHANGES),
        "recorded": {kind: recorded(kind) for kind in KEY_EXCHANGES},
        "openable_later": recorded(CLASSICAL),
        "perhaps_openable_later": recorded(CLASSICAL_WITH_PSK),
    }


def _server_record(server: SeenServer) -> dict[str, Any]:
    weak = {code for code, _ in server.weak}
    return {
        "address": server.address,
        "port": server.port,
        "names": _values(server.names, "server_name"),
        **{name: _values(tally) for name, tally in server.agreed.items()},
        "certificates": {
            "sent": [{"sha256": name, "sessions": n} for name, n in server.certificates.first(len(server.certificates))],
            "beyond": server.certificates.beyond,
            **_counts(server.shown, SHOWN.values()),
        },
        "sessions": server.span.sessions,
        "established": server.span.established,
        "first_seen": server.span.first,
        "last_seen": server.span.last,
        "weak": [code for code in WEAKNESSES if code in weak],
        "post_quantum": _readiness(server),
    }


def _client_record(client: SeenClient, rare: Collection[str]) -> dict[str, Any]:
    return {
        "address": client.address,
        "ja4": _values(client.ja4),
        "rare_ja4": [name for name, _ in client.ja4.first(len(client.ja4)) if name in rare],
        "versions": _values(client.versions),
        "highest_versions": _values(client.highest),
        "post_quantum_groups": _values(client.post_quantum),
        "post_quantum_answers": _counts(client.answers, ANSWERS),
        "weak_offers": [code for code in WEAKNESSES if client.weak[code]],
        "servers": _values(client.servers),
        "sessions": client.span.sessions,
        "hellos": client.hellos,
        "established": client.span.established,
        "first_seen": client.span.first,
        "last_seen": client.span.last,
    }


def _certificate_record(one: SeenCertificate, moment: Moment) -> dict[str, Any]:
    return {
        **one.facts,
        "state": one.state(moment.at, moment.until),
        "days_left": moment.days_to(one.facts["not_after"]),
        "role": "own" if one.owns else "chain",
        "servers": _values(one.servers),
        "clients": _values(one.clients),
        "sessions": one.sessions,
        "first_seen": one.first,
        "last_seen": one.last,
        "verdicts": sorted(one.verdicts),
        "problems": sorted(one.problems),
    }


def _agreed(servers: Iterable[SeenServer]) -> Iterator[dict[str, Any]]:
    listed = list(servers)
    for code in WEAKNESSES:
        for server in listed:
            for detail, weak in sorted(
                ((detail, weak) for (of, detail), weak in server.weak.items() if of == code), key=itemgetter(0)
            ):
                yield {
                    "code": code,
                    "severity": weak.severity,
                    "server": {"address": server.address, "port": server.port},
                    "names": [name for name, _ in server.names.first(len(server.names))],
                    "sessions": weak.sessions,
                    "session": weak.session,
                    "frame": weak.frame,
                    "detail": detail,
                }


def _offered(clients: Iterable[SeenClient]) -> Iterator[dict[str, Any]]:
    listed = list(clients)
    for code in WEAKNESSES:
        for client in listed:
            if client.weak[code]:
                yield {"code": code, "client": client.address, "sessions": client.weak[code]}


def _weak_certificates(certificates: Iterable[SeenCertificate]) -> Iterator[dict[str, Any]]:
    listed = list(certificates)
    for code in WEAK_CERTIFICATES:
        for one in listed:
            if code in one.weak():
                yield {
                    "code": code,
                    "sha256": one.facts["sha256"],
                    "servers": [end for end, _ in one.servers.first(len(one.servers))],
                }
