"""Has the header that a record of DTLS 1.2 with a connection ID authenticates (RFC 9146 section 5).

Such records have the content type tls12_cid. Their content is padded as in TLS 1.3: the real content type follows it.
"""

from struct import Struct

TLS12_CID = 25
"""The content type tls12_cid."""

_PLACEHOLDER = b"\xff" * 8
_KINDS, _NUMBER = Struct(">BBBH"), Struct(">Q")


def connection_id_header(sequence: int, version: int, connection_id: bytes, length: int) -> bytes:
    """Return what authenticates the header of a record of DTLS 1.2 with a connection ID (RFC 9146 section 5).

    sequence: epoch and number, as in the record. length: of the inner plaintext; with encrypt-then-MAC, of the ciphertext.
    """
    kinds = _KINDS.pack(TLS12_CID, len(connection_id), TLS12_CID, version)
    return _PLACEHOLDER + kinds + _NUMBER.pack(sequence) + connection_id + length.to_bytes(2, "big")
