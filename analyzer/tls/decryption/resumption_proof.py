"""Decides whether a session continues the one whose ticket or session id it was resumed with.

Up to TLS 1.2 both are in plaintext, so their bytes alone prove nothing: anybody can copy them (RFC 5077 section 5). The master
secret of the earlier session proves it, if records open with it. Without secrets a session counts as the continuation if
client, server and name are the same.
"""

from typing import Any

from analyzer.tls.decryption.decryption import Decryption
from analyzer.tls.decryption.key_material import RESUMED_OUTSIDE
from analyzer.tls.events import Finding
from analyzer.tls.handshake.resumption import ResumableSession, copied_ticket


def settle_resumption(handshake: Any) -> None:
    """Take back what a session that has ended seems to resume, unless it continues that. handshake: its `SessionHandshake`."""
    found: ResumableSession = handshake.resumed_from
    if found.number >= 0 and not _continues(found, handshake):  # below 0, another process decides
        handshake.copied_from, handshake.resumed_from = found, None


def copied_tickets(handshake: Any) -> list[Finding]:
    """Return the finding about a resumption with the ticket or id of another session; none if it is no such."""
    copied: ResumableSession | None = handshake.copied_from
    return [] if copied is None or not handshake.parameters.resumption else [copied_ticket(copied.number)]


def _continues(found: ResumableSession, handshake: Any) -> bool:
    flow, decryption = handshake.flow, handshake.decryption
    between: bool = found.is_between(flow.client_key(), flow.server_key(), handshake.hellos.server_name)
    if decryption is None or handshake.parameters.tls13:
        return between
    work: Decryption = decryption
    master = work.schedule12.master
    if work.records > 0 and master is not None and found.master is not None:
        return bool(found.master == master)
    if not between and work.records == 0 and work.schedule12.earlier is not None:  # it was tried, and opens nothing
        work.keys.reason, work.keys.detail = RESUMED_OUTSIDE, ""
    return between
