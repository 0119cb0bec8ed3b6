"""Reads certificates and revocation lists from files: PEM (RFC 7468) with any text around it, or concatenated DER.

A file that begins like an ASN.1 SEQUENCE is DER. Every other file is searched for PEM blocks. Each block must contain a
complete DER sequence; nothing else about its content is checked.
"""

import re
from binascii import Error, a2b_base64, b2a_base64
from collections.abc import Sequence

from analyzer.codec.errors import Malformed
from analyzer.x509.der import SEQUENCE, expect, read_element

CERTIFICATES = ("CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE")
"""Labels of certificates. The last is OpenSSL's; it has OpenSSL's own trust settings after the certificate."""

REVOCATION_LISTS = ("X509 CRL",)

BLOCKS = 1 << 16
"""Maximum number of blocks in one file; the largest lists of roots and intermediates on the web have about ten thousand."""

_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----\s(.*?)-----END \1-----", re.DOTALL)
_HEADER = re.compile(rb"^[A-Za-z0-9-]+:.*?\n\s*\n", re.DOTALL)


def read_blocks(data: bytes, labels: Sequence[str] = CERTIFICATES) -> list[bytes]:
    """Return the DER in each PEM block with one of these labels, or each element of a DER file, in the order of the file.

    Raises `Malformed` with the offset in the file, if a block cannot be read or the file has none.
    """
    if data[:1] == bytes((SEQUENCE,)):
        return _elements(data)
    found: list[bytes] = []
    for block in _BLOCK.finditer(data):
        label = block[1].decode("ascii")
        if label not in labels:
            continue
        if len(found) >= BLOCKS:
            raise Malformed(label, block.start(), f"over {BLOCKS} blocks")
        try:
            der = a2b_base64(_HEADER.sub(b"", block[2]))
            after = expect(der, 0, len(der), SEQUENCE, label)[3]
        except (Error, Malformed) as error:
            why = error.why if isinstance(error, Malformed) else str(error)
            raise Malformed(label, block.start(), why) from error
        found.append(der[:after])
    if not found:
        raise Malformed(labels[0], 0, "there is none in the file, as PEM or DER")
    return found


def write_block(der: bytes, label: str = "CERTIFICATE") -> bytes:
    """Return the PEM form, in lines of 64 characters."""
    text = b2a_base64(der, newline=False)
    lines = b"\n".join(text[at : at + 64] for at in range(0, len(text), 64))
    return b"-----BEGIN %s-----\n%s\n-----END %s-----\n" % (label.encode(), lines, label.encode())


def _elements(data: bytes) -> list[bytes]:
    found: list[bytes] = []
    pos = 0
    while pos < len(data):
        if len(found) >= BLOCKS:
            raise Malformed("DER", pos, f"over {BLOCKS} elements")
        after = read_element(data, pos, len(data), "DER")[3]
        found.append(data[pos:after])
        pos = after
        if not data[pos:].strip():  # the end of a line after the last element
            break
    return found
