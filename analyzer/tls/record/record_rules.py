"""Has the rules of the record layer: sizes, versions, empty fragments, and what may stand beside what.

TLS 1.3 has them in RFC 9846 sections 5 and 6, the versions before it in RFC 5246 sections 6.2.1, 7.1 and 7.2. A peer that
accepts what they forbid lets an attacker hide or shorten messages, or waste its time. `record_check` calls them, only for
records that are unusual in one of these ways.
"""

from analyzer.codec.registry import registry
from analyzer.tls.record.content_types import ALERT, APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE, HEARTBEAT

Breach = tuple[str, str, str]
"""Code, severity and detail of a finding."""

ROLES = ("client", "server")

EXPANSION_13 = 256
"""Bytes by which a ciphertext of TLS 1.3 can be longer than its plaintext may be (RFC 9846 section 5.2)."""

EXPANSION_12 = 16 + 48 + 256
"""The same up to TLS 1.2: initialization vector, MAC, and padding of block ciphers (RFC 5246 section 6.2.3)."""

COMPRESSION = 1024
"""Bytes by which compression can make a fragment longer (RFC 5246 section 6.2.2)."""

CLOSED, FAILED = 1, 2
"""How a role ended its side: with close_notify, or with a fatal alert."""

CLOSE_NOTIFY, USER_CANCELED, FATAL = 0, 90, 2

MAX_FRAGMENT_CODES = {1: 512, 2: 1024, 3: 2048, 4: 4096}
"""Codes of max_fragment_length, and the bytes of plaintext in a record that they mean (RFC 6066 section 4)."""

LARGEST = 1 << 14

PLAIN_TYPES = (ALERT, HANDSHAKE, APPLICATION_DATA, HEARTBEAT)
"""Content types that an encrypted record of TLS 1.3 can have inside."""


def empty(role: int, content_type: int) -> Breach:
    """Return the finding about a fragment without content that is no application data (RFC 9846 section 5.1)."""
    kind = registry("content_types").name(content_type)
    return "empty_fragment", "medium", f"the {ROLES[role]} sent a record of type {kind} without content: an empty fragment"


def wrong_version(role: int, version: int, expected: int) -> Breach:
    """Return the finding about a record whose header has another version than the session (RFC 5246 section 6.2.1)."""
    detail = f"a record of the {ROLES[role]} has the version 0x{version:04x}, and records of this session have 0x{expected:04x}"
    return "wrong_record_version", "low", detail


def too_long(role: int, length: int, longest: int) -> Breach:
    """Return the finding about a record whose length on the wire shows that it has too much plaintext."""
    detail = f"the {ROLES[role]} sent a record of {length} bytes on the wire, and no more than {longest} are allowed"
    return "record_too_long", "low", detail


def longest_on_the_wire(longest: int, encrypted: bool, tls13: bool, compressed: bool) -> int:
    """Return how long a record can be on the wire. longest: bytes of plaintext that it may have."""
    if not encrypted:
        return longest
    if tls13:
        return longest + EXPANSION_13
    return longest + EXPANSION_12 + (COMPRESSION if compressed else 0) if longest < LARGEST else LARGEST + 2 * COMPRESSION


def interleaved(role: int, content_type: int) -> Breach:
    """Return the finding about a record between two parts of one handshake message (RFC 9846 section 5.1)."""
    kind = registry("content_types").name(content_type)
    detail = f"the {ROLES[role]} sent a record of type {kind} between two fragments of one handshake message"
    return "interleaved_record", "medium", detail


def change_fault(role: int, body: bytes, length: int, finished: bool) -> Breach | None:
    """Return the finding about a ChangeCipherSpec in plaintext; None if it is as it should be.

    body, length: of its record. finished: whether the role has sent its Finished before it (TLS 1.3).
    """
    if length != 1 or body[:1] != b"\1":
        detail = f"a ChangeCipherSpec of the {ROLES[role]} has the value 0x{body[:8].hex()}, and not the one byte 0x01"
        return "bad_change_cipher_spec", "medium", detail
    if finished:
        return "bad_change_cipher_spec", "medium", f"the {ROLES[role]} sent a ChangeCipherSpec after its Finished"
    return None


def inner_type(role: int, content_type: int) -> Breach | None:
    """Return the finding about the content type inside an encrypted record of TLS 1.3 (RFC 9846 section 5)."""
    if content_type in PLAIN_TYPES:
        return None
    if content_type == CHANGE_CIPHER_SPEC:
        return "bad_change_cipher_spec", "medium", f"the {ROLES[role]} encrypted a ChangeCipherSpec, which TLS 1.3 forbids"
    return "unexpected_record", "medium", f"a record of the {ROLES[role]} has the unknown content type {content_type} inside"


def ending(level: int, description: int, tls13: bool) -> int:
    """Return how an alert ends the side of its sender: CLOSED, FAILED, or 0 if it does not.

    In TLS 1.3 all alerts but close_notify and user_canceled are fatal, whatever their level (RFC 9846 section 6).
    """
    if description == CLOSE_NOTIFY:
        return CLOSED
    return FAILED if level == FATAL or (tls13 and description != USER_CANCELED) else 0


def alert_fault(length: int) -> str:
    """Return what is wrong with an alert record of that length, which has no whole alert, or several in TLS 1.3."""
    if length % 2:
        return f"an alert record of {length} bytes holds no whole number of alerts"
    return f"an alert record of {length} bytes holds several alerts, which TLS 1.3 forbids (RFC 9846 section 5.1)"


def unknown_level(role: int, level: int) -> str:
    """Return what is wrong with an alert that is neither a warning nor fatal (RFC 5246 section 7.2, RFC 9846 section 6)."""
    return f"the {ROLES[role]} sent an alert of the level {level}, which is neither 1 nor 2"


def odd_first_version(version: int) -> Breach:
    """Return the finding about a version in the header of a client's first record that none has (RFC 9846 section 5.1)."""
    detail = f"the first record of the client has the version 0x{version:04x}, and no record may have one above 0x0303"
    return "wrong_record_version", "low", detail


def after_end(role: int, how: int, content_type: int) -> Breach:
    """Return the finding about a record after its sender had ended its side (RFC 9846 sections 6.1 and 6.2)."""
    kind = registry("content_types").name(content_type)
    who = ROLES[role]
    if how == CLOSED:
        return "data_after_alert", "low", f"the {who} sent a record of type {kind} after its close_notify"
    return "data_after_alert", "medium", f"the {who} went on after its fatal alert, with a record of type {kind}"


def heartbeat_fault(role: int, offered: bool, answered: bool) -> Breach | None:
    """Return the finding about a heartbeat on which the hellos did not agree (RFC 6520 section 2)."""
    if offered and answered:
        return None
    why = "the server did not agree to heartbeats" if offered else "the client did not offer heartbeats"
    return "unnegotiated_heartbeat", "medium", f"the {ROLES[role]} sent a heartbeat without the extension: {why}"


def forbidden_request(role: int) -> Breach:
    """Return the finding about a role that sends heartbeat requests, which its peer does not allow (RFC 6520 section 2)."""
    mode = f"the mode of the {ROLES[1 - role]} is peer_not_allowed_to_send (RFC 6520 section 2)"
    detail = f"the {ROLES[role]} sent a heartbeat request, and {mode}"
    return "unnegotiated_heartbeat", "medium", detail
