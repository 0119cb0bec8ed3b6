"""The handshake messages of RFC 8448, field by field."""

import hashlib

import pytest

from analyzer.tls.messages import table_for
from analyzer.tls.messages.certificate_tables import Certificate13, CertificateVerify12
from analyzer.tls.messages.extensions.quic_parameters import TransportParameters
from analyzer.tls.messages.finish import EncryptedExtensions, Finished, NewSessionTicket13
from analyzer.tls.messages.hello import ClientHello, HelloRetryRequest, ServerHello

TLS13 = 0x0304


def read(messages, name):
    data = messages[name]
    assert int.from_bytes(data[1:4], "big") == len(data) - 4
    message, problems = table_for(data[0], TLS13, None, data).read(data[4:])
    assert problems == []
    assert message.write() == data[4:]
    return message


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("client_hello", ClientHello),
        ("server_hello", ServerHello),
        ("encrypted_extensions", EncryptedExtensions),
        ("certificate", Certificate13),
        ("certificate_verify", CertificateVerify12),
        ("server_finished", Finished),
        ("client_finished", Finished),
        ("new_session_ticket", NewSessionTicket13),
        ("resumption_client_hello", ClientHello),
        ("first_client_hello", ClientHello),
        ("hello_retry_request", HelloRetryRequest),
    ],
)
def test_each_message_has_its_table(rfc8448, name, table):
    assert type(read(rfc8448, name)) is table


def test_client_hello(rfc8448):
    shown = read(rfc8448, "client_hello").json()
    assert list(shown) == [
        "legacy_version", "random", "legacy_session_id", "cipher_suites", "legacy_compression_methods", "extensions",
    ]  # fmt: skip
    assert shown["legacy_version"] == "TLS 1.2"
    assert shown["random"] == "cb34ecb1e78163ba1c38c6dacb196a6dffa21a8d9912ec18a2ef6283024dece7"
    assert shown["legacy_session_id"] == ""
    assert shown["cipher_suites"] == ["TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_256_GCM_SHA384"]
    assert shown["legacy_compression_methods"] == ["NULL"]
    assert {extension["type"]: extension["body"] for extension in shown["extensions"]} == {
        "server_name": {"server_name_list": [{"name_type": "host_name", "name": "server"}]},
        "renegotiation_info": {"renegotiated_connection": ""},
        "supported_groups": {
            "named_group_list": [
                "x25519", "secp256r1", "secp384r1", "secp521r1",
                "ffdhe2048", "ffdhe3072", "ffdhe4096", "ffdhe6144", "ffdhe8192",
            ]
        },
        "session_ticket": {"ticket": ""},
        "key_share": {
            "client_shares": [
                {
                    "group": "x25519",
                    "key_exchange": "99381de560e4bd43d23d8e435a7dbafeb3c06e51c13cae4d5413691e529aaf2c",
                }
            ]
        },
        "supported_versions": {"versions": ["TLS 1.3"]},
        "signature_algorithms": {
            "supported_signature_algorithms": [
                "ecdsa_secp256r1_sha256", "ecdsa_secp384r1_sha384", "ecdsa_secp521r1_sha512", "ecdsa_sha1",
                "rsa_pss_rsae_sha256", "rsa_pss_rsae_sha384", "rsa_pss_rsae_sha512",
                "rsa_pkcs1_sha256", "rsa_pkcs1_sha384", "rsa_pkcs1_sha512", "rsa_pkcs1_sha1",
                "dsa_sha256", "dsa_sha384", "dsa_sha512", "dsa_sha1",
            ]
        },
        "psk_key_exchange_modes": {"ke_modes": ["psk_dhe_ke"]},
        "record_size_limit": {"record_size_limit": 16385},
    }  # fmt: skip


def test_server_hello(rfc8448):
    message = read(rfc8448, "server_hello")
    assert (message.legacy_session_id_echo, message.cipher_suite, message.legacy_compression_method) == (b"", 0x1301, 0)
    assert [extension.type for extension in message.extensions] == [51, 43]
    assert message.extension(51).server_share.group == 29
    assert message.extension(51).server_share.key_exchange.hex().startswith("c9828876112095fe")
    assert message.extension(43).selected_version == TLS13


def test_encrypted_extensions(rfc8448):
    message = read(rfc8448, "encrypted_extensions")
    assert [extension.type for extension in message.extensions] == [10, 28, 0]
    assert message.extension(28).record_size_limit == 16385
    assert message.json()["extensions"][2] == {"type": "server_name", "body": {}}


def test_certificate(rfc8448):
    message = read(rfc8448, "certificate")
    assert message.certificate_request_context == b""
    (entry,) = message.certificate_list
    assert (len(entry.cert_data), entry.cert_data[:4].hex(), entry.extensions) == (432, "308201ac", [])


def test_certificate_verify(rfc8448):
    message = read(rfc8448, "certificate_verify")
    assert message.json()["algorithm"] == "rsa_pss_rsae_sha256"
    assert len(message.signature) == 128


def test_finished(rfc8448):
    assert len(read(rfc8448, "server_finished").verify_data) == hashlib.sha256().digest_size


def test_new_session_ticket(rfc8448):
    message = read(rfc8448, "new_session_ticket")
    assert (message.ticket_lifetime, message.ticket_age_add, message.ticket_nonce) == (30, 0xFAD6AAC5, b"\0\0")
    assert len(message.ticket) == 0xB2
    assert message.extension(42).max_early_data_size == 1024


def test_resumption_offers_the_ticket(rfc8448):
    offered = read(rfc8448, "resumption_client_hello").extension(41)
    ticket = read(rfc8448, "new_session_ticket").ticket
    assert [identity.identity for identity in offered.identities] == [ticket]
    assert [binder.hex()[:8] for binder in offered.binders] == ["3add4fb2"]


def test_hello_retry_request(rfc8448):
    message = read(rfc8448, "hello_retry_request")
    assert message.random == hashlib.sha256(b"HelloRetryRequest").digest()
    assert message.extension(51).selected_group == 23
    assert len(message.extension(44).cookie) == 0x72
    assert read(rfc8448, "first_client_hello").extension(51).client_shares[0].group == 29


def test_transport_parameters_of_quic():
    """RFC 9001 appendix A.2: the quic_transport_parameters of the ClientHello in the sample packet."""
    body = bytes.fromhex("0408ffffffffffffffff05048000ffff07048000ffff0801100104800075300901100f088394c8f03e51570806048000ffff")
    message, problems = TransportParameters.read(body)
    assert problems == []
    assert message.write() == body
    assert {p["id"]: p["value"] for p in message.json()["transport_parameters"]} == {
        "initial_max_data": (1 << 62) - 1,
        "initial_max_stream_data_bidi_local": 65535,
        "initial_max_stream_data_uni": 65535,
        "initial_max_streams_bidi": 16,
        "max_idle_timeout": 30000,
        "initial_max_streams_uni": 16,
        "initial_source_connection_id": "8394c8f03e515708",
        "initial_max_stream_data_bidi_remote": 65535,
    }
