"""What others on the path can send into a QUIC connection: it must change nothing of what is said about the two endpoints."""

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aioquic.tls import CipherSuite
from conversations import read_sessions
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from quic_talks import CLIENT, SERVER, Sent, Talk, only, read_talk

from analyzer.capture.capture_reader import CaptureReader
from analyzer.engine import Engine
from analyzer.secrets.quic_protection import PacketDecryptor, initial_decryptors
from analyzer.secrets.quic_versions import VERSION_1, VERSIONS
from analyzer.store.session_record import session_record

QUESTION, ANSWER = b"question" * 900, b"answer" * 5000
SAME = (
    "version", "server_name", "established", "decryption", "authenticity", "certificates", "alerts", "findings", "ja4",
)  # fmt: skip


@pytest.fixture(scope="module")
def talk() -> Talk:
    """A handshake, a question and an answer, and the end."""
    return Talk().connect().say(CLIENT, 0, QUESTION).say(SERVER, 0, ANSWER).close()


def ids_of(talk: Talk) -> tuple[bytes, bytes, bytes]:
    """The Destination Connection ID of the first Initial, and the IDs that client and server chose."""
    chosen = []
    for side in (CLIENT, SERVER):
        payload = next(one.payload for one in talk.sent if one.side == side)
        destination = payload[6 : 6 + payload[5]]
        at = 7 + payload[5]
        chosen.append((destination, payload[at : at + payload[at - 1]]))
    return chosen[0][0], chosen[0][1], chosen[1][1]


def answered_at(talk: Talk) -> int:
    """The place of the server's first datagram."""
    return next(number for number, one in enumerate(talk.sent) if one.side == SERVER)


def long_header(first: int, version: int, destination: bytes, source: bytes) -> bytes:
    ids = bytes([len(destination)]) + destination + bytes([len(source)]) + source
    return bytes([first]) + version.to_bytes(4, "big") + ids


def initial(talk: Talk, frames: bytes, number: int = 77, source: bytes | None = None) -> Sent:
    """An Initial of the server, which anybody can make who has seen the client's first one."""
    original, client, server = ids_of(talk)
    server = source or server
    keys = initial_decryptors(VERSIONS[VERSION_1], original)[SERVER]
    frames = frames.ljust(40, b"\0")
    head = long_header(0xC3, VERSION_1, client, server) + b"\0" + (0x4000 | len(frames) + 20).to_bytes(2, "big")
    header = head + number.to_bytes(4, "big")
    sealed = keys.keys.aead.encrypt((keys.keys.iv ^ number).to_bytes(12, "big"), frames, header)  # type: ignore[attr-defined]
    mask = keys.masks.mask(sealed[:16])
    hidden = bytearray(header)
    hidden[0] ^= mask[0] & 0x0F
    for i in range(4):
        hidden[len(head) + i] ^= mask[1 + i]
    return Sent(SERVER, bytes(hidden) + sealed)


def record_of(sent: list[Sent], keys: bytes = b"") -> dict[str, Any]:
    return session_record(only(read_talk(sent, keys)), False)


def negotiation(talk: Talk) -> Sent:
    original, client, _ = ids_of(talk)
    return Sent(SERVER, long_header(0xC0, 0, client, original) + (0xFF00001D).to_bytes(4, "big"))


def retry(talk: Talk) -> Sent:
    original, client, _ = ids_of(talk)
    version = VERSIONS[VERSION_1]
    packet = long_header(0xF0, VERSION_1, client, b"stranger") + b"token"
    pseudo = bytes([len(original)]) + original + packet
    return Sent(SERVER, packet + AESGCM(version.retry_key).encrypt(version.retry_nonce, b"", pseudo))


@pytest.mark.parametrize("made", [negotiation, retry], ids=["negotiation", "retry"])
@pytest.mark.parametrize("late", [False, True])
def test_the_server_answers_what_was_sent_before_a_forged_retry_or_negotiation(talk: Talk, made: Any, late: bool) -> None:
    place = answered_at(talk) if late else 1
    sent = [*talk.sent[:place], made(talk), *talk.sent[place:]]
    plain, record = record_of(talk.sent, talk.keys), record_of(sent, talk.keys)
    assert {key: record[key] for key in SAME} == {key: plain[key] for key in SAME}
    assert record["outcome"]["result"] == "established"
    assert (record["quic"]["offered_versions"], record["quic"]["retries"]) == (None, [])
    assert record_of(sent)["server_name"] == "quic.test"


@pytest.mark.parametrize("side", [CLIENT, SERVER])
def test_initials_that_do_not_open_take_no_keys_away(talk: Talk, side: int) -> None:
    _, client, _ = ids_of(talk)
    source = random.Random(side)
    strange = [
        Sent(side, long_header(0xC3, version, *ids) + b"\0\x43\xe8" + source.randbytes(1000))
        for version in list(VERSIONS) * 3
        for ids in [(source.randbytes(8), client) if side == CLIENT else (client, source.randbytes(8))]
    ]
    place = answered_at(talk)
    record = record_of([*talk.sent[:place], *strange, *talk.sent[place:]], talk.keys)
    assert record["findings"] == []
    assert record["decryption"]["status"] == "decrypted"


@pytest.mark.parametrize("version", VERSIONS)
def test_handshake_packets_of_another_version_take_no_keys_away(talk: Talk, version: int) -> None:
    _, client, server = ids_of(talk)
    first = 0xF3 if VERSIONS[version].types != VERSIONS[VERSION_1].types else 0xE3
    strange = Sent(SERVER, long_header(first, version, client, server) + b"\x43\xe8" + random.Random(3).randbytes(1000))
    place = answered_at(talk)
    plain = record_of(talk.sent, talk.keys)
    record = record_of([*talk.sent[:place], strange, *talk.sent[place:]], talk.keys)
    assert record["decryption"] == plain["decryption"]
    assert record["quic"]["unopened"] == 1


def test_many_packets_of_strangers_in_a_row_are_no_missed_key_update(talk: Talk) -> None:
    _, client, _server = ids_of(talk)
    plain = record_of(talk.sent, talk.keys)
    source = random.Random(4)
    short = [Sent(SERVER, b"\x41" + client + source.randbytes(100)) for _ in range(100)]
    long = [Sent(SERVER, long_header(0xE3, 1, client, source.randbytes(8)) + b"\x40\x64" + bytes(100)) for _ in range(200)]
    place, middle = answered_at(talk), len(talk.sent) // 2
    sent = [*talk.sent[:place], *long, *talk.sent[place:middle], *short, *talk.sent[middle:]]
    record = record_of(sent, talk.keys)
    assert record["decryption"] == plain["decryption"]
    assert record["quic"]["unopened"] == 300
    assert record["quic"]["connection_ids"]["client"] == plain["quic"]["connection_ids"]["client"]
    assert len(record["quic"]["connection_ids"]["server"]) <= len(plain["quic"]["connection_ids"]["server"]) + 1
    cut = record_of([*talk.sent[:middle], *short], talk.keys)
    assert (cut["decryption"]["reason"], cut["decryption"]["failed"]) == ("key_update_missed", 68)


@pytest.mark.parametrize("frame", [b"\x1c\x0a\0\0", b"\x1c\x41\x28\0\0"], ids=["transport", "alert"])
@pytest.mark.parametrize("with_keys", [True, False])
def test_a_close_in_an_initial_of_who_goes_on_is_not_believed(talk: Talk, frame: bytes, with_keys: bool) -> None:
    place = answered_at(talk)
    idle = [Sent(CLIENT, b"\0\0", (9999, 9999))] * 600  # so long that a closed connection ends
    forged = [initial(talk, frame, number) for number in range(70, 80)]
    sent = [*talk.sent[: place + 1], *forged, *idle, *talk.sent[place + 1 :]]
    record = record_of(sent, talk.keys if with_keys else b"")
    assert (record["established"], record["outcome"]["result"]) == (True, "established")
    assert [finding["code"] for finding in record["findings"]] == ["plaintext_record"]
    assert len(record["alerts"]) == (1 if frame[1] == 0x41 else 0)
    assert record["last_frame"] == len(sent)
    believed = record_of([*talk.sent[: place + 1], *forged], talk.keys)
    assert believed["outcome"]["result"] == "failed"
    assert len(believed["alerts"]) == (1 if frame[1] == 0x41 else 0)


def test_an_ack_of_packets_that_were_never_sent(talk: Talk) -> None:
    place = answered_at(talk)
    number = ((3 << 62) | 1 << 40).to_bytes(8, "big")
    forged = initial(talk, b"\2" + number + b"\0\0" + number)
    record = record_of([*talk.sent[: place + 1], forged, *talk.sent[place + 1 :]], talk.keys)
    assert record["quic"]["missing"] == {"client": 0, "server": 0}


def test_the_first_flight_again_behind_a_forged_retry(talk: Talk) -> None:
    first = [one for one in talk.sent[: answered_at(talk)] if one.side == CLIENT]
    sent = [*first[:1], retry(talk), *first[:1], *talk.sent[1:]]
    record = record_of([replace(one) for one in sent], talk.keys)
    assert record["decryption"]["status"] == "decrypted"
    assert [one["type"] for one in record["handshake"]].count("client_hello") == 1


def test_what_comes_behind_the_end_begins_no_session_whether_the_end_can_be_read_or_not(talk: Talk) -> None:
    """Else the processes that share a capture would not agree about how many sessions there are."""
    idle = [Sent(CLIENT, b"\0\0", (9999, 9999))] * 600
    sent = [*talk.sent, *idle, *talk.sent]
    plain = record_of(talk.sent, talk.keys)
    for keys in (talk.keys, b""):
        (session,) = read_talk(sent, keys).close()
        if keys:
            record = session_record(session, False)
            assert {key: record[key] for key in (*SAME, "outcome", "quic", "last_frame")} == {
                key: plain[key] for key in (*SAME, "outcome", "quic", "last_frame")
            }


def test_clients_that_choose_the_same_connection_id() -> None:
    talks = [Talk(), Talk()]
    for number, one in enumerate(talks):
        client: Any = one.client  # which has no setting for its ID
        client._host_cids[0].cid = client.host_cid = client._local_initial_source_connection_id = b"the same"
        one.ports = (50001 + number, 443)
        one.connect().say(CLIENT, 0, QUESTION).say(SERVER, 0, ANSWER).close()
    mixed = [one for both in zip(talks[0].sent, talks[1].sent, strict=False) for one in both]
    sessions = read_talk(mixed, talks[0].keys + talks[1].keys).close()
    assert len(sessions) == 2
    for session in sessions:
        record = session_record(session, False)
        assert record["decryption"]["bytes"] == {"client": len(QUESTION), "server": len(ANSWER)}
        assert (record["quic"]["unopened"], len(record["quic"]["paths"])) == (0, 1)


def server_hello(talk: Talk, number: int = 77, source: bytes | None = None) -> Sent:
    """A false ServerHello."""
    return initial(talk, b"\6\0\x40\x64\2\0\0\x60\3\3" + bytes(94), number, source)


@pytest.mark.parametrize("source", [None, b"stranger"], ids=["its-id", "another-id"])
@pytest.mark.parametrize("with_keys", [True, False])
def test_the_client_shows_which_server_hello_is_true(talk: Talk, source: bytes | None, with_keys: bool) -> None:
    place = answered_at(talk)
    keys = talk.keys if with_keys else b""
    plain = record_of(talk.sent, keys)
    for number in (place, place + 1):
        record = record_of([*talk.sent[:number], server_hello(talk, 77, source), *talk.sent[number:]], keys)
        assert [finding["code"] for finding in record["findings"]] == ["contradicting_initials"]
        assert {key: record[key] for key in SAME if key != "findings"} == {key: plain[key] for key in SAME if key != "findings"}
        for key in ("connection_ids", "packets", "missing", "unacknowledged"):
            assert record["quic"][key] == plain["quic"][key]


def test_a_server_hello_that_cannot_be_told_from_a_forged_one_is_not_believed(talk: Talk) -> None:
    place = answered_at(talk)
    sent = [*talk.sent[:place], server_hello(talk, 0), *talk.sent[place:]]
    record = record_of(sent)
    assert (record["version"], record["established"], record["cipher_suite"]) == (None, None, None)
    assert "contradicting_initials" in [finding["code"] for finding in record["findings"]]
    keyed = record_of(sent, talk.keys)
    assert (keyed["decryption"]["status"], keyed["established"]) == ("decrypted", True)


def test_packets_of_strangers_establish_nothing(talk: Talk) -> None:
    source = random.Random(6)
    strange = [Sent(number % 2, b"\x41" + source.randbytes(60)) for number in range(20)]
    record = record_of([*talk.sent[: answered_at(talk) + 1], *strange])
    assert (record["established"], record["outcome"]["result"], record["outcome"]["step"]) == (None, "unknown", "server_hello")
    assert len(record["quic"]["paths"]) == 1


@pytest.mark.parametrize("with_keys", [True, False])
@pytest.mark.parametrize("length", [1, 8])
def test_only_packets_that_open_make_paths(length: int, with_keys: bool) -> None:
    talk = Talk(id_length=length).connect().say(CLIENT, 0, QUESTION).close()
    _, _, server = ids_of(talk)
    middle = len(talk.sent) // 2
    strange = [Sent(CLIENT, b"\x41" + server + bytes(40), (1024 + number, 443)) for number in range(30)]
    strange += [Sent(number % 2, bytes([0x40, number]) + bytes(60), (9000, 53)) for number in range(256)]
    keys = talk.keys if with_keys else b""
    record = record_of([*talk.sent[:middle], *strange, *talk.sent[middle:]], keys)
    assert [path["client"]["port"] for path in record["quic"]["paths"]] == [50000]
    assert record["quic"]["unopened"] <= 30


@pytest.mark.parametrize("late", [False, True])
def test_a_client_that_has_moved_with_an_unknown_id_is_known_by_its_keys(late: bool) -> None:
    talk = Talk().connect().say(CLIENT, 0, QUESTION)
    handshake = [one for one in talk.sent if one.payload[0] & 0x80]
    before = [one for one in talk.sent if one.side == CLIENT and one not in handshake]
    start = len(talk.sent)
    talk.client.change_connection_id()
    talk.ports = (50777, 443)
    talk.say(CLIENT, 4, b"more").close()
    other = Talk().connect().say(CLIENT, 0, QUESTION)  # of the same server, from another port
    strange = [replace(one, ports=(50001, 443)) for one in other.sent]
    sent = [*handshake, *before, *strange, *[one for one in talk.sent[start:] if one.side == CLIENT]]
    if late:
        tap = read_talk(sent, b"#", may_grow=lambda: True)
        tap.engine.material.keylog.feed(talk.keys)
        sessions = tap.close()
    else:
        sessions = read_talk(sent, talk.keys).close()
    assert len(sessions) == 2
    record = session_record(next(one for one in sessions if one.id == 0), False)
    assert [path["client"]["port"] for path in record["quic"]["paths"]] == [50000, 50777]
    assert record["decryption"]["bytes"]["client"] == len(QUESTION) + 4
    assert record["quic"]["unopened"] == 0


def test_many_forged_initials_hide_no_connection(talk: Talk) -> None:
    source = random.Random(7)
    strange = [
        Sent(CLIENT, long_header(0xC3, VERSION_1, source.randbytes(8), b"id") + b"\0\x40\x64" + source.randbytes(100))
        for _ in range(100)
    ]
    record = record_of([*strange, *talk.sent], talk.keys)
    assert record["decryption"]["status"] == "decrypted"


@pytest.mark.parametrize(
    ("role", "frame", "allowed"),
    [(CLIENT, b"\x1e", False), (CLIENT, b"\7\1a", False), (SERVER, b"\x1e", True), (CLIENT, b"\1", True)],
    ids=["done-of-the-client", "token-of-the-client", "done-of-the-server", "ping"],
)
def test_frames_that_only_a_server_sends(role: int, frame: bytes, allowed: bool) -> None:
    talk = Talk(suites=[CipherSuite.AES_128_GCM_SHA256]).connect().say(CLIENT, 0, QUESTION)
    _, client, server = ids_of(talk)
    label = ("CLIENT", "SERVER")[role] + "_TRAFFIC_SECRET_0"
    secret = next(line.split()[2] for line in talk.keys.decode().splitlines() if line.startswith(label))
    keys = PacketDecryptor(VERSIONS[VERSION_1], "AES_128_GCM", "SHA256", bytes.fromhex(secret), True)
    header = b"\x43" + (server, client)[role] + (900).to_bytes(4, "big")
    packet = keys.keys.aead.encrypt((keys.keys.iv ^ 900).to_bytes(12, "big"), frame.ljust(20, b"\0"), header)  # type: ignore[attr-defined]
    mask = keys.masks.mask(packet[:16])
    hidden = bytearray(header)
    hidden[0] ^= mask[0] & 0x1F
    for i in range(4):
        hidden[9 + i] ^= mask[1 + i]
    record = record_of([*talk.sent, Sent(role, bytes(hidden) + packet)], talk.keys)
    assert [finding["code"] for finding in record["findings"]] == ([] if allowed else ["frame_not_allowed"])


def test_ecn_codepoints_are_counted_by_side(talk: Talk) -> None:
    record = record_of(talk.sent, talk.keys)
    for role in ("client", "server"):
        counts = record["quic"]["ecn_sent"][role]
        assert counts["not_ect"] > 0
        assert (counts["ect0"], counts["ect1"], counts["ce"]) == (0, 0, 0)
        assert counts["not_ect"] <= record["quic"]["packets"][role]["application"]


def sealed_initial(original: bytes, destination: bytes, source: bytes, frames: bytes, token: bytes = b"") -> Sent:
    """An Initial of the client, which anybody can make who has seen its address."""
    keys = initial_decryptors(VERSIONS[VERSION_1], original)[CLIENT]
    frames = frames.ljust(1160, b"\0")
    head = long_header(0xC3, VERSION_1, destination, source) + bytes([len(token)]) + token
    head += (0x4000 | len(frames) + 20).to_bytes(2, "big")
    header = head + (77).to_bytes(4, "big")
    sealed = keys.keys.aead.encrypt((keys.keys.iv ^ 77).to_bytes(12, "big"), frames, header)  # type: ignore[attr-defined]
    mask = keys.masks.mask(sealed[:16])
    hidden = bytearray(header)
    hidden[0] ^= mask[0] & 0x0F
    for i in range(4):
        hidden[len(head) + i] ^= mask[1 + i]
    return Sent(CLIENT, bytes(hidden) + sealed)


FALSE_HELLO = b"\6\0\x40\x2f\1\0\0\x2b\3\3" + bytes(32) + b"\0\0\2\x13\1\1\0\0\0"


@pytest.mark.parametrize("token", [b"", b"token"], ids=["no-token", "token"])
@pytest.mark.parametrize("place", [1, 2, 4, 9])
def test_an_initial_in_the_name_of_the_client_takes_no_packets_away(talk: Talk, token: bytes, place: int) -> None:
    _, client, _ = ids_of(talk)
    forged = sealed_initial(b"newdcid1", b"newdcid1", client, FALSE_HELLO, token)
    plain = record_of(talk.sent, talk.keys)
    sessions = read_talk([*talk.sent[:place], forged, *talk.sent[place:]], talk.keys).close()
    records = [session_record(one, False) for one in sessions]
    (record,) = [one for one in records if one["server_name"] == "quic.test"]
    assert {key: record[key] for key in SAME} == {key: plain[key] for key in SAME}
    assert record["quic"]["connection_ids"] == plain["quic"]["connection_ids"]


def test_a_client_without_an_id_begins_again_from_the_same_port() -> None:
    talks = [Talk(), Talk()]
    for one in talks:
        client: Any = one.client  # which has no setting for its ID
        client._host_cids[0].cid = client.host_cid = client._local_initial_source_connection_id = b""
        one.connect().say(CLIENT, 0, QUESTION).say(SERVER, 0, ANSWER)
    sessions = read_talk([*talks[0].sent, *talks[1].sent], talks[0].keys + talks[1].keys).close()
    assert len(sessions) == 2
    for one, session in zip(talks, sessions, strict=True):
        record, alone = session_record(session, False), record_of(one.sent, one.keys)
        assert record["decryption"] == alone["decryption"]
        assert record["quic"]["packets"] == alone["quic"]["packets"]
        assert record["quic"]["unopened"] == 0


def test_early_data_of_strangers_is_counted_as_theirs(talk: Talk) -> None:
    original, client, _ = ids_of(talk)
    strange = Sent(CLIENT, long_header(0xD3, VERSION_1, original, client) + b"\x41\0" + random.Random(1).randbytes(256))
    plain, record = record_of(talk.sent, talk.keys), record_of([talk.sent[0], strange, *talk.sent[1:]], talk.keys)
    assert {key: record[key] for key in SAME} == {key: plain[key] for key in SAME}
    assert record["quic"]["unopened"] == 1


@pytest.mark.parametrize("name", ["quic-go-handshake", "quic-go-retry", "quic-go-zerortt"])
def test_a_client_that_goes_on_with_another_id_of_the_server_at_once(corpus: Path, name: str) -> None:
    engine = Engine()
    sessions = read_sessions(CaptureReader([str(corpus / "zeek" / "quic" / f"{name}.pcap")]), engine)
    assert sessions
    for session in sessions:
        record = session_record(session, False)
        assert record["established"] is True
        assert record["outcome"]["result"] == "established"


@pytest.mark.parametrize("handshake", [True, False])
def test_an_id_that_comes_again_proves_only_with_a_handshake_packet_to_it(handshake: bool) -> None:
    talk = Talk()
    client: Any = talk.client  # which has no setting for its ID
    client._host_cids[0].cid = client.host_cid = client._local_initial_source_connection_id = b""
    talk.connect()
    source = random.Random(7)
    original, _, server = ids_of(talk)
    place = answered_at(talk) + 1
    ack = sealed_initial(original, server, b"", b"\2\0\0\0\0")
    sealed = long_header(0xE3, VERSION_1, b"another0", b"") + b"\x41\0" + source.randbytes(256)
    short = [Sent(CLIENT, b"\x41another0" + source.randbytes(60)) for _ in range(3)]
    answers = [Sent(SERVER, b"\x41" + source.randbytes(60)) for _ in range(3)]
    record = record_of([*talk.sent[:place], ack, *([Sent(CLIENT, sealed)] if handshake else []), *short, *answers])
    assert record["established"] is (True if handshake else None)


@pytest.mark.parametrize("doubted", [False, True])
@pytest.mark.parametrize("late", [False, True])
def test_a_close_in_an_initial_ends_nothing_where_both_sides_go_on(talk: Talk, doubted: bool, late: bool) -> None:
    place = answered_at(talk)
    close = initial(talk, b"\x1c\x41\x28\0\0", 78)
    sent = [*talk.sent, close] if late else [*talk.sent[: place + 2], close, *talk.sent[place + 2 :]]
    if doubted:
        sent.insert(place, server_hello(talk, 0))
    record = record_of(sent)
    assert record["established"] is (None if doubted else True)
    assert record["outcome"]["result"] == ("unknown" if doubted else "established")
    assert [one["injected"] for one in record["alerts"]] == [True]


def test_sessions_that_end_at_once_end_in_the_order_of_their_numbers(talk: Talk) -> None:
    _, client, _ = ids_of(talk)
    forged = [sealed_initial(name, name, client, FALSE_HELLO) for name in (b"newdcid1", b"newdcid2")]
    sessions = read_talk([*talk.sent[:3], *forged, *talk.sent[3:-2]], talk.keys).close()
    assert [one.id for one in sessions] == [0, 1, 2]
