"""Looks for the Heartbleed attack (CVE-2014-0160) in the heartbeats of a session (RFC 6520).

A heartbeat is a type, the length of its payload, the payload, and at least 16 bytes of padding (section 4). Its receiver sends
the payload back. A message whose payload length is too large must be discarded. Servers with the error believed the length, and
sent what lay behind the message in their memory. So the request shows the attempt, and the response shows whether it succeeded.
Of encrypted heartbeats only the lengths are visible: a request may be too short for any legal heartbeat, and a response may be
longer than its request.
"""

from typing import Any

REQUEST, RESPONSE = 1, 2
"""Types of heartbeat messages (registry `heartbeat_message_types`)."""

HEAD, PADDING = 3, 16
"""Bytes before the payload, and least number of bytes after it."""

LONGEST_PADDING = 256
"""Bytes by which the encryption of two heartbeats with the same payload can differ: the padding of block ciphers."""

_WHO = ("client", "server")

_MAC_BYTES = {"MD5": 16, "SHA": 20, "SHA256": 32, "SHA384": 48}

Found = tuple[tuple[str, str, str], ...]
"""Findings: code, severity, detail."""

NOTHING: Found = ()


class Heartbeats:
    """The last request of each role.

    room: how many bytes of payload the last request of a role had; length: of the record, while it is not known; -1 if
    there is none that waits for its response. forbidden: whether that request must be discarded. early: whether a request in a
    handshake was reported.
    """

    __slots__ = ("early", "forbidden", "length", "room")

    def __init__(self) -> None:
        self.room = [-1, -1]
        self.length = [-1, -1]
        self.forbidden = [False, False]
        self.early = False

    def take(self, role: int, body: bytes, length: int, early: bool = False) -> Found:
        """Return the findings about a readable heartbeat. body: its first bytes; length: of all of them.

        early: whether its sender has not sent its Finished: then it should not send a request (section 3).
        """
        found = self._read(role, body, length)
        if not early or self.early or body[:1] != bytes((REQUEST,)):
            return found
        self.early = True
        detail = f"the {_WHO[role]} sent a heartbeat request before its Finished"
        return (*found, ("heartbeat_in_handshake", "low", detail))

    def _read(self, role: int, body: bytes, length: int) -> Found:
        if len(body) < HEAD:
            return NOTHING
        claimed = body[1] << 8 | body[2]
        if body[0] == REQUEST:
            self.room[role] = length - HEAD
            self.forbidden[role] = claimed > length - HEAD - PADDING
            if claimed > length - HEAD:
                detail = f"a heartbeat claims {claimed} bytes of payload in a record of {length}: the Heartbleed attack"
                return (("heartbleed", "high", detail),)
            if self.forbidden[role]:
                detail = f"a heartbeat of {length} bytes with {claimed} bytes of payload has too little padding"
                return (("heartbleed", "medium", detail),)
        elif body[0] == RESPONSE and self.room[1 - role] >= 0:
            room, forbidden = self.room[1 - role], self.forbidden[1 - role]
            self.room[1 - role] = -1
            if claimed > room:
                detail = f"a heartbeat with {room} bytes after its head was answered with {claimed} bytes of payload"
                return (("heartbleed_response", "high", detail),)
            if forbidden:
                detail = "a heartbeat that must be discarded was answered"
                return (("heartbleed_response", "medium", detail),)
        elif body[0] == RESPONSE and claimed > length - HEAD:
            detail = f"a heartbeat claims {claimed} bytes of payload in a record of {length}"
            return (("heartbleed", "high", detail),)
        return NOTHING

    def look(self, role: int, length: int, suite: Any, version: int) -> Found:
        """Return the findings about an encrypted heartbeat. length: of its record; suite, version: those of the session."""
        asked = self.length[1 - role]
        if asked >= 0:  # so this is a response
            self.length[1 - role] = -1
            if length > asked + LONGEST_PADDING:
                detail = f"an encrypted heartbeat of {asked} bytes was answered with {length} bytes"
                return (("heartbleed_response", "medium", detail),)
            return NOTHING
        self.length[role] = length
        least = HEAD + PADDING + least_overhead(suite, version)
        if length < least:
            detail = f"an encrypted heartbeat of {length} bytes is too short for the padding: one has {least} bytes or more"
            return (("heartbleed", "medium", detail),)
        return NOTHING


def least_overhead(suite: Any, version: int) -> int:
    """Return the least number of bytes that a cipher suite adds to a record up to TLS 1.2; 0 if it is not known."""
    if suite is None or suite.tls13:
        return 0
    if suite.mode == "aead":
        return 8
    mac = _MAC_BYTES.get(suite.hash, 0)
    if suite.mode != "cbc":
        return mac
    block = 16 if suite.cipher.startswith(("AES", "CAMELLIA", "ARIA", "SEED", "SM4")) else 8
    return mac + 1 + (block if version >= TLS_1_1 else 0)


TLS_1_1 = 0x0302
"""Since this version a record with a block cipher begins with its initialization vector (RFC 4346 section 6.2.3.2)."""
