"""What a stranger sends ahead of the real messages of a DTLS handshake is not believed, and costs no more than it must."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from dtls_injection import CHANGE_CIPHER_SPEC, CLIENT, HANDSHAKE, SERVER, Talk, message, plain

from analyzer.tls.dtls import disputes as disputes_module
from analyzer.tls.dtls.disputes import MAX_MESSAGES, MAX_RECORDS, MAX_REQUESTS, MAX_VERSIONS, Disputes
from analyzer.tls.dtls.judgement import TrialResumptions, judge_at_end
from analyzer.tls.dtls.record_headers import FRAGMENT_HEADER
from analyzer.tls.dtls.unproved import report_unproved
from analyzer.tls.handshake.resumption import ResumableSession, Resumptions
from analyzer.tls.record.record import Record
from analyzer.tls.session_log import MAX_FRAMES, SessionLog

CLIENT_HELLO, SERVER_HELLO, HELLO_VERIFY_REQUEST, CERTIFICATE, SERVER_KEY_EXCHANGE, CLIENT_KEY_EXCHANGE = 1, 2, 3, 11, 12, 16
TICKET, FINISHED = 4, 20


def changed(body: bytes, place: int) -> bytes:
    """A message with another byte at a place."""
    return body[:place] + bytes((body[place] ^ 1,)) + body[place + 1 :]


def codes(record: dict[str, Any]) -> set[tuple[str, str]]:
    """Severities and codes of the findings of a session."""
    return {(one["severity"], one["code"]) for one in record["findings"]}


def proved(record: dict[str, Any], honest: dict[str, Any]) -> None:
    """All that the honest session shows is shown."""
    keys = (
        "version",
        "cipher_suite",
        "group",
        "established",
        "ja3",
        "ja3s",
        "chain",
        "certificates",
        "authenticity",
        "resumed",
    )
    for key in (*keys, "decryption", "server_name"):
        assert record[key] == honest[key], key
    assert [one["description"] for one in record["alerts"]] == [one["description"] for one in honest["alerts"]]
    assert record["outcome"]["result"] == honest["outcome"]["result"]


@pytest.mark.parametrize("behind", [0, 1], ids=["ahead", "behind"])
@pytest.mark.parametrize("name", ["dtls12-cookie", "dtls13-cookie"])
def test_a_forged_server_hello(name: str, behind: int, tmp_path: Path):
    """Its random is another one, so nothing opens with it; with keys, what opens and verifies is the real one."""
    (honest,) = Talk(name).read(tmp_path)
    talk = Talk(name)
    places = [place for place in range(len(talk.packets)) if talk.has(place, SERVER_HELLO)]
    real = places[1 if name == "dtls13-cookie" else 0]
    talk.insert(real + behind, SERVER, plain(HANDSHAKE, changed(talk.message_at(real, SERVER_HELLO), 30)))
    (found,) = talk.read(tmp_path)
    proved(found, honest)
    assert codes(found) - codes(honest) == {("info", "contradicting_messages")}
    (unproved,) = talk.read(tmp_path, keys=False)
    assert unproved["cipher_suite"] is None or name == "dtls13-cookie"
    assert unproved["ja3s"] is None
    assert unproved["established"] is True
    assert ("info", "contradicting_messages") in codes(unproved)
    assert not {severity for severity, _ in codes(unproved)} & {"medium", "high"}


@pytest.mark.parametrize(
    ("kind", "role", "sequence", "body"),
    [
        (CERTIFICATE, SERVER, 2, bytes(200)),
        (SERVER_KEY_EXCHANGE, SERVER, 3, bytes(100)),
        (CLIENT_KEY_EXCHANGE, CLIENT, 2, b"\x20" + bytes(32)),
    ],
    ids=["certificate", "server_key_exchange", "client_key_exchange"],
)
def test_a_forged_message(kind: int, role: int, sequence: int, body: bytes, tmp_path: Path):
    (honest,) = Talk("dtls12-cookie").read(tmp_path)
    talk = Talk("dtls12-cookie")
    talk.insert(talk.first(kind), role, plain(HANDSHAKE, message(kind, sequence, body)))
    (found,) = talk.read(tmp_path)
    proved(found, honest)
    assert codes(found) - codes(honest) == {("info", "contradicting_messages")}
    (unproved,) = talk.read(tmp_path, keys=False)
    assert ("info", "contradicting_messages") in codes(unproved)
    assert unproved["cipher_suite"] == honest["cipher_suite"]
    if kind == CERTIFICATE:
        assert unproved["chain"]["verdict"] == "unknown"
    if kind == SERVER_KEY_EXCHANGE:
        assert unproved["authenticity"]["server_signature"] == "unverifiable"
    assert "failed" not in str(unproved["authenticity"])


@pytest.mark.parametrize(("name", "sequence"), [("dtls12-fragments", 5), ("dtls12-client-certificate", 6)])
def test_two_forged_messages_in_the_place_of_a_ticket(name: str, sequence: int, tmp_path: Path):
    """The Finished of the client comes before the ticket, and says nothing about what is there."""
    (honest,) = Talk(name).read(tmp_path)
    talk = Talk(name)
    for content in (1, 2):
        talk.insert(1, SERVER, plain(HANDSHAKE, message(CERTIFICATE, sequence, bytes((content,)) * 40), number=900 + content))
    (found,) = talk.read(tmp_path)
    proved(found, honest)
    assert codes(found) - codes(honest) == {("info", "contradicting_messages")}


def test_the_finished_of_another_handshake_proves_nothing(tmp_path: Path):
    """The Finished of the first one has the number of two forged messages, so it is not known; that of the second one is."""
    talk = Talk("dtls12-renegotiation")
    for content in (1, 2):
        talk.insert(1, CLIENT, plain(HANDSHAKE, message(CERTIFICATE, 3, bytes((content,)) * 40), number=900 + content))
    (found,) = talk.read(tmp_path)
    assert codes(found) == {("info", "contradicting_messages")}


@pytest.mark.parametrize("length", [None, 40], ids=["the same length", "another length"])
def test_a_forged_fragment(length: int | None, tmp_path: Path):
    """The first fragment of a certificate has other bytes, or says that the message is shorter."""
    (honest,) = Talk("dtls12-fragments").read(tmp_path)
    talk = Talk("dtls12-fragments")
    first = talk.first(CERTIFICATE)
    real = talk.message_at(first, CERTIFICATE)
    whole = int.from_bytes(real[1:4]) if length is None else length
    forged = message(CERTIFICATE, 2, bytes(min(len(real) - FRAGMENT_HEADER, whole)), whole)
    talk.insert(first, SERVER, plain(HANDSHAKE, forged))
    (found,) = talk.read(tmp_path)
    proved(found, honest)
    (unproved,) = talk.read(tmp_path, keys=False)
    assert unproved["chain"]["verdict"] == "unknown"
    assert ("info", "contradicting_messages") in codes(unproved)


@pytest.mark.parametrize("behind", [0, 1], ids=["ahead", "behind"])
def test_a_hello_that_no_finished_covers(behind: int, tmp_path: Path):
    """The first ClientHello before a HelloVerifyRequest is not hashed: the second one shows the client (RFC 6347 4.2.6)."""
    (honest,) = Talk("dtls12-cookie").read(tmp_path)
    talk = Talk("dtls12-cookie")
    real = talk.message_at(0, CLIENT_HELLO)
    talk.insert(behind, CLIENT, plain(HANDSHAKE, changed(real, len(real) - 1)))
    for keys in (True, False):
        (found,) = talk.read(tmp_path, keys)
        assert found["ja3"] == honest["ja3"]
        assert ("info", "contradicting_messages") in codes(found)
    assert talk.read(tmp_path)[0]["authenticity"] == honest["authenticity"]


@pytest.mark.parametrize("name", ["dtls12-psk", "dtls13-psk"])
@pytest.mark.parametrize("keys", [True, False])
def test_a_forged_hello_verify_request(name: str, keys: bool, tmp_path: Path):
    """The server answers without a cookie, with the same number."""
    (honest,) = Talk(name).read(tmp_path, keys)
    talk = Talk(name)
    talk.insert(1, SERVER, plain(HANDSHAKE, message(HELLO_VERIFY_REQUEST, 0, b"\xfe\xff\x04abcd")))
    (found,) = talk.read(tmp_path, keys)
    proved(found, honest)
    told = {("info", "contradicting_messages")} if name == "dtls13-psk" else set()
    assert codes(found) - codes(honest) == told  # there the server asks for a cookie too, in another way


@pytest.mark.parametrize("kind", [CERTIFICATE, SERVER_HELLO, FINISHED])
@pytest.mark.parametrize("place", [3, 4, 5])
@pytest.mark.parametrize("role", [CLIENT, SERVER])
def test_plaintext_with_the_number_of_a_protected_message(kind: int, place: int, role: int, tmp_path: Path):
    """In DTLS 1.3 a message that opens has its number for sure (RFC 9147 section 4.5.2: others are discarded)."""
    (honest,) = Talk("dtls13-cookie").read(tmp_path)
    talk = Talk("dtls13-cookie")
    talk.insert(place, role, plain(HANDSHAKE, message(kind, 2, bytes(60))))
    (found,) = talk.read(tmp_path)
    proved(found, honest)
    assert codes(found) <= codes(honest) | {("info", "contradicting_messages")}


def test_a_forged_record_with_the_number_of_a_real_one(tmp_path: Path):
    (honest,) = Talk("dtls12-cookie").read(tmp_path)
    talk = Talk("dtls12-cookie")
    place = talk.first(CLIENT_KEY_EXCHANGE)
    number = int.from_bytes(talk.packets[place][1][47:53])
    talk.insert(place, CLIENT, plain(CHANGE_CIPHER_SPEC, b"\2", number))
    (found,) = talk.read(tmp_path)
    proved(found, honest)


def test_a_flood_ends_in_bounded_memory(tmp_path: Path):
    talk = Talk("dtls12-cookie")
    for number in range(700):
        body = number.to_bytes(2) + bytes(40)
        talk.insert(3, SERVER, plain(HANDSHAKE, message(CERTIFICATE, 2 + number % 3, body), 10_000 + number))
    for record in talk.read(tmp_path):
        assert record["chain"]["verdict"] in ("unknown", "absent")
        assert not {severity for severity, _ in codes(record)} & {"high"}


def test_no_more_versions_and_records_than_the_limits():
    disputes = Disputes()
    for number in range(20):
        part = message(CERTIFICATE, 1, bytes((number,)) * 8)
        disputes.compare(SERVER, part[:FRAGMENT_HEADER], part[FRAGMENT_HEADER:], number + 1)
    assert len(disputes.versions[SERVER, 1]) == MAX_VERSIONS
    assert disputes.fresh
    assert disputes.choices(False)[0][SERVER, 1].head == bytes((MAX_VERSIONS - 1,)) * 8
    for _ in range(MAX_RECORDS + 1):
        disputes.keep(Record(0))
    assert disputes.full
    assert len(disputes.records) == MAX_RECORDS
    disputes.end()
    assert disputes.records == []


def test_many_requests_for_a_cookie_cost_little(monkeypatch: pytest.MonkeyPatch):
    """A datagram has room for a hundred empty fragments, so the hellos are not read again for each."""
    read: list[int] = []
    cookie = disputes_module._cookie
    monkeypatch.setattr(disputes_module, "_cookie", lambda one: read.append(one.type) or cookie(one))
    disputes = Disputes()
    for number in range(MAX_MESSAGES):
        for role in (SERVER, CLIENT):
            for version in range(MAX_VERSIONS):
                part = message(HELLO_VERIFY_REQUEST, number, b"\xfe\xfd\1" + bytes((version,)))
                disputes.compare(role, part[:FRAGMENT_HEADER], part[FRAGMENT_HEADER:], 1)
    assert len(disputes.requests) == MAX_REQUESTS
    assert all(role == SERVER for role, _ in disputes.requests)
    for number in (1, 5) * 100:
        part = message(CLIENT_HELLO, number, b"")
        disputes.compare(CLIENT, part, b"", 2)
    assert len(read) <= MAX_MESSAGES * MAX_VERSIONS


def test_fragments_of_another_version_are_put_together():
    """Bytes at one place differ; what both have is in both."""
    disputes = Disputes()
    for offset, data in ((0, b"abcd"), (8, b"ijkl"), (2, b"XXef"), (4, b"efgh")):
        part = message(CERTIFICATE, 1, data, 12, offset)
        disputes.compare(SERVER, part[:FRAGMENT_HEADER], data, 1)
    assert sorted(bytes(one.head) for one in disputes.versions[SERVER, 1]) == [b"abXXefghijkl", b"abcdefghijkl"]


@pytest.mark.parametrize("kind", [CERTIFICATE, SERVER_KEY_EXCHANGE, SERVER_HELLO, 14, CLIENT_KEY_EXCHANGE, FINISHED])
@pytest.mark.parametrize("name", ["dtls12-psk", "dtls12-cookie"])
def test_a_message_that_has_no_place(name: str, kind: int, tmp_path: Path):
    """Behind the last message in plaintext comes the Finished, whose number nobody sees without the keys."""
    for keys in (True, False):
        (honest,) = Talk(name).read(tmp_path, keys)
        numbers = [2, 0]  # the next ones behind those of the client, and of the server
        talk = Talk(name)
        for place in range(len(talk.packets)):
            for _, epoch, body in talk.parts_at(place):
                if epoch == 0 and len(body) > FRAGMENT_HEADER:
                    numbers[talk.role(place)] = int.from_bytes(body[4:6]) + 1
        for role in (CLIENT, SERVER):
            talk = Talk(name)
            talk.insert(talk.first(CLIENT_KEY_EXCHANGE) + 1, role, plain(HANDSHAKE, message(kind, numbers[role], bytes(40))))
            (found,) = talk.read(tmp_path, keys)
            told = codes(found) - codes(honest)
            assert not {severity for severity, _ in told} & {"medium", "high"}
            assert found["established"] is True
            if keys:
                proved(found, honest)


RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
HELLO_RETRY_REQUEST = b"\xfe\xfd" + RETRY + bytes.fromhex("0013010000 0c 002b0002fefc 003300020018")


@pytest.mark.parametrize("name", ["dtls12-cookie", "dtls12-psk", "dtls13-cookie", "dtls13-psk"])
@pytest.mark.parametrize("sequence", [0, 1])
@pytest.mark.parametrize("place", [1, 2, 3])
def test_a_forged_hello_retry_request(name: str, sequence: int, place: int, tmp_path: Path):
    """Also where the server asks for a cookie with a HelloVerifyRequest, which is not hashed."""
    (honest,) = Talk(name).read(tmp_path)
    talk = Talk(name)
    talk.insert(place, SERVER, plain(HANDSHAKE, message(SERVER_HELLO, sequence, HELLO_RETRY_REQUEST)))
    (found,) = talk.read(tmp_path)
    proved(found, honest)
    (unproved,) = talk.read(tmp_path, keys=False)
    assert not {severity for severity, _ in codes(unproved)} & {"medium", "high"}
    assert unproved["established"] is True


@pytest.mark.parametrize("place", [1, 2, 3])
@pytest.mark.parametrize("keys", [True, False])
def test_a_forged_answer_without_a_cookie(place: int, keys: bool, tmp_path: Path):
    """The client goes on with the cookie that the server asked for."""
    (honest,) = Talk("dtls12-cookie").read(tmp_path, keys)
    talk = Talk("dtls12-cookie")
    answer = changed(talk.message_at(talk.first(SERVER_HELLO), SERVER_HELLO), 30)
    talk.insert(place, SERVER, plain(HANDSHAKE, answer[:4] + b"\0\0" + answer[6:]))
    (found,) = talk.read(tmp_path, keys)
    proved(found, honest)
    assert codes(found) - codes(honest) <= {("info", "contradicting_messages")}


@pytest.mark.parametrize("name", ["dtls12-connection-ids", "dtls13-connection-ids"])
def test_a_forged_connection_id(name: str, tmp_path: Path):
    """No header says how long its ID is: it is found by its bytes, also if a forged ServerHello names a shorter one."""
    (honest,) = Talk(name).read(tmp_path)
    talk = Talk(name)
    place = [place for place in range(len(talk.packets)) if talk.has(place, SERVER_HELLO)][-1]
    real = talk.message_at(place, SERVER_HELLO)
    body = real[FRAGMENT_HEADER:]
    at = body.index(b"\0\x36")
    length = body[at + 4]
    short = body[: at + 2] + length.to_bytes(2) + bytes((length - 1,)) + b"\7" * (length - 1) + body[at + 5 + length :]
    begins = 35 + short[34] + 3
    short = short[:begins] + (len(short) - begins - 2).to_bytes(2) + short[begins + 2 :]
    talk.insert(place, SERVER, plain(HANDSHAKE, message(SERVER_HELLO, int.from_bytes(real[4:6]), short)))
    (found,) = talk.read(tmp_path)
    proved(found, honest)


def told(record: dict[str, Any]) -> list[tuple[str, str]]:
    """What proves it, and the message, of each finding about messages that contradict each other."""
    found = [one["detail"] for one in record["findings"] if one["code"] == "contradicting_messages"]
    return [(one.partition("; ")[2].partition(" proves")[0], one.partition(" came")[0]) for one in found]


@pytest.mark.parametrize("certificate", [False, True])
@pytest.mark.parametrize("place", [3, 4, 5])
def test_a_forged_ticket(certificate: bool, place: int, tmp_path: Path):
    """It comes behind the client's Finished, which proves a choice before it and says nothing about this."""
    (honest,) = Talk("dtls12-cookie").read(tmp_path)
    talk = Talk("dtls12-cookie")
    real = talk.message_at(talk.first(TICKET), TICKET)
    talk.insert(place, SERVER, plain(HANDSHAKE, changed(real, len(real) - 1), 901))
    expected = [("the Finished", f"message {int.from_bytes(real[4:6])} of the server")]
    if certificate:
        talk.insert(talk.first(CERTIFICATE), SERVER, plain(HANDSHAKE, message(CERTIFICATE, 2, bytes(200)), 902))
        expected.insert(0, ("the Finished", "message 2 of the server"))
    (found,) = talk.read(tmp_path)
    proved(found, honest)
    assert told(found) == expected


def test_a_ticket_that_only_the_clients_finished_is_behind(tmp_path: Path):
    """What the server sent last was lost: nothing tells which ticket is its own, and the certificate is proved."""
    talk = Talk("dtls12-cookie")
    ticket = talk.first(TICKET)
    real = talk.message_at(ticket, TICKET)
    for number in range(2):
        body = changed(real, len(real) - 1 - number)
        talk.packets[ticket + number :] = []
        talk.insert(ticket + number, SERVER, plain(HANDSHAKE, body, 901 + number))
    talk.insert(talk.first(CERTIFICATE), SERVER, plain(HANDSHAKE, message(CERTIFICATE, 2, bytes(200)), 903))
    (found,) = talk.read(tmp_path)
    assert found["authenticity"]["finished"]["client"] == "verified"
    assert told(found) == [
        ("the Finished", "message 2 of the server"),
        ("nothing", f"message {int.from_bytes(real[4:6])} of the server"),
    ]


def test_parts_that_never_get_whole_hinder_no_proof(tmp_path: Path):
    """Nobody sends a message with their number, so the Finished proves nothing about them."""
    (honest,) = Talk("dtls12-cookie").read(tmp_path)
    talk = Talk("dtls12-cookie")
    for number in range(2):
        part = message(CERTIFICATE, 9, bytes((number,)) * 20, 100)
        talk.insert(3, SERVER, plain(HANDSHAKE, part, 901 + number))
    talk.insert(3, SERVER, plain(HANDSHAKE, message(CERTIFICATE, 2, bytes(200)), 903))
    (found,) = talk.read(tmp_path)
    proved(found, honest)
    assert told(found) == [("the Finished", "message 2 of the server"), ("nothing", "message 9 of the server")]


def test_what_is_tried_is_not_kept_for_others():
    run = Resumptions()
    trial = TrialResumptions(run)
    server = b"\1\2\3\4\1\xbb"
    trial.keep_id(b"id", ResumableSession(1, server, None))
    trial.keep_ticket(b"ticket", ResumableSession(1, server, None))
    assert run.find(b"ticket", b"id", server, None) is None
    known = ResumableSession(2, server, None)
    known.master = b"master"
    run.keep_ticket(b"ticket", known)
    assert trial.find(b"ticket", b"", server, None) is known
    assert trial.secret(known) == b"master"


def test_forged_messages_of_one_type_are_one_finding():
    log = SessionLog(0, None)
    for frame in range(1, 40):
        report_unproved(log, SERVER, CERTIFICATE, frame)
        report_unproved(log, CLIENT, CERTIFICATE, frame)
    assert [one.frames for one in log.findings] == [list(range(1, MAX_FRAMES + 1))] * 2


def test_a_finding_for_which_there_is_no_room_changes_no_other(tmp_path: Path):
    parameters, disputes, log = SimpleNamespace(tls13=False), Disputes(), SessionLog(0, None)
    disputes.disputed = {(SERVER, 2): [7, 8]}
    session = SimpleNamespace(disputes=disputes, log=log, handshake=SimpleNamespace(parameters=parameters, material=None))
    disputes.over = True
    judge_at_end(session)
    assert log.findings[0].frames == [7, 8]
    while not log.dropped:
        log.add_finding("other", "low", "", 1)
    judge_at_end(session)
    assert log.findings[-1].frames == [1]
