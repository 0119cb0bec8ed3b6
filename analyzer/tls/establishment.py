"""Tells whether a handshake was completed, as far as the capture shows it.

It is complete when both sides have sent their Finished (RFC 9846 section 2, RFC 5246 section 7.3). Most Finished messages are
encrypted, so records with keys that follow them are evidence too. That such records are not in the capture is evidence of a
failure only where nothing is missing: both sides from the ClientHello to the end of the connection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.flows.flow import Flow
from analyzer.tls.events import Alert
from analyzer.tls.handshake.parameters import Hellos, Parameters
from analyzer.tls.handshake.states import RoleState
from analyzer.tls.session_log import FATAL, SessionLog

if TYPE_CHECKING:
    import cython


def is_completed(
    flow: Flow, log: SessionLog, hellos: Hellos, parameters: Parameters, client: RoleState, server: RoleState
) -> bool | None:
    """Return whether both Finished messages were seen, or encrypted records that can only come after them.

    False only where the handshake is known to have ended otherwise; None where the capture does not show how it went.
    """
    alert: Alert
    if client.n_protected > 0 and server.n_protected > 0:
        if hellos.server_seen or parameters.tls13 or (client.n_application > 0 and server.n_application > 0):
            return True
        if client.encrypted_finished_seen and server.encrypted_finished_seen:
            return True
    # A server up to TLS 1.2 sends data only after the Finished of both (RFC 7918 lets only the client begin earlier).
    alone: cython.bint = client.missed or client.state == 0
    if parameters.version != 0 and not parameters.tls13 and server.seals and server.n_protected > 0 and alone:
        return True
    whole: cython.bint = is_whole(flow, log, hellos)
    for alert in log.alerts:
        if alert.level == FATAL and not alert.injected and (whole or not alert.encrypted):
            return False
    return False if whole and (flow.closed == "fin" or flow.closed == "rst") else None


def is_whole(flow: Flow, log: SessionLog, hellos: Hellos) -> cython.bint:
    """Return whether the capture has all bytes of both sides from the ClientHello to its own end, or to that of the flow."""
    seen: cython.bint = hellos.client_seen and not flow.mid_stream and flow.unseen == 0
    if not seen or len(log.gaps) > 0 or flow.limited > 0 or (flow.late and not hellos.server_seen):
        return False
    ending: Any = flow.ending
    return ending is None or (ending.beyond[0] == 0 and ending.beyond[1] == 0)
