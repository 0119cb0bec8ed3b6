"""Tells from the plaintext of TLS in an EAP packet to which session it can belong: hellos have randoms, and plaintext ends.

A flight begins with a record in its first packet. Up to TLS 1.2, what a side sends is plaintext up to its ChangeCipherSpec (RFC
5246 section 7.1); in TLS 1.3, up to the ServerHello (RFC 9846 section 2).
"""

from typing import Final

from analyzer.engine.eap_side import AFTER_FLIGHT, AT_ONCE, EapSide
from analyzer.flows.eap import METHODS, Eap
from analyzer.tls.messages.hello import HELLO_RETRY_REQUEST_RANDOM
from analyzer.tls.messages.numbers import (
    CERTIFICATE,
    CERTIFICATE_REQUEST,
    CERTIFICATE_STATUS,
    CERTIFICATE_VERIFY,
    CLIENT_HELLO,
    CLIENT_KEY_EXCHANGE,
    NEW_SESSION_TICKET,
    SERVER_HELLO,
    SERVER_HELLO_DONE,
    SERVER_KEY_EXCHANGE,
)
from analyzer.tls.record.content_types import CHANGE_CIPHER_SPEC, HANDSHAKE, HEADER

RANDOM, RANDOM_END = 11, 43
"""Where the random of a hello is in its record."""

_SERVER = 1
_BODY: Final = 9
_PLAINTEXT: Final = bytes([HANDSHAKE, 3])  # how a record of handshake messages begins in all versions
_ONE_BYTE: Final = b"\x00\x01"  # the length of a ChangeCipherSpec
_VERSION_13: Final = b"\x00\x2b\x00\x02\x03\x04"  # the extension supported_versions of a server
_LAST: Final = frozenset({CERTIFICATE, CLIENT_KEY_EXCHANGE}), frozenset({NEW_SESSION_TICKET})  # with which a last flight begins
_PLAIN: Final = frozenset({
    CLIENT_HELLO, SERVER_HELLO, NEW_SESSION_TICKET, CERTIFICATE, SERVER_KEY_EXCHANGE, CERTIFICATE_REQUEST, SERVER_HELLO_DONE,
    CERTIFICATE_VERIFY, CLIENT_KEY_EXCHANGE, CERTIFICATE_STATUS,
})  # fmt: skip


def random_of(role: int, packet: Eap) -> bytes:
    """Return the random of a hello of a role with which the TLS bytes of a packet begin; empty without one."""
    data, number = packet.data, SERVER_HELLO if role else CLIENT_HELLO
    if packet.type not in METHODS or len(data) < RANDOM_END or data[:2] != _PLAINTEXT or data[HEADER] != number:
        return b""
    return data[RANDOM:RANDOM_END]


def is_hello_of_another(side: EapSide, random: bytes) -> bool:
    """Return whether a hello with that random, empty without one, is of another session: the start between is missing.

    After a HelloRetryRequest both sides send a second hello, the client with the same random (RFC 9846 section 4.2.2).
    """
    return bool(random) and side.offset > 0 and random != side.random and side.random != HELLO_RETRY_REQUEST_RANDOM


def plain_message(packet: Eap) -> int:
    """Return the type of the handshake message in plaintext with which the TLS bytes of a packet begin; -1 if they do not."""
    data = packet.data
    if packet.type not in METHODS or len(data) < _BODY or data[:2] != _PLAINTEXT or data[HEADER] not in _PLAIN:
        return -1
    return data[HEADER] if int.from_bytes(data[6:_BODY], "big") + 4 <= int.from_bytes(data[3:HEADER], "big") else -1


def note_plaintext(sides: tuple[EapSide, EapSide], role: int, packet: Eap) -> None:
    """Note whether plaintext of the sides ends with a flight that begins with this packet of a role."""
    message, side = plain_message(packet), sides[role]
    if role == _SERVER and message == SERVER_HELLO and _chooses_13(packet.data):
        for one in sides:
            one.sealed = 0 if side.random == HELLO_RETRY_REQUEST_RANDOM else AT_ONCE
    elif message in _LAST[role] or _changes_cipher(packet.data):
        side.sealed = side.sealed or AFTER_FLIGHT


def contradicts(side: EapSide, role: int, packet: Eap) -> bool:
    """Return whether the TLS bytes of a packet begin with plaintext that a role cannot send any more in its session."""
    if not side.ends_plaintext():
        return False
    return plain_message(packet) >= 0 or (role == _SERVER and packet.type in METHODS and _changes_cipher(packet.data))


def _changes_cipher(data: bytes) -> bool:
    """Return whether the TLS bytes of a packet begin with a ChangeCipherSpec, and not in the middle of an encrypted record."""
    return data[:2] == bytes([CHANGE_CIPHER_SPEC, 3]) and data[3:HEADER] == _ONE_BYTE


def _chooses_13(data: bytes) -> bool:
    return _VERSION_13 in data[RANDOM_END : _BODY + int.from_bytes(data[6:_BODY], "big")]
