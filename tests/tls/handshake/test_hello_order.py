"""First and second ClientHellos, where the capture begins late."""

import pytest
from sessions_by_hand import TLS13, Hand, client_hello, extension, server_hello

from analyzer.codec.errors import Malformed
from analyzer.codec.runner import read
from analyzer.flows.flow import TCP, Flow
from analyzer.tls.handshake.hello_order import begins_handshake, is_late_hello, may_be_second
from analyzer.tls.handshake.states import RoleState
from analyzer.tls.messages.hello import ClientHello
from analyzer.tls.record.record import Record


def groups(*numbers: int) -> bytes:
    listed = b"".join(number.to_bytes(2, "big") for number in numbers)
    return extension(10, len(listed).to_bytes(2, "big") + listed)


def shares(*numbers: int) -> bytes:
    listed = b"".join(number.to_bytes(2, "big") + b"\0\4abcd" for number in numbers)
    return extension(51, len(listed).to_bytes(2, "big") + listed)


COOKIE = extension(44, b"\0\4cook")


def decoded(*extensions: bytes) -> object:
    raw = client_hello(TLS13, *extensions)
    return read(ClientHello, raw, 4, len(raw), 0, Malformed)[0]


@pytest.mark.parametrize(
    ("extensions", "second"),
    [
        ((groups(29, 23), shares(29)), False),
        ((groups(0x0A0A, 29, 23), shares(29)), False),
        ((groups(29, 23), shares(29, 23)), False),
        ((groups(29, 23), shares(23)), True),
        ((groups(29, 23),), False),
        ((shares(23),), True),
        ((), False),
    ],
)
def test_a_single_share_of_another_group_than_the_first_may_answer_a_retry(extensions: tuple[bytes, ...], second: bool):
    assert may_be_second(decoded(*extensions)) is second


@pytest.mark.parametrize(
    ("late", "missed", "extensions", "begins"),
    [
        (False, False, (groups(29, 23), shares(23)), True),
        (True, False, (groups(29, 23), shares(29)), True),
        (True, False, (groups(29, 23), shares(23)), False),
        (False, True, (), False),
        (False, False, (COOKIE,), False),
    ],
)
def test_a_hello_begins_the_handshake_unless_one_may_be_missing(
    late: bool, missed: bool, extensions: tuple[bytes, ...], begins: bool
):
    flow, client = Flow(TCP, bytes(12), 1, 0), RoleState(0)
    flow.late, client.missed = late, missed
    assert begins_handshake(flow, [], client, 0, decoded(*extensions)) is begins


def test_in_a_late_capture_no_hello_begins_a_handshake_that_was_answered():
    flow, client = Flow(TCP, bytes(12), 1, 0), RoleState(0)
    flow.late = True
    assert begins_handshake(flow, [], client, 0, decoded()) is True
    assert begins_handshake(flow, [], client, 0x0303, decoded()) is False
    client.change_frame = 3
    assert begins_handshake(flow, [], client, 0, decoded()) is False


@pytest.mark.parametrize(
    ("role", "body", "version", "late"),
    [
        (0, client_hello(), 0, True),
        (1, server_hello(), 0, True),
        (0, client_hello(), 0x0304, False),
        (0, server_hello(), 0, False),
        (0, client_hello()[:-1], 0, False),
        (0, b"\1\0\0", 0, False),
    ],
)
def test_only_a_whole_hello_is_read_after_a_change_of_ciphers(role: int, body: bytes, version: int, late: bool):
    record = Record(role)
    record.body, record.length = body, len(body)
    assert is_late_hello(record, version) is late


def test_a_second_hello_alone_has_no_fingerprint():
    hand = Hand()
    hand.session.flow.late = True
    hand.handshake(0, client_hello(TLS13, groups(29, 23), shares(23)))
    assert hand.session.handshake.hellos.fingerprint_input is None


def test_nor_has_one_behind_a_gap():
    hand = Hand()
    hand.gap(0, 200, lost=False)
    hand.handshake(0, client_hello(TLS13, groups(29, 23), shares(23)))
    assert hand.session.handshake.hellos.fingerprint_input is None
