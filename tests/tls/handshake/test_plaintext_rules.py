"""Records in plaintext behind the change to encryption: kept, reported, and not believed; and those that are legal there."""

import pytest
from conversations import CLIENT, SERVER, Tap, packetise, talk
from keyed import Talk, talk_of
from sessions_by_hand import (
    ALERT,
    APPLICATION_DATA,
    CHANGE_CIPHER_SPEC,
    HANDSHAKE,
    RETRY_RANDOM,
    TLS13,
    Hand,
    client_hello,
    extension,
    message,
    server_hello,
)

from analyzer.engine import Engine
from analyzer.secrets.keylog import KeyLog
from analyzer.store.session_record import session_record

CERTIFICATE = message(11, b"\0\0\0\0")
TICKET_12 = message(4, b"\0\0\0\0\0\4abcd")
EARLY = extension(42, b"")


def forged(hand: Hand) -> list[list[int]]:
    """The frames of the findings."""
    return [finding.frames for finding in hand.session.log.findings if finding.code == "plaintext_record"]


def answered(*offered: bytes) -> Hand:
    """TLS 1.3 up to the ServerHello, in frame 3."""
    hand = Hand()
    hand.handshake(CLIENT, client_hello(TLS13, *offered))
    hand.handshake(SERVER, server_hello(TLS13, suite=b"\x13\1"))
    return hand


def agreed_12() -> Hand:
    """TLS 1.2 up to both ChangeCipherSpecs and Finished."""
    hand = Hand()
    hand.handshake(CLIENT, client_hello())
    hand.handshake(SERVER, server_hello(), message(14))
    hand.handshake(CLIENT, message(16, b"\1x"))
    for role in (CLIENT, SERVER):
        hand.say(role, CHANGE_CIPHER_SPEC, b"\1")
        hand.say(role, HANDSHAKE, bytes(40))
    return hand


@pytest.mark.parametrize("number", [4, 8, 11, 13, 15, 20, 2])
@pytest.mark.parametrize("role", [CLIENT, SERVER])
def test_no_message_in_plaintext_counts_behind_the_server_hello_of_tls_1_3(number: int, role: int):
    hand = answered()
    hand.handshake(role, message(number, b"\0" * 40))
    assert forged(hand) == [[4]]
    assert hand.session.handshake.certificates == [None, None]
    kept = hand.session.log.messages[-1]
    assert (kept.type, kept.problems[-1].why[:17]) == (number, "came in plaintext")


def test_a_message_behind_the_server_hello_in_the_same_record_counts_no_more():
    hand = Hand()
    hand.handshake(CLIENT, client_hello(TLS13))
    hand.handshake(SERVER, server_hello(TLS13, suite=b"\x13\1"), CERTIFICATE)
    assert forged(hand) == [[3]]


def test_a_message_before_the_server_hello_of_tls_1_3_neither():
    hand = Hand()
    hand.handshake(CLIENT, client_hello(TLS13))
    hand.handshake(SERVER, CERTIFICATE)
    hand.handshake(SERVER, server_hello(TLS13, suite=b"\x13\1"))
    assert forged(hand) == [[3]]
    assert hand.session.handshake.certificates == [None, None]


def test_retries_and_changes_of_ciphers_are_legal():
    hand = Hand()
    hand.handshake(CLIENT, client_hello(TLS13))
    hand.handshake(SERVER, server_hello(TLS13, suite=b"\x13\1", random=RETRY_RANDOM))
    hand.say(SERVER, CHANGE_CIPHER_SPEC, b"\1")
    hand.say(CLIENT, CHANGE_CIPHER_SPEC, b"\1")
    hand.handshake(CLIENT, client_hello(TLS13))
    hand.handshake(SERVER, server_hello(TLS13, suite=b"\x13\1"))
    hand.say(SERVER, CHANGE_CIPHER_SPEC, b"\1")
    assert forged(hand) == []
    hand.handshake(CLIENT, client_hello(TLS13))
    assert forged(hand) == [[9]]


def test_a_client_hello_that_comes_late_in_the_capture_is_legal():
    hand = Hand()
    hand.handshake(SERVER, server_hello(TLS13, suite=b"\x13\1"))
    hand.say(SERVER, APPLICATION_DATA, bytes(40))
    hand.handshake(CLIENT, client_hello(TLS13))
    assert forged(hand) == []


def test_an_alert_of_a_client_without_keys_is_its_own():
    hand = answered()
    hand.say(CLIENT, CHANGE_CIPHER_SPEC, b"\1")
    hand.say(CLIENT, ALERT, b"\2\x2f")
    assert forged(hand) == []
    assert [(alert.description, alert.injected) for alert in hand.session.log.alerts] == [(47, False)]


def test_a_client_that_goes_on_behind_an_alert_did_not_send_it():
    hand = answered()
    hand.say(CLIENT, ALERT, b"\2\x28")
    hand.say(CLIENT, APPLICATION_DATA, bytes(60))
    assert forged(hand) == [[4]]
    assert [alert.injected for alert in hand.session.log.alerts] == [True]


def test_an_alert_behind_encrypted_records_is_nobodys():
    hand = answered()
    hand.say(CLIENT, APPLICATION_DATA, bytes(60))
    hand.say(CLIENT, ALERT, b"\2\x28")
    hand.say(SERVER, ALERT, b"\2\x28")
    assert forged(hand) == [[5], [6]]


def test_behind_early_data_an_alert_can_be_the_clients():
    hand = answered(EARLY)
    hand.say(CLIENT, APPLICATION_DATA, bytes(60))
    hand.say(CLIENT, ALERT, b"\2\x2f")
    assert forged(hand) == []


@pytest.mark.parametrize(
    ("kind", "body"), [(ALERT, b"\2\x28"), (HANDSHAKE, TICKET_12), (HANDSHAKE, message(0)), (CHANGE_CIPHER_SPEC, b"\1")]
)
def test_until_tls_1_2_nothing_in_plaintext_counts_behind_the_change(kind: int, body: bytes):
    hand = agreed_12()
    n_protected = hand.session.roles[SERVER].n_protected
    hand.say(SERVER, kind, body)
    assert forged(hand) == [[hand.frame]]
    assert hand.session.roles[SERVER].n_protected == n_protected


def test_an_alert_before_its_own_change_is_legal():
    hand = Hand()
    hand.handshake(CLIENT, client_hello())
    hand.handshake(SERVER, server_hello(), message(14))
    hand.say(CLIENT, CHANGE_CIPHER_SPEC, b"\1")
    hand.say(CLIENT, HANDSHAKE, bytes(40))
    hand.say(SERVER, ALERT, b"\2\x33")
    assert forged(hand) == []


def test_data_of_a_side_that_never_changed_is_plaintext_unless_bytes_are_missing():
    for length in (0, 100):
        hand = Hand()
        hand.handshake(CLIENT, client_hello())
        hand.handshake(SERVER, server_hello(), message(14))
        if length:
            hand.gap(SERVER, length)
        hand.say(SERVER, APPLICATION_DATA, b"HTTP/1.1 200 OK")
        hand.say(SERVER, APPLICATION_DATA, b"more")
        assert forged(hand) == ([] if length else [[4, 5]])
    assert not hand.session.established


def read_with(keys: str, flights: list[tuple[int, bytes]]) -> dict[str, object]:
    """The record of a talk with its secrets."""
    keylog = KeyLog()
    keylog.feed(keys.encode())
    tap = Tap()
    tap.engine = Engine(keylog=keylog)
    tap.feed(*packetise(flights))
    (session,) = tap.close()
    return session_record(session, False)


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_what_is_inserted_costs_no_record(version: str):
    whole: Talk = talk_of([(CLIENT, b"question"), (SERVER, b"answer")], version)
    calm = read_with(whole.keylog, list(whole.flights))
    inserted = [*whole.flights[:-2], (SERVER, b"\x15\3\3\0\2\2\x28"), (SERVER, b"\x16\3\3\0\4\0\0\0\0"), *whole.flights[-2:]]
    found = read_with(whole.keylog, inserted)
    assert found["decryption"] == calm["decryption"]
    assert found["certificates"] == calm["certificates"]
    assert [finding["code"] for finding in found["findings"]].count("plaintext_record") == 2
    assert "plaintext_record" not in [finding["code"] for finding in calm["findings"]]
    assert [alert.get("injected") for alert in found["alerts"]].count(True) == 1
    assert "fatal_alert" not in [finding["code"] for finding in found["findings"]]


def test_without_keys_too():
    flights = list(talk())
    tap = Tap()
    tap.feed(*packetise([*flights[:-1], (SERVER, b"\x16\3\3\0\x08" + CERTIFICATE), *flights[-1:]]))
    (record,) = tap.records()
    assert [finding["code"] for finding in record["findings"]].count("plaintext_record") == 1


@pytest.mark.parametrize("lost", ["change", "all"])
def test_what_comes_behind_a_lost_change_of_ciphers_opens(lost: str):
    whole: Talk = talk_of([(CLIENT, b"question"), (SERVER, b"answer")], "TLSv1_2")
    calm = read_with(whole.keylog, list(whole.flights))
    keylog = KeyLog()
    keylog.feed(whole.keylog.encode())
    tap = Tap()
    tap.engine = Engine(keylog=keylog)
    place, cut = next(
        (number, data.index(b"\x14\3\3\0\1\1"))
        for number, (side, data) in enumerate(whole.flights)
        if side == SERVER and b"\x14\3\3\0\1\1" in data
    )
    data = whole.flights[place][1]
    kept = data[:cut], data[cut : cut + 6] if lost == "change" else data[cut:], data[cut + 6 :] if lost == "change" else b""
    pieces = [(SERVER, part) for part in kept if part]
    flights = [*whole.flights[:place], *pieces, *whole.flights[place + 1 :]]
    segments = packetise(flights)
    gone = next(n for n, one in enumerate(segments) if one.payload == kept[1])
    tap.feed(*segments[:gone], *segments[gone + 1 :])
    (record,) = tap.records()
    assert record["decryption"]["failed"] == 0
    assert record["decryption"]["bytes"] == calm["decryption"]["bytes"]
    assert record["alerts"] == [] or all(alert["encrypted"] for alert in record["alerts"])
    assert record["authenticity"]["finished"]["server"] == "unverifiable"
