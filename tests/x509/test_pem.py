import base64

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from analyzer.codec.errors import Malformed
from analyzer.x509.pem import read_blocks, write_block

from .making import KEY, make

DER = make()
OTHER = make(x509.BasicConstraints(True, None))
PEM = x509.load_der_x509_certificate(DER).public_bytes(Encoding.PEM)


def test_as_the_library_writes_it() -> None:
    assert write_block(DER) == PEM
    assert read_blocks(PEM) == [DER]


def test_several_with_text_around_them_and_blocks_of_other_kinds() -> None:
    data = b"# roots\r\n" + PEM.replace(b"\n", b"\r\n") + b"\nnext:\n" + write_block(DER, "PRIVATE KEY") + write_block(OTHER)
    assert read_blocks(data) == [DER, OTHER]
    assert read_blocks(data, ["PRIVATE KEY"]) == [DER]


def test_trust_settings_of_openssl_are_left_out() -> None:
    assert read_blocks(write_block(DER + b"\x30\x03\x02\x01\x01", "TRUSTED CERTIFICATE")) == [DER]


def test_headers_inside_a_block() -> None:
    block = b"-----BEGIN CERTIFICATE-----\nSubject: x\nMore: y\n\n" + base64.encodebytes(DER) + b"-----END CERTIFICATE-----\n"
    assert read_blocks(block) == [DER]


def test_der_one_after_the_other() -> None:
    assert read_blocks(DER) == [DER]
    assert read_blocks(DER + OTHER + b"\n") == [DER, OTHER]


@pytest.mark.parametrize(
    "data",
    [b"", b"nothing", DER[:-1], DER + b"x", PEM.replace(b"MII", b"AAA", 1), PEM[:-4], PEM.replace(b"IB", b"I", 1)],
)
def test_a_file_without_certificates_is_reported(data: bytes) -> None:
    with pytest.raises(Malformed):
        read_blocks(data)


def test_a_private_key_is_no_certificate() -> None:
    from cryptography.hazmat.primitives.serialization import NoEncryption, PrivateFormat

    with pytest.raises(Malformed, match="there is none in the file"):
        read_blocks(KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
