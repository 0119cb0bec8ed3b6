"""Decides whether a session continues the one whose ticket or session id it was resumed with.

Up to TLS 1.2 both are in plaintext, so their bytes alone prove nothing: anybody can copy them (RFC 5077 section 5). The master
secret of the earlier session proves it, if records open with it. Without secrets a session counts as the continuation if
client, server and name are the same.
"""

from analyzer.flows.flow import Flow
from analyzer.tls.decryption.decryption import Decryption
from analyzer.tls.decryption.key_material import RESUMED_OUTSIDE
from analyzer.tls.handshake.resumption import ResumableSession


def continued_or_copied(
    found: ResumableSession, flow: Flow, name: bytes | None, decryption: Decryption | None, tls13: bool
) -> tuple[ResumableSession | None, ResumableSession | None]:
    """Return the session that one continues, and the one whose ticket or id it has although it is another's.

    Either can be None, and both are where a name is not known. The parameters are those of `is_continued`.
    """
    if is_continued(found, flow, name, decryption, tls13):
        return found, None
    return None, None if found.may_be_between(flow.client_key(), flow.server_key(), name) else found


def is_continued(found: ResumableSession, flow: Flow, name: bytes | None, decryption: Decryption | None, tls13: bool) -> bool:
    """Return whether a session that has ended continues `found`, whose ticket or id it has.

    flow, name: its connection and the server name that its client requested (`Hellos.asked_name`). decryption: None without
    secrets. A master secret that was tried and opens nothing is noted there as the reason. Of a number below 0, another process
    decides.
    """
    if found.number < 0:
        return True
    between: bool = found.is_between(flow.client_key(), flow.server_key(), name)
    if decryption is None or tls13:
        return between
    schedule = decryption.schedule12
    if decryption.records > 0 and schedule.master is not None and found.master is not None:
        return bool(found.master == schedule.master)
    if not between and decryption.records == 0 and schedule.earlier is not None:
        decryption.keys.reason, decryption.keys.detail = RESUMED_OUTSIDE, ""
    return between
