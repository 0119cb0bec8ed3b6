"""The fields of what a CompressedCertificate message has inside (RFC 8879): certificates, and stapled OCSP responses."""

import zlib

import pytest

from analyzer.filters.certificate_fields import certificates_of
from analyzer.filters.compressed_certificates import uncompressed
from analyzer.filters.stapled_responses import stapled_responses
from analyzer.tls.events import handshake_message
from analyzer.tls.messages.certificate_tables import CompressedCertificate

RESPONSE = b"\x30\x03\x0a\x01\x00"
STATUS = b"\x01" + len(RESPONSE).to_bytes(3) + RESPONSE
EXTENSIONS = b"\x00\x05" + len(STATUS).to_bytes(2) + STATUS
ENTRY = b"\0\0\3der" + len(EXTENSIONS).to_bytes(2) + EXTENSIONS
PLAIN = b"\0" + len(ENTRY).to_bytes(3) + ENTRY
ZLIB, N_BYTES = 1, len(PLAIN)


def message(data=None, length=N_BYTES):
    data = zlib.compress(PLAIN) if data is None else data
    raw = ZLIB.to_bytes(2) + length.to_bytes(3) + len(data).to_bytes(3) + data
    event = handshake_message(
        25, "compressed_certificate", 1, 7, 0, 4 + len(raw), b"\x19" + len(raw).to_bytes(3) + raw,
        CompressedCertificate.read(raw)[0], [], True,
    )  # fmt: skip
    event.session, event.version = 3, 0x0304
    return event


def test_it_has_the_certificates_and_responses_of_what_is_inside():
    assert list(certificates_of(message())) == [b"der"]
    assert list(stapled_responses(message())) == [RESPONSE]
    assert (uncompressed(message()).frame, uncompressed(message()).session) == (7, 3)


@pytest.mark.parametrize(("data", "length"), [(b"none", N_BYTES), (None, 5), (zlib.compress(bytes(1 << 20)), (1 << 24) - 1)])
def test_what_does_not_decompress_has_none(data, length):
    assert list(certificates_of(message(data, length))) == []
    assert list(stapled_responses(message(data, length))) == []


def test_other_events_are_as_they_are():
    assert uncompressed(None) is None
