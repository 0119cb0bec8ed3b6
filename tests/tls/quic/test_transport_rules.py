"""What a whole connection must not do."""

import pytest
from aioquic.tls import CipherSuite
from quic_talks import CLIENT, SERVER, Sent, Talk, only, read_talk

from analyzer.secrets.quic_protection import initial_decryptors
from analyzer.secrets.quic_versions import VERSION_1, VERSIONS
from analyzer.store.session_record import session_record
from analyzer.tls.quic import transport_rules
from analyzer.tls.quic.packet_headers import read_long, read_varint, varint_length
from analyzer.tls.quic.transport_facts import APPLICATION, TransportFacts
from analyzer.tls.quic.transport_rules import transport_problems
from analyzer.tls.suites import suite


@pytest.mark.parametrize(
    ("number", "limit"),
    [(0x1301, 1 << 23), (0x1302, 1 << 23), (0x1304, int(2**21.5)), (0x1303, None)],
    ids=["aes-128-gcm", "aes-256-gcm", "aes-128-ccm", "chacha20"],
)
def test_how_many_packets_a_key_may_seal(number: int, limit: int | None) -> None:
    facts = TransportFacts(VERSION_1, b"original")
    server = facts.sent[4 + APPLICATION]
    server.count = limit or 1 << 40
    assert list(transport_problems(facts, suite(number))) == []
    server.count += 1
    found = list(transport_problems(facts, suite(number)))
    if limit is None:
        assert found == []
    else:
        detail = f"the server has protected at least {limit + 1} packets with one key; {limit} are allowed"
        assert found == [("overused_key", "medium", detail)]
    assert list(transport_problems(facts, None)) == []


def test_each_key_is_counted_alone() -> None:
    facts = TransportFacts(VERSION_1, b"original")
    client = facts.sent[APPLICATION]
    for generation, packets in ((0, 10), (1, 30), (3, 20)):
        for _ in range(packets):
            client.count += 1
            if generation:
                facts.take_update(CLIENT, generation, client.count)
    assert (client.most, client.begun, client.with_one_key) == (30, 40, 30)
    client.count += 20
    assert client.with_one_key == 40


def test_a_connection_that_uses_a_key_too_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(transport_rules.CONFIDENTIALITY_LIMITS, "AES_128_GCM", 12)
    talk = Talk(suites=[CipherSuite.AES_128_GCM_SHA256]).connect()
    talk.say(CLIENT, 0, b"question").say(SERVER, 0, bytes(40000)).close()
    session = only(read_talk(talk.sent * 2, talk.keys))
    count = session.transport.n_packets(SERVER, APPLICATION)
    assert count > 12
    (finding,) = session_record(session, False)["findings"]
    assert finding["code"] == "overused_key"
    assert f"the server has protected at least {count} packets" in finding["detail"]


def shrunk(one: Sent) -> Sent:
    """The datagram with the client's first Initial, without its padding."""
    data = one.payload
    header = read_long(data, 0, len(data))
    assert header is not None
    keys, _ = initial_decryptors(VERSIONS[VERSION_1], header.destination)
    opened = keys.open(data, 0, header.number_at, header.end)
    assert opened is not None
    frames, at = opened.plaintext, 1 + varint_length(opened.plaintext, 1, 20)
    frames = frames[: at + varint_length(frames, at, 20) + read_varint(frames, at, 20)]
    ids = data[1 : 5 + 1 + len(header.destination) + 1 + len(header.source)]
    head = b"\xc3" + ids + b"\0" + (0x4000 | len(frames) + 20).to_bytes(2, "big")
    clear = head + opened.number.to_bytes(4, "big")
    sealed = keys.keys.aead.encrypt((keys.keys.iv ^ opened.number).to_bytes(12, "big"), frames, clear)  # type: ignore[attr-defined]
    mask = keys.masks.mask(sealed[:16])
    number = bytes(a ^ b for a, b in zip(clear[-4:], mask[1:5], strict=True))
    return Sent(CLIENT, bytes([clear[0] ^ mask[0] & 0x0F]) + head[1:] + number + sealed)


def test_a_datagram_that_is_too_small_for_an_initial() -> None:
    talk = Talk(suites=[CipherSuite.AES_128_GCM_SHA256]).connect().say(CLIENT, 0, b"question")
    small = shrunk(talk.sent[0])
    assert len(small.payload) < 1200
    (finding,) = session_record(only(read_talk([small, *talk.sent[1:]], talk.keys)), False)["findings"]
    detail = f"the datagram with an Initial packet of the client in frame 1 has {len(small.payload)} bytes"
    assert (finding["code"], finding["severity"], finding["detail"]) == ("small_initial", "low", detail)
    for sent, keys in (
        (talk.sent, talk.keys),
        ([talk.sent[0], small, *talk.sent[1:]], talk.keys),  # a copy that says nothing new
        ([small, *talk.sent[1:]], b""),  # nothing shows that the client sent it
        ([Sent(CLIENT, small.payload + bytes(1200 - len(small.payload))), *talk.sent[1:]], talk.keys),
    ):
        assert session_record(only(read_talk(sent, keys)), False)["findings"] == []
