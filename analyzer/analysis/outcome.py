"""Derives what a session came to: whether it was established, who ended it, at which step, why, and how sure that is.

The parts of the answer come from different layers. TLS has alerts, and messages that are missing (RFC 9846 section 6). TCP
has FIN and RST, acknowledgements, and what was sent again (RFC 9293). What the peer said instead of TLS is in the first
bytes. Each of them is looked at in turn, the surest first. What the capture lost is nobody's fault: then the outcome is not
known.
"""

from typing import Any

from analyzer.analysis.alert_causes import CLIENT, DESCRIPTIONS, SERVER, alert_cause, is_error, refused_client
from analyzer.analysis.calm_outcome import calm_outcome
from analyzer.analysis.dtls_outcome import dtls_closer, dtls_outcome
from analyzer.analysis.eap_outcome import eap_outcome
from analyzer.analysis.foreign_answer import excerpt, protocol_of
from analyzer.analysis.outcome_facts import (
    ABANDONED,
    BETWEEN,
    CERTAIN,
    ESTABLISHED,
    FAILED,
    LIKELY,
    NOBODY,
    ROLES,
    STEPS,
    UNKNOWN,
    Outcome,
)
from analyzer.analysis.outcome_steps import (
    CERTIFICATE,
    CLIENT_HELLO,
    KEY_EXCHANGE,
    durations,
    last_word,
    quickest_answer,
    step_reached,
)
from analyzer.analysis.quic_outcome import quic_outcome
from analyzer.analysis.refused_upgrade import refused_upgrade
from analyzer.analysis.reset_origin import inserted_reset
from analyzer.analysis.sealed_alert import sealed_alert
from analyzer.analysis.silent_peer import is_gone, lost_segments, silence
from analyzer.flows.carrier import EAP
from analyzer.flows.ending import NEITHER, Ending
from analyzer.tls.record.content_types import ENCRYPTED_ALERT_13
from analyzer.tls.session import Session

AFTER = {
    "tcp": "the TCP handshake",
    "before_tls": "what came before TLS",
    "client_hello": "the ClientHello",
    "hello_retry_request": "the HelloRetryRequest",
    "server_hello": "the ServerHello",
    "certificate": "the server's certificate",
    "key_exchange": "the key exchange",
    "client_certificate": "the client's certificate",
    "finished": "a Finished",
    "application_data": "application data",
}
"""Names of the steps in sentences."""


def outcome(session: Session) -> Outcome:
    """Return what a session that has ended came to."""
    calm: Outcome | None = calm_outcome(session)
    if calm is not None:
        return calm
    flow = session.flow
    ending: Ending | None = flow.ending
    tls13 = session.handshake.parameters.tls13
    closer = closed_by(session)
    ended_by = None if closer == NEITHER or (ending is not None and ending.may_be_first(1 - closer)) else ROLES[closer]
    established = session.established
    known = Outcome(UNKNOWN, ended_by, STEPS[step_reached(session)], durations=durations(session))
    errors = [alert for alert in session.log.alerts if is_error(alert, tls13) and not _is_late(session, alert, closer)]
    if _speaks_otherwise(known, session):
        pass
    elif errors:
        _take_alert(known, session, errors[0], closer)
    elif session.transport is not None and session.transport.name == "dtls":
        dtls_outcome(known, session, AFTER[known.step])
    elif session.transport is not None:
        quic_outcome(known, session, AFTER[known.step])
    elif established is True:
        _after_handshake(known, session, closer)
    elif flow.carrier is not None and flow.carrier.name == EAP:
        eap_outcome(known, session, AFTER[known.step])
    elif ending is not None:
        _before_end(known, session, ending, closer)
    if known.result == UNKNOWN:
        known.cause = known.cause or "capture_incomplete"
        known.detail = known.detail or NOT_SHOWN
    known.frames = sorted(set(filter(None, known.frames)))
    return known


_ENDED = ("fin", "rst", "closed")
"""How a flow ends of which the capture shows the end (`Flow.closed`)."""

NOT_SHOWN = "the capture does not show how it went"


def closed_by(session: Session) -> int:
    """Return the role that ended a session first, by close_notify in a session that ended before its connection; or NEITHER."""
    ending: Ending | None = session.flow.ending
    if ending is not None:
        return ending.closed_by()
    transport = session.transport
    if transport is not None and transport.close is not None:
        return int(transport.close.role)
    if transport is not None and transport.name == "dtls":
        return dtls_closer(session)
    said = [(alert.frame, alert.role) for alert in session.log.alerts if not alert.injected]
    sealed = []
    if transport is None and session.flow.closed in _ENDED:  # else the last records are no sign of an end
        sealed = [(sizes.last_frame, role) for role, sizes in enumerate(session.sizes) if sizes.last_frame]
    return min(said or sealed, default=(0, NEITHER))[1]


def _is_late(session: Session, alert: Any, closer: int) -> bool:
    """Return whether an alert only answers that the other side had closed the connection before.

    That side has not sent an alert itself, and its peer complains about an end that came too early (RFC 9846 section 6.1).
    """
    ending: Ending | None = session.flow.ending
    if ending is None or closer in (NEITHER, alert.role) or not (session.handshake.hellos.client_seen or session.established):
        return False
    end, frame = ending.end_frame(closer), int(alert.frame)
    return 0 < end < frame


def _take_alert(known: Outcome, session: Session, alert: Any, closer: int) -> None:
    """Fill in a failure that an alert tells."""
    ending: Ending | None = session.flow.ending
    hellos = session.handshake.hellos
    who = ROLES[alert.role]
    name = DESCRIPTIONS[alert.description]
    known.result, known.ended_by = FAILED, who
    known.frames = [_hello_frame(session), alert.frame]
    if not hellos.client_seen and alert.role == SERVER and not session.flow.late:
        before = session.flow.before
        said = b"" if before is None else b"".join(data for side, data in before.pieces if side == before.client)
        if said:
            known.cause, known.certainty = "client_speaks_no_tls", CERTAIN
            known.detail = (
                f'the client sent {_named(said)} to a server of TLS, which answered with the alert {name}: "{excerpt(said)}"'
            )
            known.frames = [*before.frames[:1], alert.frame]
            return
        silent = ending is not None and ending.n_bytes[CLIENT] == 0 and not session.log.gaps
        if silent and closer == CLIENT and ending is not None and 0 < ending.fins[CLIENT] < alert.frame:
            known.cause, known.ended_by = "closed_without_alert", ROLES[CLIENT]
            known.detail = f"the client closed without sending a byte, and the server answered with the alert {name}"
            known.frames = [ending.fins[CLIENT], alert.frame]
            return
    cause = alert_cause(session, alert)
    known.cause, known.certainty, known.asks_chain = cause.code, cause.certainty, cause.asks_chain
    known.detail = f"the {who} gave up after {AFTER[known.step]} with the alert {name}"
    if cause.reason:
        known.detail = f"{known.detail}; {cause.reason}"


def _speaks_otherwise(known: Outcome, session: Session) -> bool:
    """Fill in the failure of a client whose ClientHello, or wish for TLS, got another answer. Return whether it is that."""
    before, hellos = session.flow.before, session.handshake.hellos
    if before is None or hellos.server_seen or not hellos.client_seen:
        return False
    side = 1 - before.client
    said = before.answered(side)
    frame = before.answer_frames[side]
    refusal = None
    if not before.cut:  # else there can have been other questions and answers
        refusal = refused_upgrade([*((one ^ before.client, data) for one, data in before.pieces), (SERVER, said)])
    if refusal is not None:
        known.result, known.ended_by, known.certainty = FAILED, ROLES[SERVER], CERTAIN
        known.cause, known.detail = refusal
        known.frames = [*before.frames[-2:], _hello_frame(session), frame]
        return True
    if not said and len(before.pieces) == 1 and before.pieces[0][0] == side and session.flow.closed in ("fin", "rst"):
        said, frame = before.pieces[0][1], before.frames[0]  # it greets, and does not answer a hello
    if not said or session.roles[SERVER].n_application or (session.flow.late and protocol_of(said) is None):
        return False
    known.result, known.cause, known.certainty = FAILED, "peer_speaks_no_tls", CERTAIN
    known.step = STEPS[CLIENT_HELLO]
    known.ended_by = known.ended_by or ROLES[SERVER]
    known.detail = f'the server answered the ClientHello with {_named(said)}: "{excerpt(said)}"'
    known.frames = [_hello_frame(session), frame]
    return True


def _named(said: bytes) -> str:
    return protocol_of(said) or "bytes that are no TLS"


def _after_handshake(known: Outcome, session: Session, closer: int) -> None:
    """Fill in what came of a session whose handshake was completed."""
    ending: Ending | None = session.flow.ending
    known.result = ESTABLISHED
    if ending is None:
        return
    if closer != NEITHER:
        known.frames = [ending.end_frame(closer)]
    lost = session.flow.unacknowledged
    if closer != NEITHER and not lost[closer] and _lacks_last_bytes(session, ending, closer):
        known.result = UNKNOWN
        known.detail = (
            f"the bytes of the {ROLES[closer]} just before its end are not in the capture: an alert may be among them, "
            "so it is not known why the connection ended"
        )
        return
    if session.log.gaps and not lost[0] and not lost[1]:
        return
    sealed = sealed_alert(session, ending, closer) if session.whole else None
    if sealed is not None:
        known.result, known.cause, known.certainty, known.detail = FAILED, sealed.code, sealed.certainty, sealed.detail
        known.ended_by, known.step, known.frames = ROLES[sealed.role], sealed.step, sealed.frames
        return
    waits = not ending.lacks_end(SERVER) and _waits_for_answer(session)
    if ending.forged is not None or (closer != NEITHER and ending.resets[closer] is not None and not ending.fins[closer]):
        if _is_inserted(known, session, ending, max(closer, CLIENT)):
            return
        reset = None if closer == NEITHER else ending.resets[closer]
        if waits and (reset is None or reset.ahead != 1):  # else it is behind a FIN that the capture lacks
            who = ROLES[closer]
            known.result, known.cause = FAILED, "reset_by_peer"
            known.detail = f"the {who} reset the connection while a request was without an answer"
            known.frames = [session.sizes[CLIENT].last_frame, *known.frames]
            return
    if closer == NEITHER or not is_gone(ending, 1 - closer, ending.end_frame(closer)):
        _is_lost(known, session, ending, closer)


def _lacks_last_bytes(session: Session, ending: Ending, closer: int) -> bool:
    """Return whether the capture lacks what the side that closed first had sent last, before its FIN or RST."""
    reset = ending.resets[closer]
    if reset is not None and not ending.fins[closer]:
        return reset.ahead > 1 and reset.position > ending.n_bytes[closer]
    end = ending.n_bytes[closer]
    return any(gap.role == closer and gap.offset + gap.length >= end for gap in session.log.gaps)


def _waits_for_answer(session: Session) -> bool:
    """Return whether the client had sent the last data, and no answer to it came."""
    client, server = session.sizes
    if client.last_frame == 0 or client.last <= ENCRYPTED_ALERT_13:
        return False
    work = session.handshake.decryption
    exchanges = None if work is None or work.application is None else getattr(work.application, "exchanges", None)
    if exchanges:
        last: Any = exchanges[-1]
        return last.request is not None and last.response is None
    return client.last_frame > server.last_frame


def _before_end(known: Outcome, session: Session, ending: Ending, closer: int) -> None:
    """Fill in how a session ended whose handshake is not known to be completed, and in which no error was told."""
    if _is_lost(known, session, ending, closer) or not session.whole:
        return
    if closer == NEITHER:
        _still_open(known, session, ending)
        return
    end = ending.end_frame(closer)
    who, after = ROLES[closer], AFTER[known.step]
    known.result = FAILED
    known.frames = [_last_frame(session), end]
    sealed = sealed_alert(session, ending, closer)
    if sealed is not None:
        known.cause, known.certainty, known.detail = sealed.code, sealed.certainty, sealed.detail
        known.ended_by, known.frames = ROLES[sealed.role], sealed.frames
        return
    reset = ending.resets[closer]
    if ending.forged is not None or (reset is not None and reset.frame == end):
        if not _is_inserted(known, session, ending, closer):
            known.cause = "reset_by_peer"
            known.detail = f"the {who} reset the connection after {after}"
            if closer != CLIENT and not session.handshake.hellos.server_seen:
                known.detail = f"the {who} reset the connection after {after}; it had sent nothing"
            _suspect_certificates(known, session, closer)
        return
    told = _last_warning(session)
    if told is not None:
        known.cause, known.certainty = told[0], told[1]
        known.detail = f"the {ROLES[told[2]]} said {told[3]} after {after}, and the {who} closed the connection"
        known.frames = [told[4], end]
        return
    quiet = silence(session, ending.fin_at, closer)
    if quiet is not None:
        known.cause, known.detail = "peer_silent", quiet
        return
    known.cause = "closed_without_alert"
    known.detail = f"the {who} closed the connection after {after}, without an alert"
    _suspect_certificates(known, session, closer)


def _suspect_certificates(known: Outcome, session: Session, closer: int) -> None:
    """Look at certificates behind an end without an alert: many programs close when they do not accept one."""
    if closer == SERVER:
        if session.handshake.certificates[CLIENT] == []:
            refused = refused_client(session, "")
            if refused is not None:
                known.cause, known.certainty = refused.code, LIKELY
                known.detail = f"{known.detail}; {refused.reason}"
    elif known.step in (STEPS[CERTIFICATE], STEPS[KEY_EXCHANGE]) and session.handshake.certificates[SERVER]:
        known.asks_chain = True


def _still_open(known: Outcome, session: Session, ending: Ending) -> None:
    """Fill in a session that nobody ended before the capture did, where one side was silent for long."""
    if session.flow.closed == "evicted":
        return
    quiet = silence(session, ending.now, NEITHER)
    if quiet is None:
        return
    known.result, known.ended_by, known.cause, known.certainty = ABANDONED, NOBODY, "peer_silent", LIKELY
    known.detail = quiet
    known.frames = [_last_frame(session)]


def _is_inserted(known: Outcome, session: Session, ending: Ending, closer: int) -> bool:
    """Fill in the failure of a connection that somebody on the path has reset. Return whether it is that."""
    at, role = last_word(session)
    for suspect in (closer, 1 - closer):
        asked_at = at if role == 1 - suspect else -1
        found = inserted_reset(ending, suspect, asked_at, session.flow.start, quickest_answer(session))
        if found is not None:
            known.result, known.ended_by, known.cause = FAILED, BETWEEN, "reset_between"
            known.certainty, known.detail = found.certainty, found.detail
            known.frames = [_last_frame(session), found.frame]
            return True
    return False


def _is_lost(known: Outcome, session: Session, ending: Ending, closer: int) -> bool:
    """Fill in the failure of a connection whose segments never arrived. Return whether it is that."""
    reset = None if closer == NEITHER else ending.resets[closer]
    if reset is not None and ending.end_frame(closer) == reset.frame and is_gone(ending, 1 - closer, reset.frame):
        return False
    found = lost_segments(session.flow, ending)
    if found is None:
        return False
    known.result = ABANDONED if closer == NEITHER else FAILED
    known.ended_by = NOBODY if closer == NEITHER else ROLES[closer]
    known.cause, known.certainty, known.detail = "packets_lost_on_path", found.certainty, found.detail
    known.frames = [_last_frame(session), *found.frames]
    return True


def _last_warning(session: Session) -> tuple[str, str, int, str, int] | None:
    """Return cause, certainty, role, name and frame of the last alert that was no error, and that tells why somebody left."""
    for alert in reversed(session.log.alerts):
        name = DESCRIPTIONS[alert.description]
        found = None if alert.injected else _WARNINGS.get(name)
        if found is not None:
            return *found, alert.role, name, alert.frame
    return None


_WARNINGS = {
    "user_canceled": ("user_canceled", CERTAIN),
    "unrecognized_name": ("unrecognized_name", LIKELY),
    "no_renegotiation": ("renegotiation_refused", LIKELY),
    "no_certificate": ("client_certificate_missing", LIKELY),
}
"""Alerts that are no errors and tell why somebody left: the cause, and how sure it is."""


def _hello_frame(session: Session) -> int:
    messages = session.log.messages
    return messages[0].frame if messages else session.flow.first_frame


def _last_frame(session: Session) -> int:
    messages = session.log.messages
    return messages[-1].frame if messages else session.flow.first_frame
