"""Whether a renegotiation is bound to its connection: the hellos by hand, and the capture of a real one."""

import pytest
from sessions_by_hand import client_hello, events_of, extension, server_hello

from analyzer.tls.events import Finding, HandshakeMessage
from analyzer.tls.handshake.renegotiation import CLIENT, SERVER, unbound
from analyzer.tls.messages.hello import ClientHello, ServerHello

CLIENT_DATA, SERVER_DATA = bytes(range(12)), bytes(range(50, 62))
BOTH = [CLIENT_DATA, SERVER_DATA]


def info(value: bytes) -> bytes:
    return extension(0xFF01, bytes([len(value)]) + value)


def severity(role: int, *extensions: bytes, known: list[bytes] = BOTH) -> str | None:
    hello = client_hello(*extensions) if role == CLIENT else server_hello(*extensions)
    body, _ = (ClientHello if role == CLIENT else ServerHello).read(hello[4:])
    found = unbound(role, body, known)
    return None if found is None else found[0]


def test_the_values_of_this_connection_bind():
    assert severity(CLIENT, info(CLIENT_DATA)) is None
    assert severity(SERVER, info(CLIENT_DATA + SERVER_DATA)) is None


@pytest.mark.parametrize("value", [b"", b"x" * 12, CLIENT_DATA[:-1], SERVER_DATA])
@pytest.mark.parametrize("role", [CLIENT, SERVER])
def test_other_values_are_an_attack(role: int, value: bytes):
    assert severity(role, info(value)) == "high"


@pytest.mark.parametrize("role", [CLIENT, SERVER])
def test_no_value_is_no_protection(role: int):
    assert severity(role) == "medium"


def test_what_is_not_known_is_not_judged():
    assert severity(CLIENT, info(b"other"), known=[b"", SERVER_DATA]) is None
    assert unbound(CLIENT, None, BOTH) is None


def test_a_real_renegotiation_is_bound():
    events = events_of("tls12-renegotiation")
    hellos = [event for event in events if isinstance(event, HandshakeMessage) and event.type in (1, 2) and event.encrypted]
    assert len(hellos) >= 2
    assert [event.code for event in events if isinstance(event, Finding) and event.code == "unbound_renegotiation"] == []


def test_the_first_hello_of_another_connection_is_not_bound():
    first = next(event for event in events_of("tls12-renegotiation") if isinstance(event, HandshakeMessage))
    assert unbound(CLIENT, first.body, BOTH) is not None
