"""Which bits of short headers are hidden, where both sides have agreed on loss bits."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from aioquic.quic import packet as aioquic_packet
from aioquic.tls import CipherSuite
from quic_talks import CLIENT, SERVER, Sent, Talk, only, read_talk

from analyzer.secrets.quic_protection import SHORT_BITS, SHORT_BITS_WITH_LOSS
from analyzer.store.session_record import session_record
from analyzer.tls.quic.packet_headers import read_long
from analyzer.tls.quic.packet_opening import PacketOpening, short_bits

QUESTION, ANSWER = b"question" * 900, b"answer" * 5000


def parameters(value: int | None) -> Any:
    listed = [SimpleNamespace(id=0x0E, value=4)]
    return SimpleNamespace(transport_parameters=listed + ([] if value is None else [SimpleNamespace(id=0x1057, value=value)]))


ON, OFF, EITHER = (SHORT_BITS_WITH_LOSS,), (SHORT_BITS,), (SHORT_BITS, SHORT_BITS_WITH_LOSS)


@pytest.mark.parametrize(
    ("client", "server", "bits"),
    [
        (1, 1, [ON, ON]), (1, 0, [ON, OFF]), (0, 1, [OFF, ON]), (0, 0, [OFF, OFF]), (2, 1, [OFF, OFF]),
        (1, None, [OFF, OFF]), (None, 1, [OFF, OFF]),
    ],
)  # fmt: skip
def test_who_short_bits(client: int | None, server: int | None, bits: list[tuple[int, ...]]) -> None:
    both = [parameters(client), parameters(server)]
    assert [short_bits(both, role) for role in (CLIENT, SERVER)] == bits


@pytest.mark.parametrize(("client", "bits"), [(1, [EITHER, EITHER]), (0, [OFF, EITHER]), (None, [OFF, OFF])])
def test_without_the_parameters_of_the_server(client: int | None, bits: list[tuple[int, ...]]) -> None:
    opening = PacketOpening()
    opening.forget([parameters(client), None])
    assert opening.hidden == bits


def with_loss_bits(one: Sent) -> Sent:
    """A datagram whose packet with a short header has its loss bits in the clear: both are 0."""
    data, pos = bytearray(one.payload), 0
    while pos < len(data) and data[pos] & 0x80:
        header = read_long(bytes(data), pos, len(data))
        assert header is not None
        pos = header.end
    if pos < len(data) and data[pos] & 0x40:
        data[pos] &= 0xE7
    return replace(one, payload=bytes(data))


@pytest.fixture
def talk(monkeypatch: pytest.MonkeyPatch) -> Talk:
    """A conversation whose sides both announce that they send loss bits, and send them."""
    monkeypatch.setitem(aioquic_packet.PARAMS, 0x1057, ("loss_bits", int))
    monkeypatch.setattr(aioquic_packet.QuicTransportParameters, "loss_bits", 1, raising=False)
    talk = Talk(suites=[CipherSuite.AES_128_GCM_SHA256]).connect()
    talk.say(CLIENT, 0, QUESTION).say(SERVER, 0, ANSWER).close()
    talk.sent = [with_loss_bits(one) for one in talk.sent]
    return talk


def test_packets_with_loss_bits_open(talk: Talk) -> None:
    session = only(read_talk(talk.sent, talk.keys))
    record = session_record(session, False)
    assert session.handshake.decryption.application.streams[0].data == [QUESTION, ANSWER]
    assert record["decryption"]["status"] == "decrypted"
    assert record["findings"] == []
    assert record["quic"]["unopened"] == 0
    assert [decryptor.hidden for decryptor in session.opening.proven[6:]] == [SHORT_BITS_WITH_LOSS] * 2


def test_packets_with_loss_bits_open_without_the_parameters_of_the_server(talk: Talk) -> None:
    lines = talk.keys.decode().splitlines()
    keys = "\n".join(line for line in lines if not line.startswith("SERVER_HANDSHAKE")).encode()
    session = only(read_talk(talk.sent, keys))
    assert session.transport.parameters[SERVER] is None
    assert [decryptor.hidden for decryptor in session.opening.proven[6:]] == [SHORT_BITS_WITH_LOSS] * 2
    assert session.transport.n_packets(SERVER, 3) > 10
    assert session_record(session, False)["quic"]["unopened"] == 0
