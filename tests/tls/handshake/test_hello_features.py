"""What is read from single messages; damaged ones must give no value."""

import zlib

import pytest
from conversations import talk

from analyzer.codec.errors import Incomplete, Malformed
from analyzer.codec.runner import read
from analyzer.tls.handshake import certificate_messages, hello_features, key_exchange
from analyzer.tls.limits import MAX_STAPLE, MAX_STAPLES
from analyzer.tls.messages import table_for
from analyzer.tls.messages.certificate_tables import (
    Certificate,
    Certificate13,
    CertificateEntry,
    CertificateStatus,
    CompressedCertificate,
)
from analyzer.tls.messages.hello import ClientHello, ServerHello

HELLO = talk("TLSv1_3")[0][1][9:]
ANSWER = talk("TLSv1_3")[1][1]
ANSWER = ANSWER[9 : 9 + int.from_bytes(ANSWER[6:9], "big")]


def decoded(table, data, short=Malformed):
    return read(table, data, 0, len(data), 0, short)[0]


def test_a_client_hello():
    hello = decoded(ClientHello, HELLO)
    assert hello_features.server_name(hello) == b"example.test"
    assert hello_features.alpn(hello) is None
    assert hello_features.offers(hello) is None


def test_the_fingerprint_input_of_a_hello_is_cached_by_its_bytes():
    found = hello_features.known_hello(decoded(ClientHello, HELLO), b"\x01\0\0\0" + HELLO, True)[0]
    assert found == hello_features.read_fingerprint_input(decoded(ClientHello, HELLO))
    renewed = HELLO[:2] + bytes(32) + HELLO[34:]
    assert hello_features.known_hello(decoded(ClientHello, renewed), b"\x01\0\0\0" + renewed, True)[0] is found
    for _ in range(2):
        for place in range(len(HELLO)):  # lengths too, so that they no longer add up
            for bits in (1, 0x80):
                changed = HELLO[:place] + bytes([HELLO[place] ^ bits]) + HELLO[place + 1 :]
                hello, problems = read(ClientHello, changed, 0, len(changed), 0, Malformed)
                found = hello_features.known_hello(hello, b"\x01\0\0\0" + changed, not problems)[0]
                assert found == hello_features.read_fingerprint_input(hello)
            cut_off, problems = read(ClientHello, HELLO[:place], 0, place, 0, Incomplete)
            found = hello_features.known_hello(cut_off, b"\x01\0\0\0" + HELLO[:place], not problems)[0]
            assert found == hello_features.read_fingerprint_input(cut_off)


def test_a_server_hello():
    answer = decoded(ServerHello, ANSWER)
    assert hello_features.selected_version(answer) == 0x0304
    assert hello_features.selected_group(answer) in (29, 0x11EC)  # newer libraries prefer the hybrid group
    assert hello_features.alpn(answer) is None


@pytest.mark.parametrize("number", [0x0304, 0x7F12, 0x7F1C, 0x7E02])
def test_versions_of_tls_1_3(number):
    assert hello_features.is_tls13(number)


@pytest.mark.parametrize("number", [0, 0x0002, 0x0300, 0x0303, 0x0305])
def test_versions_before(number):
    assert not hello_features.is_tls13(number)


def test_certificates_and_truncated_ones():
    body = b"\0\0\x0a" + b"\0\0\2ab" + b"\0\0\2cd"
    assert certificate_messages.certificate_list(decoded(Certificate, body)) == [b"ab", b"cd"]
    for n_bytes in range(len(body)):
        listed = certificate_messages.certificate_list(decoded(Certificate, body[:n_bytes], Incomplete))
        assert listed is None or all(isinstance(der, bytes) for der in listed)


@pytest.mark.parametrize(("table", "data"), [(ClientHello, HELLO), (ServerHello, ANSWER)])
def test_nothing_damaged_raises(table, data):
    for position in range(len(data)):
        for broken in (data[:position], data[:position] + bytes([data[position] ^ 0xFF]) + data[position + 1 :]):
            body = decoded(table, broken)
            assert hello_features.selected_version(body) >= 0
            assert hello_features.selected_group(body) >= -1
            assert key_exchange.exchanged_group(body) == -1
            for found in (hello_features.server_name(body), hello_features.alpn(body)):
                assert found is None or isinstance(found, bytes)
            assert hello_features.offers(body) in (None, {}) or set(hello_features.offers(body)) <= {35, 41, 0xFE0D}


def entry(der: bytes, *bodies: tuple[int, bytes]) -> CertificateEntry:
    read, problems = CertificateEntry.read(
        CertificateEntry(cert_data=der, extensions=[]).write()[:-2] + extension_block(*bodies)
    )
    assert problems == []
    return read


def extension_block(*bodies: tuple[int, bytes]) -> bytes:
    block = b"".join(number.to_bytes(2, "big") + len(body).to_bytes(2, "big") + body for number, body in bodies)
    return len(block).to_bytes(2, "big") + block


def status(kind: int, *responses: bytes) -> bytes:
    listed = b"".join(len(one).to_bytes(3, "big") + one for one in responses)
    return bytes([kind]) + (len(listed).to_bytes(3, "big") if kind == 2 else b"") + listed


TIMESTAMP = bytes(1) + b"L" * 32 + bytes(8) + bytes(2) + b"\x04\x03" + b"\0\x02ab"
TIMESTAMPS = (len(TIMESTAMP) + 2).to_bytes(2, "big") + len(TIMESTAMP).to_bytes(2, "big") + TIMESTAMP


def test_staples_of_tls_1_3_belong_to_their_certificates():
    message = Certificate13(
        certificate_request_context=b"",
        certificate_list=[
            entry(b"one", (5, status(1, b"response")), (18, TIMESTAMPS)),
            entry(b"two", (5, status(1, b"other"))),
        ],
    )
    kept = []
    certificate_messages.staple(kept, 1, message)
    assert kept == [(1, 0, "ocsp", b"response"), (1, 0, "scts", TIMESTAMPS), (1, 1, "ocsp", b"other")]


def test_staples_of_a_certificate_status():
    for data, wanted in (
        (status(1, b"response"), [(1, 0, "ocsp", b"response")]),
        (status(2, b"one", b"", b"three"), [(1, 0, "ocsp", b"one"), (1, 2, "ocsp", b"three")]),
        (status(9, b"what"), []),
    ):
        kept = []
        certificate_messages.staple(kept, 1, decoded(CertificateStatus, data))
        assert kept == wanted


def test_staples_of_a_server_hello():
    body = b"\x03\x03" + bytes(32) + b"\0" + b"\x13\x01" + b"\0" + extension_block((18, TIMESTAMPS))
    kept = []
    certificate_messages.staple(kept, 1, decoded(ServerHello, body))
    assert kept == [(1, 0, "scts", TIMESTAMPS)]


def test_staples_are_bounded():
    kept = []
    for _ in range(MAX_STAPLES + 5):
        certificate_messages.staple(kept, 0, decoded(CertificateStatus, status(1, b"response")))
    assert len(kept) == MAX_STAPLES
    kept = []
    certificate_messages.staple(kept, 0, decoded(CertificateStatus, status(1, bytes(MAX_STAPLE + 1))))
    assert kept == []


def test_a_raw_public_key_is_listed_like_a_certificate():
    key = bytes.fromhex("302a300506032b6570032100") + bytes(32)
    message = len(key).to_bytes(3, "big") + key
    table = table_for(11, 0x0303, None, b"\x0b" + len(message).to_bytes(3, "big") + message)
    assert certificate_messages.certificate_list(decoded(table, message)) == [key]
    assert table_for(11, 0x0303, None, b"\x0b\0\0\x0b\0\0\x08\0\0\x05\x30abcd") is Certificate


def test_a_compressed_certificate_is_read_like_any_other():
    plain = Certificate13(certificate_request_context=b"", certificate_list=[entry(b"one")]).write()
    packed = CompressedCertificate(
        algorithm=1, uncompressed_length=len(plain), compressed_certificate_message=zlib.compress(plain)
    )
    problems = []
    assert certificate_messages.certificate_list(certificate_messages.uncompressed(packed, problems)) == [b"one"]
    assert problems == []
    packed.uncompressed_length = 3
    assert certificate_messages.certificate_list(certificate_messages.uncompressed(packed, problems)) is None
    assert len(problems) == 1
