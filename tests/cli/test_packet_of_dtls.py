"""The tree of a DTLS datagram: records with their headers, fragments, messages, alerts and ACKs."""

from pathlib import Path

import pytest

from .conftest import Run

CAPTURES = Path(__file__).parents[2] / "captures"


def tree(run: Run, name: str, number: int, keys: bool = True) -> list[str]:
    """The lines of the tree of a frame, from the first record of DTLS on, without byte numbers."""
    folder = CAPTURES / name
    words = ("packet", folder / f"{name}.pcapng", number, *(("-k", folder / f"{name}.keys") if keys else ()))
    lines = run(*words, columns=100).text.partition("DTLS record")[2].partition("\n\n")[0].splitlines()
    return ["DTLS record" + lines[0], *[line[13:] for line in lines[1:]]]


def names(lines: list[str]) -> list[str]:
    return [line.strip().rpartition("  ")[0] for line in lines if line.endswith(" bytes")]


def test_a_flight_in_one_datagram_has_all_records_and_messages(run: Run):
    lines = tree(run, "dtls12-cookie", 4)
    shown = ["ServerHello", "Certificate", "ServerKeyExchange", "ServerHelloDone"]
    assert names(lines) == [name for one in shown for name in ("DTLS record: handshake", one)]
    text = "\n".join(lines)
    for words in ("epoch: 0", "sequence_number: 4", "message_seq: 4", "fragment_offset: 0", "legacy_version: DTLS 1.2"):
        assert words in text
    assert "cipher_suite: TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 (49196)" in text


def test_a_cookie_is_a_field(run: Run):
    asked, returned = (next(line for line in tree(run, "dtls12-cookie", number) if "cookie" in line) for number in (2, 3))
    assert asked.split(": ")[1] == returned.split(": ")[1]


def test_a_fragment_has_its_place_and_the_last_one_the_message(run: Run):
    assert names(tree(run, "dtls10-rsa", 9)) == ["DTLS record: handshake", "Handshake fragment: certificate"]
    lines = tree(run, "dtls10-rsa", 10)
    assert names(lines)[:3] == ["DTLS record: handshake", "Handshake fragment: certificate", "Certificate"]
    assert any("it spans fragments: byte numbers count from its beginning" in line for line in lines)


def test_a_unified_header_has_its_bits_and_the_opened_record_its_numbers(run: Run):
    lines = [line.strip() for line in tree(run, "dtls13-connection-ids", 10)]
    for words in ("first_byte: 0x3f", "connection_id_present: 1", "connection_id: 0c", "epoch: 3", "sequence_number: 0"):
        assert words in lines
    assert names(lines) == ["DTLS record: ACK", "ACK"]
    assert "record_numbers_length: 16" in lines


def test_what_is_encrypted_is_shown_with_keys_only(run: Run):
    assert names(tree(run, "dtls13-cookie", 6)) == ["DTLS record: handshake", "Certificate"]
    lines = tree(run, "dtls13-cookie", 6, keys=False)
    assert names(lines) == ["DTLS record"]
    assert any("protected: what it carries cannot be seen without keys" in line for line in lines)


def test_messages_in_protected_fragments_are_put_together(run: Run):
    shown = names(tree(run, "dtls12-renegotiation", 22))
    assert "Handshake fragment: certificate" in shown
    assert "Certificate" in shown


def test_the_plaintext_is_printed_below(run: Run):
    folder = CAPTURES / "dtls12-cookie"
    text = run("packet", folder / "dtls12-cookie.pcapng", 7, "-k", folder / "dtls12-cookie.keys").text
    assert "Decrypted DTLS (18 bytes): application data" in text
    assert "What is the time" in text


@pytest.mark.parametrize("name", ["dtls12-fragments", "dtls13-loss", "dtls12-connection-ids"])
def test_every_frame_has_a_tree(run: Run, name: str):
    folder = CAPTURES / name
    ran = run("packets", folder / f"{name}.pcapng", "-k", folder / f"{name}.keys", "-V")
    frames = run("packets", folder / f"{name}.pcapng", "--format", "csv").text.count("\n") - 1
    assert ran.text.count("DTLS record") >= frames
    assert ran.text.count("    Data  ") == 0
