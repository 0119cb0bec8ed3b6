"""The terms of a session that those which resume it must keep."""

import pytest
from conversations import read_sessions
from sessions_by_hand import capture_of, keylog_of

from analyzer.capture.capture_reader import CaptureReader
from analyzer.engine import Engine
from analyzer.tls.handshake.resumption import ResumableSession, earlier_session
from analyzer.tls.handshake.resumption_terms import SHORTEST_ID, resumed_terms, terms


def sessions(name: str):
    engine = Engine(keylog=keylog_of(name))
    return sorted(read_sessions(CaptureReader([str(capture_of(name))]), engine), key=lambda session: session.id)


@pytest.mark.parametrize("name", ["tls12-session-id-resumption", "tls12-ticket-resumption"])
def test_a_resumed_session_has_the_terms_of_the_first(name: str):
    first, second = (session.handshake for session in sessions(name))
    assert terms(first) == terms(second) == (False, first.parameters.cipher_suite, 0, True, b"")
    kept, asked, unique, frame = resumed_terms(second)
    assert (kept, asked, unique) == (terms(first), True, True)
    assert frame == next(one.frame for one in second.log.messages if one.name == "server_hello")


def test_tls_1_3_keeps_the_certificate():
    first, second = (session.handshake for session in sessions("tls13-psk-resumption"))
    assert terms(first)[0] is True
    assert terms(first)[4] == first.certificates[1][0]
    assert terms(second)[4] == b""
    assert resumed_terms(second)[0][:3] == terms(first)[:3]


def test_after_a_renegotiation_the_terms_are_not_known():
    (session,) = sessions("tls12-renegotiation")
    assert terms(session.handshake) == (False, -1, 0, None, b"")


def test_what_the_rules_need_of_the_earlier_session():
    known = (False, 0xC02F, 0, True, b"")
    found = ResumableSession(3, b"server", b"a.test", terms=known)
    assert earlier_session(found, b"server") == (3, b"a.test", known, True)
    assert earlier_session(found, b"another") == (3, b"a.test", known, False)
    assert earlier_session(ResumableSession(3, b"server", b"a.test"), b"server") is None
    assert earlier_session(None, b"server") is None
    assert SHORTEST_ID == 16
