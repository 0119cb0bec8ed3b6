"""The states of a handshake: every entry of every table, whole handshakes, and what is out of order."""

import pytest
from sessions_by_hand import (
    ALERT,
    APPLICATION_DATA,
    CHANGE_CIPHER_SPEC,
    CLIENT,
    HANDSHAKE,
    NAMES,
    RETRY_RANDOM,
    SERVER,
    TLS13,
    Hand,
    client_hello,
    events_of,
    message,
    server_hello,
)

from analyzer.tls.events import HandshakeMessage, KeysChanged, OutOfOrder, SessionEnded
from analyzer.tls.handshake.states import CHANGE, CLIENT_12, CLIENT_13, SERVER_12, SERVER_13, RoleState, State, Table

HR, CH, SH, NST, EOED, RETRY, EE, CERT, SKE, CR, DONE, CV, CKE, FIN = 0, 1, 2, 4, 5, 6, 8, 11, 12, 13, 14, 15, 16, 20
URL, STATUS, SUPPLEMENT, KU, PACKED, NPN, ID = 21, 22, 23, 24, 25, 67, 203

TABLES: dict[str, tuple[Table, int, bool]] = {
    "client 1.2": (CLIENT_12, CLIENT, False),
    "server 1.2": (SERVER_12, SERVER, False),
    "client 1.3": (CLIENT_13, CLIENT, True),
    "server 1.3": (SERVER_13, SERVER, True),
}
ROWS = [
    (name, state, number, following)
    for name, (table, _, _) in TABLES.items()
    for state, row in table.items()
    for number, following in row.items()
]


def standing(role: int, state: State) -> RoleState:
    sender = RoleState(role)
    sender.state = state
    return sender


# The tables.


@pytest.mark.parametrize(("name", "state", "number", "following"), ROWS)
def test_every_entry_of_every_table(name: str, state: State, number: int, following: State):
    _, role, tls13 = TABLES[name]
    sender = standing(role, state)
    assert sender.advance(number, tls13)
    assert sender.state == following
    assert sender.name == following.name


@pytest.mark.parametrize("name", TABLES)
def test_what_a_state_does_not_allow_is_out_of_order_and_leads_to_the_usual_state(name: str):
    table, role, tls13 = TABLES[name]
    leads: dict[int, set[State]] = {}
    for row in table.values():
        for number, following in row.items():
            leads.setdefault(number, set()).add(following)
    for state in State:
        for number in range(256):
            if number in table.get(state, {}):
                continue
            sender = standing(role, state)
            assert bool(sender.advance(number, tls13)) == (state == State.UNKNOWN)
            (following,) = one if len(one := leads.get(number, set())) == 1 else {State.UNKNOWN}
            assert sender.state == following


@pytest.mark.parametrize("name", TABLES)
def test_from_unknown_every_message_is_in_order(name: str):
    table, role, tls13 = TABLES[name]
    assert State.UNKNOWN not in table
    for number in range(256):
        sender = RoleState(role)
        sender.lose()
        assert sender.name == "UNKNOWN"
        assert sender.advance(number, tls13)


@pytest.mark.parametrize("name", TABLES)
def test_every_state_of_a_table_is_reached_and_none_is_a_dead_end(name: str):
    table, _, _ = TABLES[name]
    reached = {State.START} | {following for row in table.values() for following in row.values()}
    assert reached == set(table)


def test_a_role_begins_at_the_start():
    sender = RoleState(SERVER)
    assert (sender.role, sender.name, sender.change_frame, sender.n_protected, sender.n_application) == (1, "START", 0, 0, 0)
    assert not sender.encrypted_finished_seen
    assert not sender.sent_no_record


# Sequences of messages, according to the RFCs.

IN_ORDER = {
    "client 1.2": [
        [CH, CKE, CHANGE, FIN],
        [CH, CH, CKE, CHANGE, FIN],  # DTLS: again, with a cookie
        [CH, CERT, CKE, CHANGE, FIN],
        [CH, CERT, CKE, CV, CHANGE, FIN],
        [CH, SUPPLEMENT, CERT, CKE, CV, CHANGE, FIN],
        [CH, URL, CKE, CV, CHANGE, FIN],
        [CH, CHANGE, FIN],
        [CH, CKE, CHANGE, NPN, FIN],
        [CH, CKE, CHANGE, NPN, ID, FIN],
        [CH, CKE, CHANGE, FIN, CH, CERT, CKE, CV, CHANGE, FIN, CH, CHANGE, FIN],
    ],
    "server 1.2": [
        [SH, CERT, DONE, CHANGE, FIN],
        [SH, CERT, SKE, DONE, CHANGE, FIN],
        [SH, CERT, STATUS, SKE, CR, DONE, NST, CHANGE, FIN],
        [SH, CERT, CR, DONE, CHANGE, FIN],
        [SH, CERT, STATUS, DONE, CHANGE, FIN],
        [SH, PACKED, SKE, DONE, CHANGE, FIN],
        [SH, SUPPLEMENT, CERT, SKE, DONE, CHANGE, FIN],
        [SH, SKE, DONE, CHANGE, FIN],
        [SH, DONE, CHANGE, FIN],
        [SH, CHANGE, FIN],
        [SH, NST, CHANGE, FIN],
        [HR, SH, CERT, DONE, CHANGE, FIN],
        [HR, SH, HR, CERT, HR, DONE, HR, CHANGE, HR, FIN],  # at any time (RFC 5246 section 7.4.1.1)
        [SH, CERT, DONE, CHANGE, FIN, HR, SH, CERT, SKE, CR, DONE, CHANGE, FIN, SH, CHANGE, FIN],
    ],
    "client 1.3": [
        [CH, FIN],
        [CH, CH, FIN],
        [CH, EOED, FIN],
        [CH, CERT, FIN],
        [CH, CERT, CV, FIN],
        [CH, PACKED, CV, FIN],
        [CH, EOED, CERT, CV, FIN],
        [CH, EE, FIN],
        [CH, EOED, EE, CERT, CV, ID, FIN],
        [CH, FIN, KU, KU, CERT, CV, FIN, KU, CERT, FIN],
    ],
    "server 1.3": [
        [SH, EE, CERT, CV, FIN],
        [SH, EE, CR, CERT, CV, FIN],
        [SH, EE, CR, PACKED, CV, FIN],
        [SH, EE, FIN],
        [RETRY, SH, EE, CERT, CV, FIN],
        [SH, EE, FIN, NST, NST, KU, CR, KU, NST],
    ],
}

OUT_OF_ORDER = {
    "client 1.2": [
        ([CKE, CHANGE, FIN], [0]),
        ([CH, FIN], [1]),
        ([CH, CKE, FIN], [2]),
        ([CH, CKE, CKE, CHANGE, FIN], [2]),
        ([CH, CV, CKE, CHANGE, FIN], [1, 2]),
        ([CH, CERT, CV, CKE, CHANGE, FIN], [2, 3]),
        ([CH, CERT, CHANGE, FIN], [2]),
        ([CH, CKE, CHANGE, FIN, FIN], [4]),
        ([CH, CKE, CHANGE, FIN, CKE, CHANGE, FIN], [4]),
        ([CH, CKE, CHANGE, CH, CKE, CHANGE, FIN], [3]),
        ([CH, CKE, CHANGE, CHANGE, FIN], [3]),
        ([CH, SH, CKE, CHANGE, FIN], [1]),  # a message of the other role: what follows is not known
        ([CH, KU, FIN], [1]),
    ],
    "server 1.2": [
        ([CERT, DONE, CHANGE, FIN], [0]),
        ([SH, SH, CERT, DONE, CHANGE, FIN], [1]),
        ([SH, CERT, CERT, DONE, CHANGE, FIN], [2]),
        ([SH, SKE, CERT, DONE, CHANGE, FIN], [2]),
        ([SH, CERT, CR, SKE, DONE, CHANGE, FIN], [3]),
        ([SH, CERT, SKE, STATUS, DONE, CHANGE, FIN], [3]),
        ([SH, CERT, CHANGE, FIN], [2]),
        ([SH, CERT, SKE, DONE, FIN], [4]),
        ([SH, CERT, DONE, CHANGE, NST, FIN], [4, 5]),
        ([SH, CERT, DONE, DONE, CHANGE, FIN], [3]),
        ([SH, CERT, DONE, CHANGE, FIN, FIN], [5]),
    ],
    "client 1.3": [
        ([FIN], [0]),
        ([CH, KU, FIN], [1, 2]),
        ([CH, CV, FIN], [1]),
        ([CH, CERT, CERT, FIN], [2]),
        ([CH, CERT, EOED, FIN], [2]),
        ([CH, EOED, EOED, FIN], [2]),
        ([CH, FIN, FIN], [2]),
        ([CH, FIN, CH], [2]),
        ([CH, CKE, FIN], [1]),
    ],
    "server 1.3": [
        ([EE, CERT, CV, FIN], [0]),
        ([SH, CERT, CV, FIN], [1]),
        ([SH, FIN], [1]),
        ([SH, EE, EE, FIN], [2]),
        ([SH, EE, CERT, FIN], [3]),
        ([SH, EE, CV, FIN], [2]),
        ([SH, EE, CERT, CR, CV, FIN], [3]),
        ([SH, EE, CR, FIN], [3]),
        ([SH, EE, NST, FIN], [2, 3]),
        ([SH, EE, FIN, SH], [3]),
        ([RETRY, RETRY, SH], [1]),
        ([SH, RETRY, SH, EE], [1]),
        ([RETRY, EE], [1]),
    ],
}


def out_of_order(name: str, numbers: list[int]) -> list[int]:
    """The indices of the messages that are out of order."""
    _, role, tls13 = TABLES[name]
    sender = RoleState(role)
    return [place for place, number in enumerate(numbers) if not sender.advance(number, tls13)]


@pytest.mark.parametrize(("name", "numbers"), [(name, numbers) for name, rows in IN_ORDER.items() for numbers in rows])
def test_what_the_rfcs_allow_is_in_order(name: str, numbers: list[int]):
    assert out_of_order(name, numbers) == []


@pytest.mark.parametrize(
    ("name", "numbers", "wrong"), [(name, numbers, wrong) for name, rows in OUT_OF_ORDER.items() for numbers, wrong in rows]
)
def test_what_they_do_not_allow_is_reported_and_the_states_continue_from_there(name: str, numbers: list[int], wrong: list[int]):
    assert out_of_order(name, numbers) == wrong


@pytest.mark.parametrize(("name", "numbers"), [(name, numbers) for name, rows in IN_ORDER.items() for numbers in rows])
def test_after_a_loss_nothing_is_out_of_order_wherever_it_is(name: str, numbers: list[int]):
    _, role, tls13 = TABLES[name]
    for first in range(len(numbers)):
        for lost in range(first, len(numbers)):
            sender = RoleState(role)
            assert all(sender.advance(number, tls13) for number in numbers[:first])
            sender.lose()
            assert all(sender.advance(number, tls13) for number in numbers[lost:])


# Whole handshakes of real endpoints.


@pytest.mark.parametrize("keyed", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_in_the_demonstration_captures_nothing_is_out_of_order(name: str, keyed: bool):
    events = events_of(name, keyed)
    assert [event for event in events if isinstance(event, OutOfOrder)] == []
    assert any(isinstance(event, HandshakeMessage) for event in events)


FULL_12 = ["client_hello", "client_key_exchange", "finished"]
PROOF = ["certificate", "certificate_verify", "finished"]


@pytest.mark.parametrize(
    ("name", "session", "client", "server"),
    [
        (
            "tls12-ecdhe-ecdsa",
            0,
            FULL_12,
            ["server_hello", "certificate", "server_key_exchange", "server_hello_done", "new_session_ticket", "finished"],
        ),
        ("tls12-session-id-resumption", 1, ["client_hello", "finished"], ["server_hello", "finished"]),
        ("tls12-ticket-resumption", 1, ["client_hello", "finished"], ["server_hello", "finished"]),
        (
            "tls12-client-certificate",
            0,
            ["client_hello", "certificate", "client_key_exchange", "certificate_verify", "finished"],
            [
                "server_hello",
                "certificate",
                "server_key_exchange",
                "certificate_request",
                "server_hello_done",
                "new_session_ticket",
                "finished",
            ],
        ),
        ("tls13-rsa", 0, ["client_hello", "finished"], ["server_hello", "encrypted_extensions", *PROOF]),
        (
            "tls13-hello-retry-request",
            0,
            ["client_hello", "client_hello", "finished"],
            ["hello_retry_request", "server_hello", "encrypted_extensions", *PROOF],
        ),
        (
            "tls13-early-data",
            1,
            ["client_hello", "end_of_early_data", "finished"],
            ["server_hello", "encrypted_extensions", "finished"],
        ),
        ("tls13-psk-resumption", 1, ["client_hello", "finished"], ["server_hello", "encrypted_extensions", "finished"]),
        (
            "tls13-client-certificate",
            0,
            ["client_hello", *PROOF],
            ["server_hello", "encrypted_extensions", "certificate_request", *PROOF],
        ),
        (
            "tls13-post-handshake-authentication",
            0,
            ["client_hello", "finished", *PROOF],
            ["server_hello", "encrypted_extensions", *PROOF, "certificate_request"],
        ),
    ],
)
def test_whole_handshakes_end_connected(name: str, session: int, client: list[str], server: list[str]):
    events = events_of(name)
    for role, wanted in ((CLIENT, client), (SERVER, server)):
        said = [
            event.name
            for event in events
            if isinstance(event, HandshakeMessage) and (event.session, event.role) == (session, role)
        ]
        optional = "new_session_ticket"
        assert [one for one in said if one != optional or optional in wanted] == wanted
    (ended,) = [event.ended for event in events if isinstance(event, SessionEnded) and event.session == session]
    assert [sender.name for sender in ended.roles] == ["CONNECTED", "CONNECTED"]


def test_a_renegotiation_is_a_second_handshake_in_order():
    events = events_of("tls12-renegotiation")
    said = [event.name for event in events if isinstance(event, HandshakeMessage) and event.role == CLIENT]
    assert said == [*FULL_12, *FULL_12]
    changes = [(event.role, event.epoch) for event in events if isinstance(event, KeysChanged)]
    assert changes[:2] == [(CLIENT, "protected"), (SERVER, "protected")]


# Sessions by hand.

CERTIFICATE_12 = message(CERT, b"\0\0\0")
EXCHANGE = message(CKE, b"\4abcd")


def events_out_of_order(hand: Hand) -> list[tuple[int, str, int, int]]:
    """Number, state, role and frame of messages that are out of order."""
    return [(event.type, event.state, event.role, event.frame) for event in hand.of(OutOfOrder)]


def begun(*answers: bytes) -> Hand:
    """A session of TLS 1.2 with both hellos, in frames 2 and 3."""
    hand = Hand()
    hand.handshake(CLIENT, client_hello())
    hand.handshake(SERVER, server_hello(), *answers)
    return hand


def test_a_message_twice_is_reported_once_and_reading_continues():
    hand = begun(CERTIFICATE_12)
    hand.handshake(SERVER, CERTIFICATE_12)
    hand.handshake(SERVER, message(DONE))
    hand.handshake(CLIENT, EXCHANGE)
    assert events_out_of_order(hand) == [(CERT, "CERTIFICATE", SERVER, 4)]
    (stray,) = hand.of(OutOfOrder)
    assert (stray.session, stray.at, stray.version) == (0, hand.session.flow.start + 4_000_000, 0x0303)
    assert [name for _, name in hand.messages()] == [
        "client_hello",
        "server_hello",
        "certificate",
        "certificate",
        "server_hello_done",
        "client_key_exchange",
    ]
    place = hand.events.index(stray)
    following = hand.events[place + 1]
    assert isinstance(following, HandshakeMessage)
    assert (following.type, following.frame) == (CERT, 4)


def test_messages_in_the_wrong_order():
    hand = begun(message(DONE), CERTIFICATE_12)
    assert events_out_of_order(hand) == [(CERT, "HELLO_DONE", SERVER, 3)]
    hand.handshake(CLIENT, CERTIFICATE_12)
    hand.say(CLIENT, CHANGE_CIPHER_SPEC, b"\1")
    assert events_out_of_order(hand)[1:] == [(CHANGE, "CERTIFICATE", CLIENT, 5)]  # the attack of CVE-2014-0224 begins like this
    assert hand.session.roles[CLIENT].name == "CHANGED"


def test_a_message_of_the_other_role():
    hand = begun()
    hand.handshake(CLIENT, message(DONE))
    assert events_out_of_order(hand) == [(DONE, "HELLO", CLIENT, 4)]
    assert hand.session.roles[CLIENT].name == "UNKNOWN"


def test_a_second_server_hello_of_tls_1_3():
    hand = Hand()
    hand.handshake(CLIENT, client_hello(TLS13))
    hand.handshake(SERVER, server_hello(TLS13, suite=b"\x13\1"))
    hand.handshake(SERVER, server_hello(TLS13, suite=b"\x13\1"))
    assert events_out_of_order(hand) == []  # it is in plaintext, and counts for nothing
    assert [finding.code for finding in hand.session.log.findings] == ["plaintext_record"]


def test_a_retry_is_in_order_once():
    retry = server_hello(TLS13, suite=b"\x13\1", random=RETRY_RANDOM)
    hand = Hand()
    hand.handshake(CLIENT, client_hello())
    hand.handshake(SERVER, retry)
    hand.say(CLIENT, CHANGE_CIPHER_SPEC, b"\1")
    hand.handshake(CLIENT, client_hello())
    hand.handshake(SERVER, server_hello(TLS13, suite=b"\x13\1"))
    assert events_out_of_order(hand) == []
    assert [sender.name for sender in hand.session.roles] == ["HELLO", "HELLO"]
    again = Hand()
    again.handshake(CLIENT, client_hello())
    again.handshake(SERVER, retry)
    again.handshake(SERVER, retry)
    assert events_out_of_order(again) == [(RETRY, "RETRY", SERVER, 4)]


def test_a_change_before_the_answer_means_nothing_that_can_be_out_of_order():
    """A client that sends early data sends one after its hello (RFC 9846 appendix E.4)."""
    hand = Hand()
    hand.handshake(CLIENT, client_hello())
    told = hand.say(CLIENT, CHANGE_CIPHER_SPEC, b"\1")
    assert [event for event in told if isinstance(event, KeysChanged)] == []
    hand.handshake(SERVER, server_hello(TLS13, suite=b"\x13\1"))
    hand.handshake(CLIENT, message(EOED))
    assert events_out_of_order(hand) == []


def test_without_secrets_nothing_encrypted_is_out_of_order():
    hand = begun(CERTIFICATE_12, message(DONE))
    hand.handshake(CLIENT, EXCHANGE)
    for role in (CLIENT, SERVER):
        hand.say(role, CHANGE_CIPHER_SPEC, b"\1")
        hand.say(role, HANDSHAKE, bytes(40))
        hand.say(role, APPLICATION_DATA, bytes(40))
        hand.say(role, HANDSHAKE, bytes(70))
        hand.say(role, ALERT, bytes(30))
    assert events_out_of_order(hand) == []
    assert [sender.name for sender in hand.session.roles] == ["UNKNOWN", "UNKNOWN"]


@pytest.mark.parametrize("role", [CLIENT, SERVER])
def test_after_a_loss_a_role_may_send_anything_and_the_other_may_not(role: int):
    hand = begun(CERTIFICATE_12)
    hand.gap(role, 100)
    hand.handshake(SERVER, CERTIFICATE_12)
    hand.handshake(CLIENT, message(CV, b"\4\1\0\0"))
    wrong = [(CV, "HELLO", CLIENT, 5)] if role == SERVER else [(CERT, "CERTIFICATE", SERVER, 4)]
    assert events_out_of_order(hand) == wrong


def test_a_message_without_its_end_is_a_loss_too():
    hand = begun()
    hand.say(SERVER, HANDSHAKE, CERTIFICATE_12[:5], missing=2)
    hand.handshake(SERVER, CERTIFICATE_12)
    assert events_out_of_order(hand) == []


def test_a_message_of_the_highest_number_is_no_change_of_ciphers():
    hand = begun(message(DONE), CERTIFICATE_12)
    hand.handshake(CLIENT, message(CKE))
    hand.handshake(CLIENT, message(255))
    assert events_out_of_order(hand)[-1] == (255, "KEY_EXCHANGE", CLIENT, 5)
    assert hand.session.roles[CLIENT].name == "UNKNOWN"
