"""Derives what became of a TCP connection in which TLS never began: refused, without an answer, empty, or in another protocol.

The first failure to look for is a server that did not answer. Such connections are no sessions: what the client wanted is known
only by the port, by what it asked of a proxy, or by the command with which it asked for TLS. A connection in another protocol
that both sides speak is no failure.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from analyzer.analysis.before_tls import before_tls
from analyzer.analysis.foreign_answer import excerpt, http_status, protocol_of
from analyzer.analysis.outcome_facts import ABANDONED, BETWEEN, CERTAIN, FAILED, LIKELY, NOBODY, ROLES, Outcome, seconds
from analyzer.analysis.refused_upgrade import refused_upgrade
from analyzer.analysis.reset_origin import inserted_reset
from analyzer.analysis.silent_peer import SILENT, lost_segments, reported
from analyzer.flows.ending import NEITHER, Ending
from analyzer.flows.flow import Flow
from analyzer.flows.path_errors import REFUSED, PathError
from analyzer.tls.record.content_types import HANDSHAKE

CLIENT, SERVER = 0, 1

SYN_TIMEOUT = 3_000_000_000
"""Nanoseconds after which a SYN that was sent once is without an answer (RFC 6298 section 2: the first timeout is 1 s)."""


@dataclass(frozen=True, slots=True)
class Talk:
    """What a connection without TLS carried. pieces: role and bytes, as they came, with the last frame of each in `frames`.

    whole: whether nothing of it is missing. expects_tls: whether its server speaks TLS on that port.
    """

    pieces: Sequence[tuple[int, bytes]]
    frames: Sequence[int]
    whole: bool
    expects_tls: bool


def connection_outcome(flow: Flow, ending: Ending, talk: Talk) -> Outcome | None:
    """Return what became of a connection in which TLS never began; None if that is no failure, or is not known."""
    if not ending.asked:
        return None
    if not ending.answered:
        return _unopened(flow, ending)
    known = Outcome(FAILED, None, "tcp", frames=[flow.first_frame])
    known.durations |= {"tcp": seconds(flow.start, ending.answered_at), "total": seconds(flow.start, flow.end)}
    closer = ending.closed_by()
    if closer != NEITHER:
        known.ended_by = ROLES[closer]
    if not (_refused(known, talk) or (talk.expects_tls and _without_tls(known, flow, ending, talk, closer))):
        return None
    known.frames = sorted(set(filter(None, known.frames)))
    return known


def _unopened(flow: Flow, ending: Ending) -> Outcome | None:
    """Return the outcome of a connection whose SYN nobody accepted."""
    reset = ending.resets[SERVER]
    total = {"tcp": None, "hello": None, "handshake": None, "total": seconds(flow.start, flow.end)}
    if reset is not None:
        times = f", {ending.n_packets[CLIENT]} times" if ending.n_packets[CLIENT] > 1 else ""
        detail = f"the server answered the client's SYN with an RST{times}: nobody listens on this port, or a firewall refuses"
        frames = [flow.first_frame, reset.frame]
        return Outcome(FAILED, ROLES[SERVER], "tcp", "connection_refused", CERTAIN, detail, frames, total)
    errors: list[PathError] = ending.path_errors[CLIENT]
    refusal = next((one for one in errors if one.kind == REFUSED), None)
    if refusal is not None:
        who = ROLES[SERVER] if refusal.sender == flow.server[0] else BETWEEN
        detail = f"the client's SYN was refused; {reported(refusal)}"
        return Outcome(FAILED, who, "tcp", "connection_refused", CERTAIN, detail, [flow.first_frame, refusal.frame], total)
    n_sent, waited = ending.n_packets[CLIENT], ending.now - flow.end
    if ending.n_packets[SERVER] or (n_sent < 2 and waited < SYN_TIMEOUT and not errors):
        return None
    detail = f"the client sent {n_sent} SYNs, and no answer came"
    if n_sent == 1:
        detail = "the client sent a SYN, and no answer came"
    sure = CERTAIN if n_sent > 2 or errors else LIKELY
    if errors:
        frames = sorted({flow.first_frame, errors[0].frame, flow.last_frame})
        return Outcome(ABANDONED, NOBODY, "tcp", "no_answer", sure, f"{detail}; {reported(errors[0])}", frames, total)
    return Outcome(ABANDONED, NOBODY, "tcp", "no_answer", sure, detail, _both(flow.first_frame, flow.last_frame), total)


def _both(first: int, last: int) -> list[int]:
    return [first] if first == last else [first, last]


def _refused(known: Outcome, talk: Talk) -> bool:
    """Fill in the failure of a client that asked for TLS, or for a way to it, and was refused."""
    found = refused_upgrade(talk.pieces) if talk.pieces and talk.whole else None
    if found is None:
        return False
    known.cause, known.detail = found
    known.step = "before_tls"
    known.ended_by = ROLES[SERVER]
    known.frames = list(talk.frames[-4:])
    return True


def _without_tls(known: Outcome, flow: Flow, ending: Ending, talk: Talk, closer: int) -> bool:
    """Fill in the failure of a connection to a port for TLS that carried none. Return whether it is one."""
    said = [b"".join(data for role, data in talk.pieces if role == side) for side in range(2)]
    if not any(ending.n_bytes):
        return _empty(known, flow, ending, closer)
    lost = lost_segments(flow, ending)
    if lost is not None and not ending.n_bytes[SERVER]:
        known.cause, known.certainty, known.detail = "packets_lost_on_path", lost.certainty, lost.detail
        known.frames += lost.frames
        if closer == NEITHER:
            known.result, known.ended_by = ABANDONED, NOBODY
        return True
    if not talk.whole or not said[CLIENT] or said[CLIENT][0] == HANDSHAKE:
        return False
    name = protocol_of(said[CLIENT]) or "bytes that are no TLS"
    sent = f'the client sent {name} to a port for TLS ("{excerpt(said[CLIENT])}")'
    known.step, known.cause = "before_tls", "client_speaks_no_tls"
    known.frames += talk.frames[:2]
    if not ending.n_bytes[SERVER] and closer == SERVER:
        known.certainty, known.detail = LIKELY, f"{sent}, and the server closed without an answer"
        return True
    status = http_status(said[SERVER])
    asks_proxy = any(one["protocol"] == "http_connect" for one in before_tls(talk.pieces))
    if status is not None and status >= 400 and name == "HTTP" and not asks_proxy:
        known.ended_by = known.ended_by or ROLES[SERVER]
        known.certainty = CERTAIN if b"HTTPS" in said[SERVER] or b"SSL" in said[SERVER] else LIKELY
        known.detail = f"{sent}, and the server answered with status {status}"
        return True
    return False


def _empty(known: Outcome, flow: Flow, ending: Ending, closer: int) -> bool:
    """Fill in the failure of a connection that was accepted, and carried no byte."""
    if closer == NEITHER:
        return False
    who, other = ROLES[closer], ROLES[1 - closer]
    reset = ending.resets[closer]
    fin = ending.fins[closer]
    if reset is not None and (not fin or reset.frame < fin):
        known.frames.append(reset.frame)
        found = inserted_reset(ending, closer)
        if found is not None:
            known.ended_by, known.cause = BETWEEN, "reset_between"
            known.certainty, known.detail = found.certainty, found.detail
            return True
        known.cause = "reset_by_peer"
        known.detail = f"the {who} reset the connection before a byte of data came"
        return True
    known.frames.append(fin)
    waited = ending.fin_at - ending.answered_at
    if closer == SERVER and ending.answered_at >= 0 and waited >= SILENT:
        known.cause = "peer_silent"
        known.detail = f"the {other} opened the connection and said nothing for {waited / 1e9:,.1f} s, and the {who} closed it"
        return True
    known.cause = "closed_without_alert"
    known.detail = f"the {who} closed the connection before a byte of data came"
    if closer == CLIENT:
        known.result = ABANDONED
    return True
