"""Builds the first flights of TLS 1.2 by hand, with any certificates: the part that can be read without keys."""

from collections.abc import Sequence

CLIENT, SERVER = 0, 1


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


def flights(
    chain: Sequence[bytes],
    name: str | None = None,
    *,
    staple: bytes | None = None,
    scts: bytes | None = None,
    client_chain: Sequence[bytes] | None = None,
    certificate: bytes | None = None,
) -> list[tuple[int, bytes]]:
    """Return a ClientHello, the server's response with its certificates, and the client's certificates.

    name: the name that the client asks for. staple: an OCSP response. scts: a list of timestamps for the ServerHello.
    certificate: a message in place of the server's Certificate.
    """
    asked = extension(0, sized(b"\0" + sized(name.encode(), 2), 2)) if name is not None else b""
    hello = b"\x03\x03" + b"C" * 32 + b"\0" + sized(b"\xc0\x2f", 2) + b"\1\0" + sized(asked, 2)
    told = extension(18, scts) if scts is not None else b""
    answer = b"\x03\x03" + b"S" * 32 + b"\0" + b"\xc0\x2f" + b"\0" + sized(told, 2)
    sent = message(11, certificate_list(chain)) if certificate is None else certificate
    status = message(22, b"\1" + sized(staple, 3)) if staple is not None else b""
    said = [(CLIENT, records(message(1, hello))), (SERVER, records(message(2, answer), sent, status, message(14, b"")))]
    if client_chain is not None:
        said.append((CLIENT, records(message(11, certificate_list(client_chain)))))
    return said
