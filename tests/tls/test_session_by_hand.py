"""A session that is fed with records by hand: the events of each record, without any transport or engine.

A playbook: each step is the input of the session, and the complete list of events that it emits.
"""

from typing import Any

import pytest
from sessions_by_hand import (
    ALERT,
    APPLICATION_DATA,
    CHANGE_CIPHER_SPEC,
    CLIENT,
    HANDSHAKE,
    HEARTBEAT,
    RETRY_RANDOM,
    SERVER,
    START,
    STEP,
    TLS13,
    Hand,
    client_hello,
    extension,
    message,
    server_hello,
)

from analyzer.flows.flow import Flow
from analyzer.tls.decryption.key_material import KeyMaterial
from analyzer.tls.events import Event, Finding
from analyzer.tls.handshake.resumption import Resumptions
from analyzer.tls.record.record import BODY, LOST, NOTHING
from analyzer.tls.record.record import START as FIRST_BYTES
from analyzer.tls.session import Session

NAMED = extension(0, b"\0\x0f\0\0\x0cexample.test")
DONE = message(14)


def tuples(events: list[Event]) -> list[tuple[Any, ...]]:
    """Events as tuples: kind, role, frame, and their other fields."""
    found = []
    for event in events:
        names = {
            "HandshakeMessage": ("name", "length", "pieces", "encrypted"),
            "Alert": ("level", "description", "encrypted"),
            "RecordEvent": ("kind", "length"),
            "RecordRead": ("content_type", "offset", "header", "length"),
            "KeysChanged": ("epoch",),
            "OutOfOrder": ("type", "state"),
            "Gap": ("offset", "length"),
            "Conflict": ("offset", "first", "second"),
            "Finding": ("code", "severity", "frames"),
        }[type(event).__name__]
        found.append((type(event).__name__, event.role, event.frame, *(getattr(event, name) for name in names)))
    return found


def after_hellos(*answers: bytes, suite: bytes = b"\xc0\x2f", tls13: bool = False) -> Hand:
    """A session with both hellos, in frames 2 and 3."""
    extensions = (TLS13,) if tls13 else ()
    hand = Hand()
    hand.handshake(CLIENT, client_hello(NAMED, *extensions))
    hand.handshake(SERVER, server_hello(*extensions, suite=suite), *answers)
    return hand


def test_a_hello_and_its_answer():
    hand = Hand()
    hello, answer = client_hello(NAMED), server_hello()
    assert tuples(hand.handshake(CLIENT, hello)) == [
        ("RecordRead", CLIENT, 2, HANDSHAKE, 0, 5, len(hello)),
        ("HandshakeMessage", CLIENT, 2, "client_hello", len(hello), ((5, len(hello)),), False),
    ]
    hellos, parameters = hand.session.handshake.hellos, hand.session.handshake.parameters
    assert (hellos.client_seen, hellos.server_seen, hellos.server_name) == (True, False, b"example.test")
    assert (parameters.version, parameters.cipher_suite) == (0, -1)
    assert tuples(hand.handshake(SERVER, answer, DONE)) == [
        ("RecordRead", SERVER, 3, HANDSHAKE, 0, 5, len(answer) + 4),
        ("HandshakeMessage", SERVER, 3, "server_hello", len(answer), ((5, len(answer)),), False),
        ("HandshakeMessage", SERVER, 3, "server_hello_done", 4, ((5 + len(answer), 4),), False),
    ]
    assert hellos.server_seen
    assert (parameters.version, parameters.tls13, parameters.cipher_suite) == (0x0303, False, 0xC02F)
    assert {event.session for event in hand.events} == {0}
    assert [event.version for event in hand.events] == [0, 0, 0, 0x0303, 0x0303]
    assert {(event.frame, event.at) for event in hand.events} == {(2, START + 2 * STEP), (3, START + 3 * STEP)}


def test_an_answer_of_tls_1_3_changes_the_keys_of_both():
    hand = Hand()
    hand.handshake(CLIENT, client_hello(TLS13))
    answer = server_hello(TLS13, suite=b"\x13\1")
    assert tuples(hand.handshake(SERVER, answer))[1:] == [
        ("HandshakeMessage", SERVER, 3, "server_hello", len(answer), ((5, len(answer)),), False),
        ("KeysChanged", CLIENT, 3, "handshake"),
        ("KeysChanged", SERVER, 3, "handshake"),
    ]
    assert hand.session.handshake.parameters.tls13


def test_a_retry_changes_no_keys():
    hand = Hand()
    hand.handshake(CLIENT, client_hello(TLS13))
    events = hand.handshake(SERVER, server_hello(TLS13, suite=b"\x13\1", random=RETRY_RANDOM))
    assert [name for kind, _, _, name, *_ in tuples(events) if kind == "HandshakeMessage"] == ["hello_retry_request"]
    assert [kind for kind, *_ in tuples(events)] == ["RecordRead", "HandshakeMessage"]
    assert not hand.session.handshake.hellos.server_seen


def test_a_message_over_records_is_emitted_with_the_last_of_them():
    hand = Hand()
    hello = client_hello(NAMED)
    assert tuples(hand.say(CLIENT, HANDSHAKE, hello[:10])) == [("RecordRead", CLIENT, 2, HANDSHAKE, 0, 5, 10)]
    rest = len(hello) - 10
    assert tuples(hand.say(CLIENT, HANDSHAKE, hello[10:])) == [
        ("RecordRead", CLIENT, 3, HANDSHAKE, 15, 5, rest),
        ("HandshakeMessage", CLIENT, 3, "client_hello", len(hello), ((5, 10), (20, rest)), False),
    ]


def test_a_message_of_an_unknown_type_is_emitted_without_a_body():
    hand = after_hellos()
    assert tuples(hand.handshake(SERVER, message(99, b"what")))[-1] == (
        "HandshakeMessage",
        SERVER,
        4,
        "0x63",
        8,
        ((5 + len(server_hello()) + 5, 8),),
        False,
    )
    assert hand.session.log.messages[-1].body is None


def test_alerts():
    hand = Hand()
    hand.handshake(CLIENT, client_hello())
    assert tuples(hand.say(SERVER, ALERT, b"\2\x28\1\0")) == [
        ("RecordRead", SERVER, 3, ALERT, 0, 5, 4),
        ("Alert", SERVER, 3, 2, 40, False),
        ("Alert", SERVER, 3, 1, 0, False),
    ]
    assert tuples(hand.say(CLIENT, ALERT, b"\2"))[1:] == [("Finding", -1, 4, "protocol_violation", "low", [4])]
    assert not hand.session.established


def protected(number: int, length: int) -> bytes:
    """A body of AES-GCM with an explicit nonce that counts."""
    return number.to_bytes(8, "big") + bytes(length - 8)


def test_after_a_change_of_ciphers_alerts_and_messages_are_encrypted():
    hand = after_hellos(message(11, b"\0\0\4\0\0\1x"), message(12, b"\3\0\x17\1x\4\1\0\1x"), DONE)
    hand.handshake(CLIENT, message(16, b"\4abcd"))
    for role in (CLIENT, SERVER):
        first = hand.frame
        offset = hand.offsets[role]
        assert tuples(hand.say(role, CHANGE_CIPHER_SPEC, b"\1")) == [
            ("RecordRead", role, first + 1, CHANGE_CIPHER_SPEC, offset, 5, 1),
            ("RecordEvent", role, first + 1, "change_cipher_spec", 1),
            ("KeysChanged", role, first + 1, "protected"),
        ]
        assert tuples(hand.say(role, HANDSHAKE, protected(0, 40)))[1:] == [
            ("HandshakeMessage", role, first + 2, "finished", 40, ((offset + 11, 40),), True)
        ]
    assert tuples(hand.say(SERVER, HANDSHAKE, protected(1, 60)))[1:] == [("RecordEvent", SERVER, 9, "encrypted_handshake", 60)]
    data = ("RecordEvent", SERVER, 10, "application_data", 60)
    assert tuples(hand.say(SERVER, APPLICATION_DATA, protected(2, 60)))[1:] == [data]
    assert tuples(hand.say(SERVER, HEARTBEAT, protected(3, 60)))[1:] == [
        ("RecordEvent", SERVER, 11, "heartbeat", 60),
        ("Finding", -1, 11, "unnegotiated_heartbeat", "medium", [11]),
    ]
    assert tuples(hand.say(SERVER, ALERT, protected(4, 26)))[1:] == [("Alert", SERVER, 12, -1, -1, True)]
    assert hand.session.established
    assert [(sender.n_protected, sender.n_application) for sender in hand.session.roles] == [(1, 0), (3, 1)]


def test_in_tls_1_3_a_change_of_ciphers_means_nothing():
    hand = after_hellos(tls13=True, suite=b"\x13\1")
    events = tuples(hand.say(SERVER, CHANGE_CIPHER_SPEC, b"\1"))
    assert events[1:] == [("RecordEvent", SERVER, 4, "change_cipher_spec", 1)]
    assert tuples(hand.say(CLIENT, ALERT, b"\2\x28"))[1:] == [("Alert", CLIENT, 5, 2, 40, False)]


@pytest.mark.parametrize(("length", "counts"), [(19, 0), (20, 1)])
def test_in_tls_1_3_a_record_that_only_holds_an_alert_does_not_establish_anything(length: int, counts: int):
    hand = after_hellos(tls13=True, suite=b"\x13\1")
    for role in (CLIENT, SERVER):
        hand.say(role, APPLICATION_DATA, bytes(length))
    assert [(sender.n_protected, sender.n_application) for sender in hand.session.roles] == [(counts, 1)] * 2
    assert hand.session.established is (True if counts else None)


def test_a_heartbeat_that_claims_too_much():
    hand = after_hellos()
    assert tuples(hand.say(CLIENT, HEARTBEAT, b"\1\0\4ping" + bytes(16)))[1:] == [
        ("RecordEvent", CLIENT, 4, "heartbeat", 23),
        ("Finding", -1, 4, "unnegotiated_heartbeat", "medium", [4]),
        ("Finding", -1, 4, "heartbeat_in_handshake", "low", [4]),
    ]
    assert tuples(hand.say(CLIENT, HEARTBEAT, b"\1\x40\0"))[1:] == [
        ("RecordEvent", CLIENT, 5, "heartbeat", 3),
        ("Finding", -1, 5, "heartbleed", "high", [5]),
    ]


# What is missing.


def test_a_gap_is_emitted_and_what_follows_is_read():
    hand = after_hellos()
    assert tuples(hand.gap(SERVER, 77)) == [("Gap", SERVER, 3, hand.offsets[SERVER] - 77, 77)]
    assert [name for kind, _, _, name, *_ in tuples(hand.handshake(SERVER, DONE)) if kind == "HandshakeMessage"] == [
        "server_hello_done"
    ]
    (gap,) = hand.session.log.gaps
    assert (gap.role, gap.length, gap.frame, gap.at) == (SERVER, 77, 3, -1)


def test_a_gap_in_a_record_truncates_its_message_and_the_rest_of_it_is_skipped():
    hand = after_hellos()
    certificate = message(11, b"\0\0\x10" + b"\0\0\x0d" + b"c" * 13)
    hand.gap(SERVER, 10, lost=False)
    offset = hand.offsets[SERVER]
    events = tuples(hand.say(SERVER, HANDSHAKE, certificate[:8], missing=6))
    assert events == [
        ("RecordRead", SERVER, 4, HANDSHAKE, offset, 5, 14),
        ("HandshakeMessage", SERVER, 4, "certificate", len(certificate), ((offset + 5, 8),), False),
    ]
    (problem,) = [one for one in hand.session.log.messages[-1].problems if "capture" in one.why]
    assert problem.why == f"{len(certificate) - 8} of {len(certificate)} bytes are not in the capture"
    rest = len(certificate) - 14
    assert tuples(hand.say(SERVER, HANDSHAKE, certificate[14:] + DONE))[1:] == [
        ("HandshakeMessage", SERVER, 5, "server_hello_done", 4, ((offset + 19 + 5 + rest, 4),), False)
    ]


def test_a_loss_gives_up_the_message_that_was_being_collected():
    hand = after_hellos()
    certificate = message(11, bytes(200))
    offset = hand.offsets[SERVER]
    assert tuples(hand.say(SERVER, HANDSHAKE, certificate[:50])) == [("RecordRead", SERVER, 4, HANDSHAKE, offset, 5, 50)]
    assert tuples(hand.gap(SERVER, 500)) == [
        ("Gap", SERVER, 4, offset + 55, 500),
        ("HandshakeMessage", SERVER, 4, "certificate", 204, ((offset + 5, 50),), False),
    ]
    assert hand.session.roles[SERVER].name == "UNKNOWN"
    assert hand.session.roles[CLIENT].name == "HELLO"


def test_what_is_incomplete_at_the_end_is_kept_as_far_as_it_goes():
    hand = after_hellos()
    hand.say(SERVER, HANDSHAKE, message(11, bytes(200))[:50])
    events = hand.end()
    assert [(kind, frame, name) for kind, _, frame, name, *_ in tuples(events)] == [("HandshakeMessage", 4, "certificate")]
    flow = hand.session.flow
    assert (flow.closed, flow.last_frame, flow.end) == ("fin", 4, START + 4 * STEP)


def test_where_no_record_begins_is_reported_once_for_each_role():
    hand = after_hellos()
    for role in (CLIENT, SERVER):
        assert tuples(hand.stray(role, "no record begins here")) == [
            ("Finding", -1, 3, "protocol_violation", "medium", [3]),
        ]
        assert hand.stray(role, "no record begins here") == []
    details = [finding.detail for finding in hand.session.log.findings]
    assert details == [
        f"byte {hand.offsets[CLIENT]} of the client's stream: no record begins here",
        f"byte {hand.offsets[SERVER]} of the server's stream: no record begins here",
    ]


def test_a_conflict_is_emitted_with_both_versions():
    hand = after_hellos()
    assert tuples(hand.conflict(SERVER, 12, b"first", b"other")) == [
        ("Conflict", SERVER, 4, 12, b"first", b"other"),
        ("Finding", -1, 4, "conflicting_segments", "high", [4]),
    ]
    (conflict,) = hand.session.log.conflicts
    assert (conflict.role, conflict.offset, conflict.first, conflict.second) == (SERVER, 12, b"first", b"other")


def test_a_capture_that_begins_later():
    hand = Hand(mid_stream=True)
    for role in (CLIENT, SERVER):
        assert tuples(hand.say(role, APPLICATION_DATA, bytes(100)))[1:] == [
            ("RecordEvent", role, hand.frame, "application_data", 100)
        ]
    assert hand.session.established
    assert hand.session.decryption is None


# Which bodies are wanted, what is kept, and sessions without listeners.


def test_bodies_that_are_not_read_are_not_wanted():
    hand = Hand()
    session = hand.session
    every = (CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION_DATA, HEARTBEAT)

    def wanted(role: int) -> list[int]:
        return [kind for kind in every if session.wants(role, kind) == BODY]

    assert wanted(CLIENT) == wanted(SERVER) == [CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, HEARTBEAT]
    hand.handshake(CLIENT, client_hello())
    hand.handshake(SERVER, server_hello())
    assert wanted(CLIENT) == wanted(SERVER) == list(every)  # data in plaintext is shown
    hand.say(CLIENT, CHANGE_CIPHER_SPEC, b"\1")
    assert wanted(CLIENT) == [CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, HEARTBEAT]
    assert wanted(SERVER) == list(every)
    assert session.wants(CLIENT, APPLICATION_DATA) == FIRST_BYTES


def test_without_nonces_on_the_wire_no_byte_of_an_encrypted_body_is_wanted():
    hand = Hand()
    hand.handshake(CLIENT, client_hello())
    hand.handshake(SERVER, server_hello(suite=b"\xcc\xa8"))
    hand.say(CLIENT, CHANGE_CIPHER_SPEC, b"\1")
    assert hand.session.wants(CLIENT, APPLICATION_DATA) == NOTHING


def test_with_secrets_all_bodies_are_wanted_until_they_are_useless():
    hand = Hand(KeyMaterial(psks={b"nobody": b"k"}))
    assert not hand.session.wants(CLIENT, APPLICATION_DATA)
    hand.handshake(CLIENT, client_hello())
    assert hand.session.decryption is not None
    assert hand.session.wants(CLIENT, APPLICATION_DATA)
    hand.handshake(SERVER, server_hello(TLS13, suite=b"\x13\1"))
    assert not hand.session.decryption.active
    assert not hand.session.wants(CLIENT, APPLICATION_DATA)


def test_what_a_session_keeps_is_counted():
    hand = Hand()
    assert hand.session.kept == 0
    hello = client_hello()
    hand.say(CLIENT, HANDSHAKE, hello[:20])
    assert hand.session.kept == 20
    hand.say(CLIENT, HANDSHAKE, hello[20:])
    assert hand.session.kept == len(hello) + 1024


def test_without_listeners_the_session_is_the_same():
    preceding = after_hellos(DONE)
    preceding.say(SERVER, ALERT, b"\2\x28")
    deaf = Hand()
    deaf.session = deaf.sink = Session(0, Flow(6, preceding.session.flow.key, 1, START), KeyMaterial(), Resumptions(), None)
    deaf.handshake(CLIENT, client_hello(NAMED))
    deaf.handshake(SERVER, server_hello(), DONE)
    deaf.say(SERVER, ALERT, b"\2\x28")
    assert deaf.events == []
    for kept in ("messages", "alerts"):
        one, other = getattr(preceding.session.log, kept), getattr(deaf.session.log, kept)
        assert [(fact.role, fact.frame, fact.at) for fact in one] == [(fact.role, fact.frame, fact.at) for fact in other]
    assert [one.raw for one in preceding.session.log.messages] == [one.raw for one in deaf.session.log.messages]
    assert {one.pieces for one in deaf.session.log.messages} == {()}


def test_without_kept_fields_messages_drop_them_after_use():
    events: list[Event] = []
    hand = Hand()
    hand.session = hand.sink = Session(0, hand.session.flow, KeyMaterial(), Resumptions(), events, False)
    hand.handshake(CLIENT, client_hello(NAMED))
    hand.handshake(SERVER, server_hello(), DONE)
    assert hand.session.handshake.hellos.server_name == b"example.test"
    assert [(one.name, one.raw == b"", one.body is None) for one in hand.session.log.messages] == [
        ("client_hello", True, True),
        ("server_hello", False, False),  # it can be needed to read earlier messages
        ("server_hello_done", True, True),
    ]


# The end.


@pytest.mark.parametrize(("reason", "codes"), [("fin", []), ("rst", []), ("evicted", ["evicted"])])
def test_how_a_flow_ended(reason: str, codes: list[str]):
    hand = after_hellos()
    assert [event.code for event in hand.end(reason) if hasattr(event, "code")] == codes


def test_gaps_that_were_given_up_are_reported():
    hand = after_hellos()
    hand.session.flow.limited = 3
    (finding,) = hand.end()
    assert tuples([finding]) == [("Finding", -1, 3, "limit", "medium", [3])]
    assert finding.detail == "3 holes were given up early: too much waited behind them"


def test_after_a_gap_the_lists_are_sorted_by_frame():
    hand = after_hellos()
    hand.gap(SERVER, 10)
    late = hand.frame
    hand.frame = 50
    hand.handshake(CLIENT, message(16, b"\4abcd"))
    hand.say(CLIENT, ALERT, b"\1\0")
    hand.frame = late
    hand.handshake(SERVER, DONE)
    hand.say(SERVER, ALERT, b"\1\0")
    log = hand.session.log
    assert [one.frame for one in log.messages] == [2, 3, 51, 4]
    hand.end()
    assert [one.frame for one in log.messages] == [2, 3, 4, 51]
    assert [one.frame for one in log.alerts] == [5, 52]


def test_data_of_a_role_whose_beginning_is_lost_is_not_plaintext():
    hand = after_hellos(DONE)
    hand.emit(CLIENT, LOST)
    hand.say(CLIENT, APPLICATION_DATA, bytes(40))
    assert "plaintext_record" not in [event.code for event in hand.of(Finding)]
    whole = after_hellos(DONE)
    whole.say(CLIENT, APPLICATION_DATA, bytes(40))
    assert "plaintext_record" in [event.code for event in whole.of(Finding)]
