"""Lists the JA4 fingerprints of an inventory, the rarest first, each with the clients that have it.

A fingerprint that few clients have is that of a program that few use: an old one, one of its owner, or one that nobody should
have. In few sessions each program may come only once, and in a capture of few clients each has programs of its own: there
nothing is called rare, and the counts speak.
"""

from collections import Counter
from typing import Any

from analyzer.analysis.capture_findings import LEAST_SESSIONS
from analyzer.packet.addresses import address_order
from analyzer.store.inventory_tables import Inventory

RARE_SHARE = 100
"""A fingerprint is rare if at most one session in so many has it, or one client address in so many; or a single one."""

LEAST_CLIENTS = 10
"""Client addresses from which one that has a fingerprint alone makes it rare."""

MOST_HOSTS = 64
"""Client addresses that are listed for a fingerprint."""


def fingerprint_records(inventory: Inventory) -> list[dict[str, Any]]:
    """Return every JA4 that is told apart, by the number of client addresses, then of sessions, that have it."""
    hosts: dict[str, list[str]] = {}
    told: Counter[str] = Counter()
    for client in sorted(inventory.clients.values(), key=lambda one: address_order(one.address)):
        for name, n in client.ja4.first(len(client.ja4)):
            hosts.setdefault(name, []).append(client.address)
            told[name] += n
    counts = inventory.ja4.first(len(inventory.ja4))
    n_sessions = sum(count for _, count in counts) + inventory.ja4.beyond
    n_clients = sum(len(client.ja4) > 0 for client in inventory.clients.values())
    records = []
    for name, count in counts:
        having = hosts.get(name, [])
        records.append(
            {
                "ja4": name,
                "sessions": count,
                "clients": {"count": len(having), "first": having[:MOST_HOSTS]},
                "rare": _is_rare(count, n_sessions, len(having) if told[name] == count else None, n_clients),
            }
        )
    return sorted(records, key=lambda one: (one["clients"]["count"], one["sessions"], one["ja4"]))


def _is_rare(count: int, n_sessions: int, n_hosts: int | None, n_clients: int) -> bool | None:
    """Return whether a fingerprint is rare; None if there are too few sessions to tell.

    n_hosts: client addresses that have it; None if a limit has left out some of them.
    """
    if n_sessions < LEAST_SESSIONS:
        return None
    if n_hosts is not None and n_clients >= LEAST_CLIENTS and n_hosts <= max(1, n_clients // RARE_SHARE):
        return True
    return count <= max(1, n_sessions // RARE_SHARE)
