"""Reads a hello in the form of SSL 2.0 that offers SSL 3.0 to TLS 1.2 (RFC 5246 appendix E.2).

A client that still knows SSL 2.0 can open a session with it. Its challenge, with zeros before it up to 32 bytes, is the client
random, and the handshake is hashed from the type of the hello on, without the two bytes of the record's length. All hellos here
begin with their type. A ClientHello with a header of its own has its length in the place of the version.
"""

from analyzer.tls.messages.numbers import CLIENT_HELLO, RANDOM, SSL3

_LENGTH_OF_RANDOM = 32
_CONTENT = 9
"""Offset of the cipher specs: behind type, version, and the lengths of specs, session id and challenge."""


def is_compatible(hello: bytes) -> bool:
    """Return whether these are the bytes of a whole hello in the form of SSL 2.0 that offers SSL 3.0 or later."""
    if len(hello) < _CONTENT or hello[0] != CLIENT_HELLO or int.from_bytes(hello[1:3], "big") < SSL3:
        return False
    return len(hello) == _CONTENT + sum(int.from_bytes(hello[pos : pos + 2], "big") for pos in (3, 5, 7))


def client_random_of(hello: bytes) -> bytes:
    """Return the client random of a ClientHello in either form; empty if it has none."""
    if is_compatible(hello):
        challenge = hello[len(hello) - int.from_bytes(hello[7:9], "big") :]
        return challenge[max(0, len(challenge) - _LENGTH_OF_RANDOM) :].rjust(_LENGTH_OF_RANDOM, b"\0")
    return hello[RANDOM] if len(hello) >= RANDOM.stop and hello[0] == CLIENT_HELLO and hello[4] == 3 else b""


def offered_version_of(hello: bytes) -> int:
    """Return the version number in a ClientHello in either form."""
    return int.from_bytes(hello[1:3] if is_compatible(hello) else hello[4:6], "big")


def offered_suites_of(hello: bytes) -> tuple[int, ...]:
    """Return the suites of SSL 3.0 and later that a compatible hello offers: those whose first of three bytes is zero."""
    specs = hello[_CONTENT : _CONTENT + int.from_bytes(hello[3:5], "big")]
    numbers = (int.from_bytes(specs[pos : pos + 3], "big") for pos in range(0, len(specs), 3))
    return tuple(number for number in numbers if number <= 0xFFFF)
