"""Which table a message has: by type, version, cipher suite, and in some cases by its bytes."""

import hashlib

import pytest

from analyzer.codec.registry import registry
from analyzer.tls.messages import (
    certificate_tables,
    finish,
    hello,
    hello_retry_request_table,
    key_exchange_tables,
    server_hello_table,
    ssl2_table,
    ssl2_tables,
    table_for,
)
from analyzer.tls.messages.message_tables import table_of
from analyzer.tls.suites import read_name

SSL3, TLS10, TLS11, TLS12, TLS13 = range(0x0300, 0x0305)
DTLS10, DTLS12, DTLS13 = 0xFEFF, 0xFEFD, 0xFEFC
RETRY = hashlib.sha256(b"HelloRetryRequest").digest()


def exchange(number, name, version=TLS12):
    return table_for(number, version, read_name(name))


@pytest.mark.parametrize(
    ("number", "version", "table"),
    [
        (0, TLS12, hello.HelloRequest),
        (1, None, hello.ClientHello),
        (1, 0, hello.ClientHello),
        (4, TLS12, finish.NewSessionTicket),
        (4, TLS13, finish.NewSessionTicket13),
        (11, SSL3, certificate_tables.Certificate),
        (11, TLS12, certificate_tables.Certificate),
        (11, TLS13, certificate_tables.Certificate13),
        (13, TLS11, certificate_tables.CertificateRequest),
        (13, TLS12, certificate_tables.CertificateRequest12),
        (13, TLS13, certificate_tables.CertificateRequest13),
        (15, TLS11, certificate_tables.CertificateVerify),
        (15, TLS12, certificate_tables.CertificateVerify12),
        (15, DTLS12, certificate_tables.CertificateVerify12),
        (15, DTLS10, certificate_tables.CertificateVerify),
        (11, DTLS13, certificate_tables.Certificate13),
        (12, TLS13, None),
        (16, TLS13, None),
        (16, DTLS13, None),
        (99, TLS12, None),
    ],
)
def test_by_type_and_version(number, version, table):
    assert table_for(number, version) is table


def test_cached_tables_are_the_same():
    suites = [None, *(read_name(f"TLS_{name}_WITH_AES_128_CBC_SHA") for name in ("RSA", "DHE_RSA", "ECDHE_ECDSA", "DH_anon"))]
    bodies = (b"", b"\x03\x03", b"\x03\x03" + RETRY, b"\x03\x03" + bytes(32), b"\x7f\x12" + bytes(32), b"\0\0\5\x30abcd")
    for _ in range(2):
        for number in range(256):
            for version in (0, SSL3, TLS10, TLS12, TLS13, 0x7F17):
                for chosen in suites:
                    for body in bodies:
                        raw = bytes([number]) + len(body).to_bytes(3, "big") + body
                        assert table_of(number, version, chosen, raw) is table_for(number, version, chosen, raw)


def test_every_registered_type_has_a_table():
    missing = {n for n in registry("handshake_types") if not (table_for(n, TLS12) or table_for(n, TLS13))}
    assert missing == set()


def test_dtls():
    assert table_for(1, None, dtls=True) is hello.DTLSClientHello
    assert table_for(3, None, dtls=True) is hello.HelloVerifyRequest
    data = bytes.fromhex("fefd") + bytes(32) + bytes.fromhex("00 03 aabbcc 0002 c02b 01 00")
    message, problems = hello.DTLSClientHello.read(data)
    assert (message.legacy_cookie, message.cipher_suites, message.extensions, problems) == (b"\xaa\xbb\xcc", [0xC02B], None, [])


def test_certificate_types():
    assert table_for(11, TLS12, certificate_type=2) is certificate_tables.RawPublicKeyCertificate
    assert table_for(11, TLS12, certificate_type=1) is certificate_tables.OpenPGPCertificate
    assert table_for(11, TLS13, certificate_type=2) is certificate_tables.Certificate13
    assert table_for(13, TLS12, certificate_type=2) is certificate_tables.CertificateRequest12


@pytest.mark.parametrize(
    ("data", "table"),
    [
        ("0303" + RETRY.hex(), hello.HelloRetryRequest),
        ("fefd" + RETRY.hex(), hello.HelloRetryRequest),
        ("0303" + "00" * 32, hello.ServerHello),
        ("7f10" + "00" * 32, hello.DraftServerHello),
        ("7f12" + RETRY.hex(), hello.HelloRetryRequest),
        ("7f17" + "00" * 32, hello.ServerHello),
        ("0303" + RETRY.hex()[:-2], hello.ServerHello),
        ("03", hello.ServerHello),
        ("", hello.ServerHello),
    ],
)
def test_forms_of_a_server_hello(data, table):
    assert server_hello_table(bytes.fromhex(data)) is table
    assert server_hello_table(b"\x02\x00\x00\x22" + bytes.fromhex(data), 4) is table
    assert table_for(2, None, None, b"\x02\x00\x00\x22" + bytes.fromhex(data)) is table


def test_forms_of_a_draft_hello_retry_request():
    assert hello_retry_request_table(bytes.fromhex("7f12 0006 0028 0002 0017")) is hello.EarlyDraftHelloRetryRequest
    message, problems = hello.DraftHelloRetryRequest.read(bytes.fromhex("7f14 1301 0006 0028 0002 0017"))
    assert hello_retry_request_table(message.write()) is hello.DraftHelloRetryRequest
    assert (message.cipher_suite, message.extension(40).selected_group, problems) == (0x1301, 23, [])


@pytest.mark.parametrize(
    ("name", "version", "table"),
    [
        ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", TLS12, key_exchange_tables.ECDHEServerKeyExchange12),
        ("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", TLS11, key_exchange_tables.ECDHEServerKeyExchange),
        ("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", DTLS10, key_exchange_tables.ECDHEServerKeyExchange),
        ("TLS_ECDH_anon_WITH_AES_128_CBC_SHA", TLS12, key_exchange_tables.ECDHServerKeyExchange),
        ("TLS_DHE_DSS_WITH_AES_128_CBC_SHA", TLS12, key_exchange_tables.DHEServerKeyExchange12),
        ("TLS_DHE_RSA_EXPORT_WITH_DES40_CBC_SHA", SSL3, key_exchange_tables.DHEServerKeyExchange),
        ("TLS_DH_anon_WITH_AES_128_CBC_SHA", TLS10, key_exchange_tables.DHServerKeyExchange),
        ("TLS_RSA_EXPORT_WITH_RC4_40_MD5", TLS10, key_exchange_tables.RSAServerKeyExchange),
        ("TLS_PSK_WITH_AES_128_CBC_SHA", TLS12, key_exchange_tables.PSKServerKeyExchange),
        ("TLS_RSA_PSK_WITH_AES_128_CBC_SHA", TLS12, key_exchange_tables.PSKServerKeyExchange),
        ("TLS_DHE_PSK_WITH_AES_128_CBC_SHA", TLS12, key_exchange_tables.DHEPSKServerKeyExchange),
        ("TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA", TLS12, key_exchange_tables.ECDHEPSKServerKeyExchange),
        ("TLS_SRP_SHA_WITH_AES_128_CBC_SHA", TLS12, key_exchange_tables.SRPServerKeyExchange),
        ("TLS_SRP_SHA_RSA_WITH_AES_128_CBC_SHA", TLS11, key_exchange_tables.SignedSRPServerKeyExchange),
        ("TLS_SRP_SHA_DSS_WITH_AES_128_CBC_SHA", TLS12, key_exchange_tables.SignedSRPServerKeyExchange12),
        ("TLS_ECCPWD_WITH_AES_128_GCM_SHA256", TLS12, key_exchange_tables.ECCPWDServerKeyExchange),
    ],
)
def test_server_key_exchange(name, version, table):
    assert exchange(12, name, version) is table


@pytest.mark.parametrize(
    ("name", "version", "table"),
    [
        ("TLS_RSA_WITH_AES_128_CBC_SHA", TLS10, key_exchange_tables.RSAClientKeyExchange),
        ("TLS_RSA_WITH_AES_128_CBC_SHA", SSL3, key_exchange_tables.SSL3RSAClientKeyExchange),
        ("TLS_DHE_RSA_WITH_AES_128_CBC_SHA", TLS12, key_exchange_tables.DHClientKeyExchange),
        ("TLS_DH_RSA_WITH_AES_128_CBC_SHA", TLS12, key_exchange_tables.DHClientKeyExchange),
        ("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", TLS12, key_exchange_tables.ECDHClientKeyExchange),
        ("TLS_PSK_WITH_AES_128_CBC_SHA", TLS12, key_exchange_tables.PSKClientKeyExchange),
        ("TLS_RSA_PSK_WITH_AES_128_CBC_SHA", TLS12, key_exchange_tables.RSAPSKClientKeyExchange),
        ("TLS_DHE_PSK_WITH_AES_128_CBC_SHA", TLS12, key_exchange_tables.DHEPSKClientKeyExchange),
        ("TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA", TLS12, key_exchange_tables.ECDHEPSKClientKeyExchange),
        ("TLS_SRP_SHA_WITH_AES_128_CBC_SHA", TLS12, key_exchange_tables.SRPClientKeyExchange),
        ("TLS_KRB5_WITH_RC4_128_SHA", TLS10, key_exchange_tables.KerberosWrapper),
        ("TLS_GOSTR341112_256_WITH_28147_CNT_IMIT", TLS12, key_exchange_tables.OpaqueKeyExchange),
    ],
)
def test_client_key_exchange(name, version, table):
    assert exchange(16, name, version) is table


def test_every_suite_has_tables():
    suites = registry("cipher_suites")
    for number in suites:
        parts = read_name(suites.name(number))
        if parts is not None and not parts.tls13:
            assert table_for(12, TLS12, parts) is not None
            assert table_for(16, TLS12, parts) is not None


def test_ecdhe_parameters_give_the_group_and_what_is_signed():
    data = bytes.fromhex("03 001d 20") + bytes(32) + bytes.fromhex("0804 0004 01020304")
    message, problems = key_exchange_tables.ECDHEServerKeyExchange12.read(data)
    assert problems == []
    assert message.params.curve_params.namedcurve == 29
    assert message.params.write() == data[:36]
    assert message.signed_params.json() == {"algorithm": "rsa_pss_rsae_sha256", "signature": "01020304"}
    assert message.json()["params"]["curve_params"] == {"curve_type": "named_curve", "namedcurve": "x25519"}


def test_an_explicit_curve():
    data = bytes.fromhex("01 0117 0101 0102 02 0405 0113 0101 02 0606")
    message, problems = key_exchange_tables.ECDHServerKeyExchange.read(data)
    assert problems == []
    curve = message.params.curve_params.namedcurve
    assert (curve.prime_p, curve.curve.b, curve.base, curve.cofactor) == (b"\x17", b"\x02", b"\x04\x05", b"\x01")
    assert message.write() == data


def test_an_implicit_key_is_an_empty_message():
    message, problems = key_exchange_tables.DHClientKeyExchange.read(b"")
    assert (message.dh_Yc, problems) == (None, [])


def test_ssl2():
    assert ssl2_table(1) is ssl2_tables.SSL2ClientHello
    assert ssl2_table(6) is None
    data = bytes.fromhex("0301 0006 0000 0010 010080 00002f") + bytes(range(16))
    message, problems = ssl2_tables.SSL2ClientHello.read(data)
    assert problems == []
    assert message.json()["version"] == "TLS 1.0"
    assert message.cipher_specs == [0x010080, 0x00002F]
    assert message.json()["cipher_specs"] == ["SSL_CK_RC4_128_WITH_MD5", "TLS_RSA_WITH_AES_128_CBC_SHA"]
    assert message.challenge == bytes(range(16))
    assert message.write() == data
    _, problems = ssl2_tables.SSL2ClientHello.read(data[:-1])
    assert [str(p) for p in problems] == ["SSL2ClientHello.challenge at 0xe: 16 bytes wanted, 15 left"]
