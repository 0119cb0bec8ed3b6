"""A ClientHello of a stranger on the ports of a DTLS session neither ends it nor takes its packets."""

from pathlib import Path
from typing import Any

import pytest
from dtls_injection import CHANGE_CIPHER_SPEC, CLIENT, HANDSHAKE, SERVER, Talk, message, plain

from analyzer.engine.waiting_hellos import MAX_RECORDS, MAX_WAITING, WaitingHellos, random_of
from analyzer.tls.record.record import Record

CLIENT_HELLO, SERVER_HELLO, RANDOM = 1, 2, slice(14, 46)
NAMES = ["dtls12-cookie", "dtls12-psk", "dtls12-connection-ids", "dtls13-cookie", "dtls13-psk"]


def hello_of(talk: Talk, number: int = 0) -> bytes:
    """The first ClientHello of a recording with another random."""
    real = talk.message_at(0, CLIENT_HELLO)
    return real[: RANDOM.start] + bytes(range(number, number + 32)) + real[RANDOM.stop :]


def facts(record: dict[str, Any]) -> tuple[Any, ...]:
    """What must not change."""
    keys = ("version", "cipher_suite", "established", "server_name", "chain", "authenticity", "decryption", "resumed")
    return *(record[key] for key in keys), [one["description"] for one in record["alerts"]]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("keys", [True, False])
def test_an_unanswered_hello_behind_the_answer(name: str, keys: bool, tmp_path: Path):
    (honest,) = Talk(name).read(tmp_path, keys)
    count = len(Talk(name).packets)
    for place in (*range(Talk(name).first(SERVER_HELLO) + 2, count, 3), count):
        talk = Talk(name)
        talk.insert(place, CLIENT, plain(HANDSHAKE, hello_of(talk)))
        (found,) = talk.read(tmp_path, keys)
        assert facts(found) == facts(honest)
        assert (found["ja3"], found["ja4"], found["ja3s"]) == (honest["ja3"], honest["ja4"], honest["ja3s"])
        assert [one["code"] for one in found["findings"]] == [one["code"] for one in honest["findings"]]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("place", [0, 1])
def test_an_unanswered_hello_before_any_answer(name: str, place: int, tmp_path: Path):
    """Both hellos are in doubt, and a Finished shows which one the server has answered."""
    (honest,) = Talk(name).read(tmp_path)
    talk = Talk(name)
    talk.insert(place, CLIENT, plain(HANDSHAKE, hello_of(talk)))
    (found,) = talk.read(tmp_path)
    assert facts(found) == facts(honest)
    assert found["ja3"] == honest["ja3"]
    (unproved,) = talk.read(tmp_path, keys=False)
    assert "contradicting_messages" in [one["code"] for one in unproved["findings"]]
    assert not {one["severity"] for one in unproved["findings"]} & {"medium", "high"}
    assert unproved["established"] is not False


@pytest.mark.parametrize("name", ["dtls12-psk", "dtls13-psk"])
def test_a_hello_that_a_server_answers_without_a_cookie(name: str, tmp_path: Path):
    """The session before goes on, because nobody goes on behind that answer (RFC 6347 section 4.2.8)."""
    (honest,) = Talk(name).read(tmp_path)
    talk = Talk(name)
    answered = [place for place in range(len(talk.packets)) if talk.has(place, SERVER_HELLO)][-1]
    answer = talk.message_at(answered, SERVER_HELLO)
    place = len(talk.packets) - 4
    talk.insert(place, CLIENT, plain(HANDSHAKE, hello_of(talk)))
    talk.insert(place + 1, SERVER, plain(HANDSHAKE, answer[: RANDOM.start] + bytes(range(60, 92)) + answer[RANDOM.stop :]))
    first, other = talk.read(tmp_path)
    assert facts(first) == facts(honest)
    assert first["last_frame"] == honest["last_frame"] + 2
    assert other["established"] is not True
    assert not {one["severity"] for one in other["findings"]} & {"medium", "high"}


@pytest.mark.parametrize("name", NAMES)
def test_a_client_that_begins_again(name: str, tmp_path: Path):
    """Its hello is answered, and it goes on: this is another session, and the one before ends with it."""
    talk = Talk(name)
    (once,) = talk.read(tmp_path)
    later = [(at + 60_000_000, frame) for at, frame in talk.packets]
    real = talk.message_at(0, CLIENT_HELLO)[RANDOM]
    answers = [talk.message_at(place, SERVER_HELLO) for place in range(len(later)) if talk.has(place, SERVER_HELLO)]
    random = answers[-1][RANDOM]
    talk.packets += [(at, frame.replace(real, bytes(range(32))).replace(random, bytes(range(40, 72)))) for at, frame in later]
    first, second = talk.read(tmp_path, keys=False)
    assert first["last_frame"] == once["last_frame"]
    assert (first["established"], second["established"]) == (True, True)
    assert second["first_frame"] == once["last_frame"] + 1
    assert first["ja3"] == second["ja3"]


def test_a_client_that_gets_no_answer_any_more(tmp_path: Path):
    """It sends its hello again and again: this is a session that was abandoned."""
    talk = Talk("dtls12-cookie")
    hello = hello_of(talk)
    at = talk.packets[-1][0]
    for number in range(3):
        talk.insert(len(talk.packets), CLIENT, plain(HANDSHAKE, hello, number))
        at += 1_000_000 << number
        talk.packets[-1] = at, talk.packets[-1][1]
    first, second = talk.read(tmp_path)
    assert first["established"] is True
    assert second["first_frame"] == len(talk.packets) - 2
    assert second["established"] in (False, None)


def test_what_waits_is_bounded():
    waiting = WaitingHellos()
    for number in range(MAX_WAITING + 3):
        content = message(CLIENT_HELLO, 0, b"\xfe\xfd" + bytes((number,)) * 32)
        record = Record(0)
        record.body = content
        for _ in range(MAX_RECORDS + 2):
            assert waiting.take(0, content, record) is None
    assert [len(one.records) for one in waiting.hellos] == [MAX_RECORDS] * MAX_WAITING
    assert waiting.held > 0
    assert len(waiting.unanswered()) == MAX_WAITING
    assert waiting.held == 0
    assert random_of(message(SERVER_HELLO, 0, bytes(40), 90, 50)) == b""


def test_a_stray_change_does_not_take_records_to_another_session(tmp_path: Path):
    (honest,) = Talk("dtls12-cookie").read(tmp_path)
    talk = Talk("dtls12-cookie")
    talk.insert(7, CLIENT, plain(HANDSHAKE, hello_of(talk)))
    talk.insert(8, CLIENT, plain(CHANGE_CIPHER_SPEC, b"\1", 901))
    (found,) = talk.read(tmp_path)
    assert facts(found) == facts(honest)


def test_many_hellos_before_any_answer(tmp_path: Path):
    """More than can be of one session: those behind wait for an answer of their own."""
    (honest,) = Talk("dtls12-cookie").read(tmp_path)
    talk = Talk("dtls12-cookie")
    for number in range(6):
        talk.insert(1, CLIENT, plain(HANDSHAKE, hello_of(talk, number), 900 + number))
    for record in talk.read(tmp_path, keys=False):
        assert not {one["severity"] for one in record["findings"]} & {"medium", "high"}
    assert facts(honest) in [facts(record) for record in talk.read(tmp_path)]


@pytest.mark.parametrize("name", ["dtls12-psk", "dtls13-psk"])
def test_a_hello_behind_its_answer(name: str, tmp_path: Path):
    """The capture has the two in another order."""
    (honest,) = Talk(name).read(tmp_path)
    talk = Talk(name)
    answered = talk.first(SERVER_HELLO)
    hello = talk.packets[:answered]
    for _ in hello[:-1]:
        talk.packets.pop(0)
    talk.packets[0], talk.packets[1] = (talk.packets[0][0], talk.packets[1][1]), (talk.packets[1][0], talk.packets[0][1])
    talk.client = talk.packets[1][1][26:30]
    (found,) = talk.read(tmp_path)
    assert (found["ja3"], found["established"], found["first_frame"]) == (honest["ja3"], True, 1)
