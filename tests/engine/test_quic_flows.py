"""QUIC from datagrams to sessions: real endpoints, and what can happen to their packets on the path and in a capture."""

import json
import random
from dataclasses import replace
from typing import Any

import jsonschema
import orjson
import pytest
from aioquic.tls import CipherSuite
from conversations import ended
from quic_talks import CLIENT, PORTS, SERVER, V2, Sent, Talk, moved, only, read_talk

from analyzer.secrets.quic_protection import initial_decryptors
from analyzer.secrets.quic_versions import VERSION_1, VERSIONS
from analyzer.store.chain_verdicts import default_chains
from analyzer.store.schema import SESSION
from analyzer.store.session_json import session_json
from analyzer.store.session_record import session_record
from analyzer.tls.events import Data, DataBegan, DataMissing
from analyzer.tls.quic.quic_events import SEALED, PacketSeen
from analyzer.tls.session import Session

QUESTION, ANSWER = b"question" * 900, b"answer" * 5000


def whole_talk(**more: Any) -> Talk:
    """A handshake, a question and an answer, and the end."""
    talk = Talk(**more).connect()
    return talk.say(CLIENT, 0, QUESTION).say(SERVER, 0, ANSWER).close()


@pytest.fixture(scope="module")
def talk() -> Talk:
    return whole_talk()


def data_of(session: Session, stream: int = 0) -> list[bytes]:
    """What both roles said in a stream."""
    return session.handshake.decryption.application.streams[stream].data


def facts(session: Session) -> dict[str, Any]:
    """The record of a session."""
    return session_record(session, False)


def check_whole(session: Session) -> dict[str, Any]:
    """Check that everything of a whole talk was opened."""
    record = facts(session)
    assert data_of(session) == [QUESTION, ANSWER]
    assert session.handshake.decryption.application.streams[0].ended == [True, True]
    assert record["decryption"]["status"] == "decrypted"
    assert record["decryption"]["bytes"] == {"client": len(QUESTION), "server": len(ANSWER)}
    assert record["authenticity"]["finished"] == {"client": "verified", "server": "verified"}
    assert record["authenticity"]["server_signature"] == "verified"
    assert record["established"] is True
    assert record["outcome"]["result"] == "established"
    assert record["findings"] == []
    return record


def test_a_session_with_keys(talk: Talk) -> None:
    record = check_whole(only(read_talk(talk.sent, talk.keys)))
    assert (record["protocol"], record["version"], record["alpn"], record["server_name"]) == (
        "quic",
        "TLS 1.3",
        "test",
        "quic.test",
    )
    assert record["ja4"].startswith("q13d")
    assert [message["type"] for message in record["handshake"]] == [
        "client_hello", "server_hello", "encrypted_extensions", "certificate", "certificate_verify", "finished", "finished",
        "new_session_ticket",
    ]  # fmt: skip
    assert record["outcome"]["ended_by"] == "client"
    quic = record["quic"]
    assert quic["versions"] == ["QUIC 1"]
    assert (quic["close"]["from"], quic["close"]["kind"], quic["close"]["code"]) == ("client", "application", 0)
    assert (quic["unopened"], quic["missing"]) == (0, {"client": 0, "server": 0})
    assert quic["handshake_done"] is not None
    named = {one["name"]: one["value"] for one in quic["transport_parameters"]["server"]}
    assert named["original_destination_connection_id"] == quic["original_connection_id"]


def test_a_session_without_keys(talk: Talk) -> None:
    record = facts(only(read_talk(talk.sent)))
    assert [(message["type"], message["encrypted"]) for message in record["handshake"]] == [
        ("client_hello", False),
        ("server_hello", False),
    ]
    assert record["established"] is True
    assert (record["decryption"]["status"], record["decryption"]["reason"]) == ("none", "no_secret")
    assert record["quic"]["transport_parameters"]["client"] is not None
    assert record["quic"]["transport_parameters"]["server"] is None
    assert record["quic"]["spin_bit"] == {"client": True, "server": True}
    assert record["certificates"] == {"client": None, "server": None}
    assert record["last_frame"] == len(talk.sent)
    assert record["findings"] == []


@pytest.mark.parametrize("suite", list(CipherSuite)[:3], ids=lambda suite: suite.name)
def test_all_ciphers(suite: CipherSuite) -> None:
    talk = whole_talk(suites=[suite])
    record = check_whole(only(read_talk(talk.sent, talk.keys)))
    assert record["cipher_suite_id"] == suite


@pytest.mark.parametrize("length", [1, 5, 20])
def test_connection_ids_of_any_length(length: int) -> None:
    talk = whole_talk(id_length=length)
    record = check_whole(only(read_talk(talk.sent, talk.keys)))
    assert {len(one) for one in record["quic"]["connection_ids"]["client"]} == {2 * length}


def test_version_2() -> None:
    talk = whole_talk(version=V2)
    record = check_whole(only(read_talk(talk.sent, talk.keys)))
    assert record["quic"]["versions"] == ["QUIC 2"]


def test_packets_in_another_order(talk: Talk) -> None:
    rest = talk.sent[4:]
    random.Random(1).shuffle(rest)
    session = only(read_talk([*talk.sent[:4], *rest], talk.keys))
    assert data_of(session) == [QUESTION, ANSWER]
    assert facts(session)["decryption"]["status"] == "decrypted"


def test_the_first_flight_in_another_order(talk: Talk) -> None:
    first = talk.sent[:6]
    assert [one.side for one in first[:2]] == [CLIENT, CLIENT] or first[1].side == SERVER
    order = [0, 2, 1, 3, 5, 4] if first[1].side == SERVER else [1, 0, 2, 4, 3, 5]
    session = only(read_talk([first[number] for number in order] + talk.sent[6:], talk.keys))
    assert data_of(session) == [QUESTION, ANSWER]


def test_every_twentieth_packet_missing_leaves_all_others_opened(talk: Talk) -> None:
    kept = [one for number, one in enumerate(talk.sent) if number % 20 != 19 or number == len(talk.sent) - 1]
    whole = facts(only(read_talk(talk.sent, talk.keys)))
    session = only(read_talk(kept, talk.keys))
    record = facts(session)
    assert record["quic"]["unopened"] == 0
    assert record["decryption"]["failed"] == 0
    lost = len(talk.sent) - len(kept)
    assert record["decryption"]["records"] == whole["decryption"]["records"] - lost
    assert sum(record["quic"]["missing"].values()) + sum(record["quic"]["unacknowledged"].values()) == lost
    reader = session.handshake.decryption.application
    gaps = sum(reader.streams[0].gaps)
    assert gaps > 0
    assert sum(map(len, reader.streams[0].data)) == len(QUESTION) + len(ANSWER) - gaps


def test_data_begins_before_it_is_said_to_be_missing() -> None:
    talk = Talk().connect()
    n_before = len(talk.sent)
    talk.say(CLIENT, 0, bytes(3000))
    kept = [one for number, one in enumerate(talk.sent) if number != n_before]
    tap = read_talk(kept, talk.keys, detailed=True)
    tap.close()
    kinds = [type(event) for event in tap.events if isinstance(event, DataBegan | DataMissing | Data)]
    assert kinds[:3] == [DataBegan, DataMissing, Data]
    assert kinds.count(DataBegan) == 1


def test_packets_of_strangers_change_nothing(talk: Talk) -> None:
    source = random.Random(2)
    plain = facts(only(read_talk(talk.sent, talk.keys)))
    noisy: list[Sent] = []
    for one in talk.sent:
        noisy.append(one)
        noisy.append(Sent(source.randrange(2), bytes([source.randrange(256)]) + source.randbytes(source.randrange(1200))))
        noisy.append(replace(one, payload=one.payload[:12] + source.randbytes(len(one.payload) - 12)))
        noisy.append(replace(one, side=1 - one.side))
    record = facts(only(read_talk(noisy, talk.keys)))
    for key in ("version", "established", "decryption", "authenticity", "certificates", "alerts", "findings", "ja4", "alpn"):
        assert record[key] == plain[key], key
    assert record["quic"]["unopened"] > 0
    assert record["quic"]["close"] == plain["quic"]["close"] | {"frame": record["quic"]["close"]["frame"]}


def spoofed(connection_id: bytes, source: bytes, frames: bytes, role: int = CLIENT) -> bytes:
    """An Initial packet that anybody can make who has seen the connection ID."""
    keys = initial_decryptors(VERSIONS[VERSION_1], connection_id)[role]
    frames = frames.ljust(1100, b"\0")
    length = (0x4000 | len(frames) + 4 + 16).to_bytes(2, "big")
    head = b"\xc3\0\0\0\1" + bytes([len(connection_id)]) + connection_id + bytes([len(source)]) + source + b"\0" + length
    header = head + (77).to_bytes(4, "big")
    sealed = keys.keys.aead.encrypt((keys.keys.iv ^ 77).to_bytes(12, "big"), frames, header)  # type: ignore[attr-defined]
    mask = keys.masks.mask(sealed[:16])
    hidden = bytearray(header)
    hidden[0] ^= mask[0] & 0x0F
    for i in range(4):
        hidden[len(head) + i] ^= mask[1 + i]
    return bytes(hidden) + sealed


def test_initials_that_do_not_authenticate_begin_nothing() -> None:
    packet = spoofed(b"12345678", b"abcd", b"\6\0\5\1\0\0\1\0")
    for number in range(30, len(packet), 50):
        changed = packet[:number] + bytes([packet[number] ^ 1]) + packet[number + 1 :]
        assert read_talk([Sent(CLIENT, changed)]).close() == []
    assert read_talk([Sent(CLIENT, spoofed(b"12345678", b"abcd", b"\1"))]).close() == []  # no handshake bytes
    assert len(read_talk([Sent(CLIENT, packet)]).close()) == 1


@pytest.mark.parametrize("place", [0, 1, 2, 6])
def test_more_initials_than_a_flow_keeps(talk: Talk, place: int) -> None:
    """Somebody off the path sends them in the name of the client, with the connection ID that it has."""
    first = talk.sent[0].payload
    source = first[7 + first[5] :][: first[6 + first[5]]]
    flood = [Sent(CLIENT, spoofed(number.to_bytes(8), source, b"\6\0\5\1\0\0\1\0")) for number in range(90)]
    sessions = read_talk([*talk.sent[:place], *flood, *talk.sent[place:]], talk.keys).close()
    assert len(sessions) == len(flood) + 1
    (session,) = [one for one in sessions if one.established]
    assert data_of(session) == [QUESTION, ANSWER]


def test_another_port_of_the_client_is_the_same_session(talk: Talk) -> None:
    half = len(talk.sent) // 2
    for keys in (talk.keys, b""):
        record = facts(only(read_talk(moved(talk.sent, 61234, half), keys)))
        assert [path["client"]["port"] for path in record["quic"]["paths"]] == [PORTS[0], 61234]
        assert record["last_frame"] == len(talk.sent)
    assert data_of(only(read_talk(moved(talk.sent, 61234, half), talk.keys))) == [QUESTION, ANSWER]


@pytest.mark.parametrize("announced", [True, False])
def test_migration_with_another_connection_id(announced: bool) -> None:
    talk = Talk().connect().say(CLIENT, 0, QUESTION)
    before = len(talk.sent)
    talk.client.change_connection_id()
    talk.ports = (50777, 443)
    talk.say(SERVER, 0, ANSWER).say(CLIENT, 4, b"more").close()
    sent = talk.sent
    if not announced:  # leave out the packets of the server before that can have announced the ID
        sent = [one for number, one in enumerate(sent) if not (4 < number < before and one.side == SERVER)]
    session = only(read_talk(sent, talk.keys))
    assert data_of(session, 4)[CLIENT] == b"more"
    assert len(facts(session)["quic"]["paths"]) == 2


def test_key_updates_of_both_sides() -> None:
    talk = Talk().connect()
    for number in range(4):
        talk.say(CLIENT, 4 * number, b"question")
        (talk.client if number % 2 else talk.server).request_key_update()  # type: ignore[union-attr]
        talk.say(SERVER, 4 * number, b"answer")
    session = only(read_talk(talk.close().sent, talk.keys))
    assert data_of(session, 12) == [b"question", b"answer"]
    record = facts(session)
    assert [len(frames) >= 3 for frames in record["quic"]["key_updates"].values()] == [True, True]
    assert record["decryption"]["status"] == "decrypted"


@pytest.mark.parametrize("accepted", [True, False])
def test_early_data(accepted: bool) -> None:
    tickets: dict[bytes, Any] = {}
    first = (
        Talk(
            tickets=tickets,
        )
        .connect()
        .close()
    )
    assert first.tickets
    second = Talk(ticket=first.tickets[0], tickets=tickets if accepted else {})
    second.client.connect(("10.0.0.2", 443), now=0)
    second.client.send_stream_data(0, b"early", True)
    second.carry()
    second.say(CLIENT, 4, b"late").close()
    session = only(read_talk(second.sent, second.keys))
    record = facts(session)
    assert record["quic"]["packets"]["client"]["early_data"] > 0
    assert record["resumed"] is accepted
    assert data_of(session, 4)[CLIENT] == b"late"
    assert data_of(session)[CLIENT] == b"early"
    assert record["decryption"]["status"] == "decrypted"
    assert record["authenticity"]["finished"] == {"client": "verified", "server": "verified"}
    codes = [finding["code"] for finding in record["findings"]]
    assert ("early_data_rejected" in codes) is not accepted


def test_every_packet_twice(talk: Talk) -> None:
    once = facts(only(read_talk(talk.sent, talk.keys)))
    twice = facts(only(read_talk([one for one in talk.sent for _ in range(2)], talk.keys)))
    for key in ("decryption", "established", "findings", "authenticity"):
        assert twice[key] == once[key]
    assert twice["quic"]["packets"] == once["quic"]["packets"]


def test_only_the_packets_of_the_client(talk: Talk) -> None:
    session = only(read_talk([one for one in talk.sent if one.side == CLIENT], talk.keys))
    record = facts(session)
    assert data_of(session) == [QUESTION, b""]
    assert (record["established"], record["outcome"]["result"]) == (True, "established")
    assert record["decryption"]["status"] == "decrypted"


def test_an_answer_that_stands_before_its_question(talk: Talk) -> None:
    first = next(number for number, one in enumerate(talk.sent) if one.side == SERVER)
    order = [*talk.sent[first : first + 1], *talk.sent[:first], *talk.sent[first + 1 :]]
    check_whole(only(read_talk(order, talk.keys)))


def test_a_snapshot_length(talk: Talk) -> None:
    cut = [replace(one, cut=len(one.payload) - 100) if len(one.payload) > 1250 else one for one in talk.sent]
    record = facts(only(read_talk(cut, talk.keys)))
    assert record["quic"]["packets"]["client"]["application"] > 0


def test_keys_that_come_at_the_end(talk: Talk) -> None:
    growing = [True]
    tap = read_talk(talk.sent, b"#", may_grow=lambda: growing[0])
    tap.engine.material.keylog.feed(talk.keys)
    check_whole(only(tap))


def test_the_server_hello_is_missing(talk: Talk) -> None:
    kept = [one for one in talk.sent if not (one.side == SERVER and one.payload[0] & 0xF0 == 0xC0)]
    record = facts(only(read_talk(kept, talk.keys)))
    assert record["cipher_suite"] is not None
    assert record["decryption"]["records"] > 0
    assert "found_by_trial" in [finding["code"] for finding in record["findings"]]


def test_the_number_of_sessions_is_that_of_the_connections(talk: Talk) -> None:
    talks = [talk, whole_talk(), whole_talk()]
    sent = [replace(one, ports=(50000 + number, 443)) for number, one_talk in enumerate(talks) for one in one_talk.sent]
    sessions = read_talk(sent, b"".join(one.keys for one in talks)).close()
    assert [data_of(session) for session in sessions] == [[QUESTION, ANSWER]] * 3
    again = read_talk([one for one_talk in talks for one in one_talk.sent], b"".join(one.keys for one in talks)).close()
    assert [data_of(session) for session in again] == [[QUESTION, ANSWER]] * 3


def test_datagrams_and_resets() -> None:
    talk = Talk(max_datagram_frame_size=1200).connect()
    talk.client.send_datagram_frame(b"alone")
    talk.client.send_stream_data(0, b"begun", False)
    talk.carry()
    talk.client.reset_stream(0, 7)
    assert talk.server is not None
    talk.server.stop_stream(0, 9)
    talk.carry()
    session = only(read_talk(talk.close().sent, talk.keys))
    reader = session.handshake.decryption.application
    assert reader.datagrams == [(CLIENT, b"alone")]
    assert sorted(reader.resets) == [("reset", 0, CLIENT, 7), ("stop", 0, SERVER, 9)]


def test_other_traffic_over_udp_has_no_session() -> None:
    source = random.Random(3)
    sent = [Sent(number % 2, source.randbytes(source.randrange(1300)), (53, 40000 + number % 50)) for number in range(300)]
    sent += [Sent(0, b"\xc3\0\0\0\1\x08" + source.randbytes(1194)) for _ in range(100)]
    assert read_talk(sent).close() == []


def test_each_packet_is_an_event(talk: Talk) -> None:
    for keys in (talk.keys, b""):
        tap = read_talk(talk.sent, keys, detailed=True)
        record = facts(only(tap))
        seen = [event for event in tap.events if isinstance(event, PacketSeen)]
        counts = record["quic"]["packets"]
        assert [(event.level, event.number) for event in seen[:2]] == [(0, 0), (0, 0)]
        if keys:
            assert len(seen) == sum(sum(of_role.values()) for of_role in counts.values())
            data = [event for event in tap.events if isinstance(event, Data)]
            assert b"".join(event.data for event in data if event.role == SERVER and event.stream == 0) == ANSWER
        else:
            assert {(event.level, event.number) for event in seen[2:] if event.level} == {(2, SEALED), (3, SEALED)}


def test_a_closed_connection_ends_soon_also_without_packets(talk: Talk) -> None:
    for keys in (talk.keys, b""):
        tap = read_talk(talk.sent, keys)
        assert ended(tap.take()) == []
        tap.engine.tick(tap.at + 900_000_000)
        assert len(ended(tap.take())) == (1 if keys else 0)  # without keys the CONNECTION_CLOSE is not seen
        assert len(tap.close()) == 1
    tap = read_talk(talk.sent, talk.keys)
    tap.at += 900_000_000
    tap.feed_bytes(Sent(CLIENT, b"nothing", (4000, 4001)).frame())
    (session,) = ended(tap.take())
    assert facts(session)["last_frame"] == len(talk.sent)


def test_the_line_of_json_is_the_record_and_fits_its_schema(talk: Talk) -> None:
    for keys in (talk.keys, b""):
        session = only(read_talk(moved(talk.sent, 61234, 9), keys))
        record = json.loads(session_json(session, True, default_chains()))
        assert record == json.loads(orjson.dumps(session_record(session, True, default_chains())))
        jsonschema.validate(record, SESSION)


def test_wrong_keys(talk: Talk) -> None:
    wrong = b"\n".join(line[:-2] + (b"00" if line[-2:] != b"00" else b"11") for line in talk.keys.splitlines())
    record = facts(only(read_talk(talk.sent, wrong)))
    assert (record["decryption"]["status"], record["decryption"]["reason"]) == ("none", "wrong_secret")
