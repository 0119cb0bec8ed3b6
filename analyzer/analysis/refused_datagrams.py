"""Tells that a server, or somebody on the way to it, refused the datagrams of a client: by an ICMP error that quotes one.

UDP has no RST. A host on which nobody listens says port unreachable (RFC 1122 section 4.1.3.1, RFC 4443 section 3.1), and a
firewall that a rule prohibits them. Such an error decides only where the server has not said anything after it, and
nothing proves it: whoever sees the datagram can make one. So what it says is likely.
"""

from analyzer.analysis.outcome_facts import ABANDONED, BETWEEN, FAILED, LIKELY, NOBODY, ROLES, Outcome
from analyzer.analysis.silent_peer import reported
from analyzer.flows.path_errors import REFUSED, TOO_BIG, PathError
from analyzer.tls.session import Session

CLIENT, SERVER = 0, 1


def refused_datagrams(known: Outcome, session: Session, after: str, answered: bool) -> bool:
    """Fill in the outcome of a session without a whole handshake whose client was refused. Return whether it is that.

    after: the last step that it reached, in words. answered: whether anything came from the server.
    """
    flow = session.flow
    last = max((one.frame for one in session.log.messages if one.role == SERVER), default=0)
    errors: list[PathError] = [one for one in flow.path_errors[CLIENT] if one.frame > last and one.kind != TOO_BIG]
    error = next((one for one in errors if one.kind == REFUSED), None) or next(iter(errors), None)
    client = session.roles[CLIENT]
    goes_on = (client.n_protected > 0 or client.missed) and not session.handshake.hellos.server_seen  # it is not captured
    if error is None or session.established is True or goes_on:
        return False
    known.frames = [flow.first_frame, error.frame]
    if error.kind == REFUSED:
        known.result, known.cause, known.certainty = FAILED, "connection_refused", LIKELY
        known.ended_by = ROLES[SERVER] if error.sender == flow.server[0] else BETWEEN
        known.detail = f"the client's datagram was refused after {after}; {reported(error)}"
        return True
    if answered:
        return False
    known.result, known.cause, known.certainty, known.ended_by = ABANDONED, "no_answer", LIKELY, NOBODY
    known.detail = f"the client sent a ClientHello, and no answer came; {reported(error)}"
    return True
