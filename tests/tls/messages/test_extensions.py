"""Bodies of extensions with a form that is not obvious from their field specs; and every registered one has a table."""

import pytest

from analyzer.codec.registry import is_grease, registry
from analyzer.tls.messages.extensions import EXTENSIONS
from analyzer.tls.messages.extensions.key_share import CLIENT_SHARES, SERVER_SHARES
from analyzer.tls.messages.protocol import Heartbeat

WITHOUT_TABLE = {36, 37, 38}
"""TLMSP, whose structures are in ETSI TS 103 523-2 and not in an RFC."""


def read(place, number, text):
    body = bytes.fromhex(text)
    message, problems = EXTENSIONS[place][number].read(body)
    assert [str(problem) for problem in problems] == []
    assert message.write() == body
    return message


def test_every_registered_extension_has_a_table():
    numbers = set().union(*EXTENSIONS.values())
    assert {n for n in registry("extensions") if n not in numbers} == WITHOUT_TABLE
    assert not any(is_grease(n) for n in numbers)


@pytest.mark.parametrize(
    ("place", "number", "text", "shown"),
    [
        ("client_hello", 0, "0009 00 0006 736572766572", {"server_name_list": [{"name_type": "host_name", "name": "server"}]}),
        ("server_hello", 0, "", {}),
        ("client_hello", 1, "02", {"max_fragment_length": "2^10"}),
        ("client_hello", 3, "0001 00", {"trusted_authorities_list": [{"identifier_type": "pre_agreed", "identifier": ""}]}),
        ("client_hello", 5, "01 0000 0000", {
            "status_type": "ocsp", "request": {"responder_id_list": [], "request_extensions": ""}}),
        ("certificate_request", 5, "", {"status_type": None, "request": ""}),
        ("certificate", 5, "01 000003 300300", {"status_type": "ocsp", "response": "300300"}),
        ("client_hello", 14, "0004 0001 0007 00", {
            "srtp_protection_profiles": ["SRTP_AES128_CM_HMAC_SHA1_80", "SRTP_AEAD_AES_128_GCM"], "srtp_mki": ""}),
        ("client_hello", 15, "01", {"mode": "peer_allowed_to_send"}),
        ("client_hello", 16, "000c 02 6832 08 687474702f312e31", {"protocol_name_list": ["h2", "http/1.1"]}),
        ("client_hello", 19, "01 02", {"client_certificate_types": ["RawPublicKey"]}),
        ("server_hello", 20, "02", {"server_certificate_type": "RawPublicKey"}),
        ("client_hello", 24, "01 00 01 02", {"major": 1, "minor": 0, "key_parameters_list": ["ecdsap256"]}),
        ("client_hello", 27, "02 0002", {"algorithms": ["brotli"]}),
        ("client_hello", 43, "04 0304 0303", {"versions": ["TLS 1.3", "TLS 1.2"]}),
        ("server_hello", 43, "0304", {"selected_version": "TLS 1.3"}),
        ("hello_retry_request", 51, "0017", {"selected_group": "secp256r1"}),
        ("client_hello", 54, "04 deadbeef", {"cid": "deadbeef"}),
        ("client_hello", 58, "02 01", {"new_session_count": 2, "resumption_count": 1}),
        ("encrypted_extensions", 58, "02", {"expected_count": 2}),
        ("client_hello", 59, "01bb", {"port_number": 443}),
        ("client_hello", 17613, "0003 02 6832", {"supported_protocols": ["h2"]}),
        ("server_hello", 13172, "02 6832 08 687474702f312e31", {"protocol_name_list": ["h2", "http/1.1"]}),
        ("new_session_ticket", 42, "00000400", {"max_early_data_size": 1024}),
        ("client_hello", 64768, "04 000a 0033", {"outer_extensions": ["supported_groups", "key_share"]}),
        ("client_hello", 65037, "01", {"type": "inner", "body": {}}),
        ("hello_retry_request", 65037, "0001020304050607", {"confirmation": "0001020304050607"}),
        ("client_hello", 65281, "00", {"renegotiated_connection": ""}),
    ],
)  # fmt: skip
def test_bodies(place, number, text, shown):
    assert read(place, number, text).json() == shown


def test_the_outer_encrypted_client_hello():
    body = read("client_hello", 65037, "00 0001 0001 2a 0004 aabbccdd 0002 eeff").body
    assert body.json() == {
        "cipher_suite": {"kdf_id": "HKDF-SHA256", "aead_id": "AES-128-GCM"},
        "config_id": 0x2A,
        "enc": "aabbccdd",
        "payload": "eeff",
    }


def test_retry_configs_of_versions_known_and_unknown():
    contents = "07 0020 0004 01020304 0004 0001 0003 40 04 782e6465 0000"
    known = f"fe0d {len(bytes.fromhex(contents)):04x} {contents}"
    body = f"{known} fe0a 0003 aabbcc"
    message = read("encrypted_extensions", 65037, f"{len(bytes.fromhex(body)):04x} {body}")
    first, second = message.retry_configs
    assert first.contents.key_config.config_id == 7
    assert first.contents.key_config.cipher_suites[0].aead_id == 3
    assert (first.contents.maximum_name_length, first.contents.public_name) == (64, b"x.de")
    assert (second.version, second.contents) == (0xFE0A, b"\xaa\xbb\xcc")


def test_signed_certificate_timestamps():
    sct = "00" + "11" * 32 + "0000018bcfe56800" + "0000" + "0403" + "0002 abcd"
    one = f"{len(bytes.fromhex(sct)):04x} {sct}"
    message = read("certificate", 18, f"{len(bytes.fromhex(one * 2)):04x} {one} {one}")
    assert [s.timestamp for s in message.sct_list] == [1_700_000_000_000] * 2
    assert message.sct_list[0].json() == {
        "sct_version": "v1",
        "id": "11" * 32,
        "timestamp": 1_700_000_000_000,
        "extensions": "",
        "algorithm": "ecdsa_secp256r1_sha256",
        "signature": "abcd",
    }


@pytest.mark.parametrize(
    ("group", "client", "server"),
    [
        (4588, {"ml_kem": 1184, "x25519": 32}, {"ml_kem": 1088, "x25519": 32}),
        (4587, {"secp256r1": 65, "ml_kem": 1184}, {"secp256r1": 65, "ml_kem": 1088}),
        (4589, {"secp384r1": 97, "ml_kem": 1568}, {"secp384r1": 97, "ml_kem": 1568}),
        (25497, {"x25519": 32, "kyber": 1184}, {"x25519": 32, "kyber": 1088}),
    ],
)
def test_hybrid_shares_come_in_their_parts(group, client, server):
    assert {row.name: row.width for row in CLIENT_SHARES[group].specs} == client
    assert {row.name: row.width for row in SERVER_SHARES[group].specs} == server
    share = bytes(n % 251 for n in range(sum(server.values())))
    message = read("server_hello", 51, f"{group:04x} {len(share):04x} {share.hex()}")
    first = next(iter(server))
    assert getattr(message.server_share.key_exchange, first) == share[: server[first]]


def test_a_hybrid_share_of_another_length_is_a_problem():
    _, problems = EXTENSIONS["server_hello"][51].read(bytes.fromhex("11ec 0002 aabb"))
    assert [str(p) for p in problems] == [
        "KeyShareServerHello.server_share.key_exchange.ml_kem at 0x4: 1088 bytes wanted, 2 left"
    ]


def test_transport_parameters_keep_long_numbers():
    body = "4001 02 7bbd 0d 29" + "7f000001 01bb" + "00" * 15 + "01 01bb 00" + "ab" * 16
    with pytest.raises(AssertionError):
        read("client_hello", 57, body)
    body = "4001 02 7bbd 0d 2a" + "7f000001 01bb" + "00" * 15 + "01 01bb 01 cc" + "ab" * 16
    message = read("client_hello", 57, body)
    idle, address = message.transport_parameters
    assert (idle.id, idle.value) == (1, 15293)
    assert (address.value.ipv4_address, address.value.ipv6_port) == (b"\x7f\0\0\x01", 443)


def test_version_information():
    message = read("client_hello", 57, "11 0c 00000001 6b3343cf 00000001")
    assert message.transport_parameters[0].json()["value"]["available_versions"] == ["QUIC 2", "QUIC 1"]


def test_heartbleed():
    """CVE-2014-0160: a payload length of 16384 and three bytes of payload."""
    message, problems = Heartbeat.read(bytes.fromhex("01 4000 616263"))
    assert (message.payload_length, message.payload) == (16384, b"abc")
    assert [str(p) for p in problems] == ["Heartbeat.payload at 0x3: 16384 bytes wanted, 3 left"]
