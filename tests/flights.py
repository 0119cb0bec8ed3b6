"""Builds the first flights of TLS 1.2 by hand, with any certificates: the part that can be read without keys."""

from collections.abc import Sequence

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

CLIENT, SERVER = 0, 1

POINT = b"\3\0\x17" + bytes([65]) + b"\4" + bytes(64)
"""The parameters of a key exchange on P-256."""


def sized(content: bytes, width: int) -> bytes:
    """Return bytes with their length before them."""
    return len(content).to_bytes(width, "big") + content


def message(number: int, body: bytes) -> bytes:
    """A handshake message."""
    return bytes([number]) + sized(body, 3)


def records(*messages: bytes) -> bytes:
    """Handshake messages in records."""
    data = b"".join(messages)
    return b"".join(b"\x16\x03\x03" + sized(data[at : at + 16000], 2) for at in range(0, len(data), 16000))


def extension(number: int, body: bytes) -> bytes:
    """An extension of a hello."""
    return number.to_bytes(2, "big") + sized(body, 2)


def certificate_list(chain: Sequence[bytes]) -> bytes:
    """The body of a Certificate until TLS 1.2."""
    return sized(b"".join(sized(der, 3) for der in chain), 3)


def signed(content: bytes, key: ec.EllipticCurvePrivateKey) -> bytes:
    """A signature with its scheme, as TLS 1.2 has it."""
    return b"\4\3" + sized(key.sign(content, ec.ECDSA(hashes.SHA256())), 2)


def flights(
    chain: Sequence[bytes],
    name: str | None = None,
    *,
    staple: bytes | None = None,
    scts: bytes | None = None,
    client_chain: Sequence[bytes] | None = None,
    certificate: bytes | None = None,
    key: ec.EllipticCurvePrivateKey | None = None,
    client_key: ec.EllipticCurvePrivateKey | None = None,
) -> list[tuple[int, bytes]]:
    """Return a ClientHello, the server's response with its certificates, and the client's certificates.

    name: the name that the client asks for. staple: an OCSP response. scts: a list of timestamps for the ServerHello.
    certificate: a message in place of the server's Certificate. key, client_key: sign for the certificates; without it a side
    does not sign, and the server sends no ServerKeyExchange.
    """
    suite = b"\xc0\x2f" if key is None else b"\xc0\x2b"
    asked = extension(0, sized(b"\0" + sized(name.encode(), 2), 2)) if name is not None else b""
    hello = b"\x03\x03" + b"C" * 32 + b"\0" + sized(suite, 2) + b"\1\0" + sized(asked, 2)
    told = extension(18, scts) if scts is not None else b""
    answer = b"\x03\x03" + b"S" * 32 + b"\0" + suite + b"\0" + sized(told, 2)
    sent = message(11, certificate_list(chain)) if certificate is None else certificate
    status = message(22, b"\1" + sized(staple, 3)) if staple is not None else b""
    exchange = b"" if key is None else message(12, POINT + signed(b"C" * 32 + b"S" * 32 + POINT, key))
    request = b"" if client_chain is None else message(13, b"\1\x40" + sized(b"\4\3", 2) + b"\0\0")
    offer, flight = message(1, hello), [message(2, answer), sent, status, exchange, request, message(14, b"")]
    said = [(CLIENT, records(offer)), (SERVER, records(*flight))]
    if client_chain is not None:
        answers = [message(11, certificate_list(client_chain)), message(16, sized(POINT[4:], 1))]
        if client_key is not None:
            answers.append(message(15, signed(b"".join([offer, *flight, *answers]), client_key)))
        said.append((CLIENT, records(*answers)))
    return said
