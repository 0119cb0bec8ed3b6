"""The tree of a QUIC datagram: the packets with their headers, their frames, and the messages within."""

from pathlib import Path

import pytest

from .conftest import Run

CAPTURES = Path(__file__).parents[2] / "captures"


def tree(run: Run, name: str, number: int, keys: bool = True) -> list[str]:
    """The lines of the tree of a frame, from the first packet of QUIC on."""
    (capture,) = (CAPTURES / name).glob("*.pcap*")
    (key_log,) = (CAPTURES / name).glob("*.keys")
    words = ("packet", capture, number, *(("-k", key_log) if keys else ()))
    lines = run(*words, columns=80).text.partition("QUIC: ")[2].partition("\n\n")[0].splitlines()
    return ["    QUIC: " + lines[0], *[line[13:] for line in lines[1:]]]


def test_every_packet_of_a_datagram_has_header_frames_and_messages(run: Run):
    lines = tree(run, "quic-http3", 2)
    names = [line.strip().rpartition("  ")[0] for line in lines if line.endswith(" bytes")]
    assert names == [
        "QUIC: Initial", "ACK frame", "CRYPTO frame", "ServerHello", "QUIC: Handshake", "CRYPTO frame", "EncryptedExtensions",
    ]  # fmt: skip
    text = "\n".join(lines)
    assert "packet_number: 1\n" in text
    assert "largest_acknowledged: 0\n" in text
    assert "cipher_suite: TLS_AES_256_GCM_SHA384 (4866)" in text


def test_without_keys_initial_packets_are_opened_and_others_say_why_not(run: Run):
    text = "\n".join(tree(run, "quic-http3", 2, keys=False))
    assert "ServerHello" in text
    assert "EncryptedExtensions" not in text
    assert "(protected: what it carries cannot be seen without keys)" in text


def test_a_short_header_has_its_bits_and_streams_their_kind(run: Run):
    text = "\n".join(tree(run, "quic-http3", 17))
    for words in ("header_form: short (0)", "key_phase: 0", "packet_number: 10", "initiator: client (0)", "bidirectional (0)"):
        assert words in text


@pytest.mark.parametrize(
    ("name", "number", "words"),
    [
        ("quic-retry", 2, ("QUIC: Retry", "retry_token: 648731c9", "retry_integrity_tag: 324697a7")),
        ("quic-retry", 3, ("token: 648731c9", "QUIC: Initial")),
        ("quic-version-negotiation", 1, ("QUIC: Forcing Version Negotiation", "source_connection_id: f7e1d5cd9ee003d2")),
        ("quic-version-negotiation", 2, ("QUIC: Version Negotiation", "supported_version: QUIC 1 (0x00000001)")),
        ("quic-v2", 1, ("long_packet_type: Initial (1)",)),
    ],
)
def test_packets_that_begin_no_connection_are_read_too(run: Run, name: str, number: int, words: tuple[str, ...]):
    text = "\n".join(tree(run, name, number))
    for one in words:
        assert one in text
