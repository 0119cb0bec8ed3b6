"""Keys of SRTP: what OpenSSL and wolfSSL exported in the captures, and the lengths of every profile."""

import json

import pytest

from analyzer.codec.registry import registry
from analyzer.secrets.key_schedule13 import DTLS
from analyzer.secrets.srtp_keys import LABEL, LENGTHS, block_length, export12, export13, split_keys


def told(repository, name):
    """The key log lines of a capture by label, its bytes, and what the endpoints exported."""
    folder = repository / "captures" / name
    lines = [line.split() for line in (folder / f"{name}.keys").read_text("ascii").splitlines() if not line.startswith("#")]
    (session,) = json.loads((folder / "expected.json").read_text("utf-8"))["sessions"]
    keys = {label: (bytes.fromhex(random), bytes.fromhex(secret)) for label, random, secret in lines}
    return keys, (folder / f"{name}.pcapng").read_bytes(), session["when_decrypted"]["srtp_keying_material"]


def test_dtls12_exports_what_openssl_exported(repository):
    keys, capture, exported = told(repository, "dtls12-srtp")
    client, master = keys["CLIENT_RANDOM"]
    at = capture.index(bytes.fromhex("fefd"), capture.index(bytes.fromhex("16fefd0000000000000001"))) + 2
    while capture[at - 14 : at - 13] != b"\x02":  # the ServerHello, behind its header of 12 bytes and its version
        at = capture.index(bytes.fromhex("fefd"), at) + 2
    server = capture[at : at + 32]
    block = export12(0xFEFD, "SHA384", master, client + server, LABEL, block_length(1))
    assert block.hex() == exported
    parts = split_keys(1, block)
    assert b"".join(parts) == block
    assert [len(part) for part in parts] == [16, 16, 14, 14]


def test_dtls13_exports_what_wolfssl_exported(repository):
    keys, _, exported = told(repository, "dtls13-srtp")
    _, secret = keys["EXPORTER_SECRET"]
    assert export13("SHA384", secret, LABEL, block_length(1), DTLS).hex() == exported


def test_tls13_has_another_prefix_than_dtls13():
    secret = bytes(range(32))
    assert export13("SHA256", secret, LABEL, 60) != export13("SHA256", secret, LABEL, 60, DTLS)


def test_the_profiles_are_those_of_the_registry():
    profiles = registry("srtp_protection_profiles")
    assert all(profiles.known(number) for number in LENGTHS)
    without = [profiles.name(number) for number in profiles if number not in LENGTHS]
    assert all("NULL" in name for name in without), without


@pytest.mark.parametrize("profile", sorted(LENGTHS))
def test_a_block_has_two_keys_and_two_salts(profile):
    parts = split_keys(profile, bytes(block_length(profile)))
    assert [len(part) for part in parts] == [LENGTHS[profile][0]] * 2 + [LENGTHS[profile][1]] * 2
