"""Reads EAP packets, and the EAP packets in RADIUS packets, as far as they carry TLS.

EAP (RFC 3748 section 4) is a code, an identifier, a length, and in requests and responses a type. Methods that begin with TLS
put its records behind a byte of flags (EAP-TLS: RFC 5216 section 3, TTLS: RFC 5281 section 9.2, PEAP: [MS-PEAP] 2.2, FAST: RFC
4851 section 4.1, TEAP: RFC 9930 section 4.2). RADIUS (RFC 2865 section 3) carries an EAP packet in attributes of at most 253
bytes each, in their order (RFC 3579 section 3.1).
"""

from typing import NamedTuple

REQUEST, RESPONSE, SUCCESS, FAILURE = 1, 2, 3, 4
"""Codes of EAP."""

START, LOGOFF, KEY = 1, 2, 3
"""Types of 802.1X frames that have no EAP (IEEE 802.1X clause 11.3.2): they belong before or behind a conversation."""

IDENTITY = 1
"""The type of a request for a name, and of its response."""

METHODS = {13: "EAP-TLS", 21: "EAP-TTLS", 25: "PEAP", 43: "EAP-FAST", 55: "TEAP"}
"""The types of methods that carry TLS."""

ACCESS_REQUEST, ACCESS_ACCEPT, ACCESS_REJECT, ACCESS_CHALLENGE = 1, 2, 3, 11
"""Codes of RADIUS packets with EAP."""

LAST_CODE = ACCESS_CHALLENGE

_LENGTH, _MORE, _START, _OUTER_TLVS = 0x80, 0x40, 0x20, 0x10
_PEAP, _FAST, _TEAP = 25, 43, 55
_RADIUS_HEADER = 20
_USER_NAME, _PORT, _STATE, _CALLING_STATION, _SESSION, _EAP_MESSAGE, _PORT_NAME = 1, 5, 24, 31, 44, 79, 87
_ASKER = (_USER_NAME, _PORT, _PORT_NAME, _SESSION)


class Eap(NamedTuple):
    """One EAP packet.

    type: 0 where the code has none. data: what follows the type, of a method in METHODS the TLS bytes alone. total: length of
    the TLS bytes of all fragments, -1 if this one does not say it; more: whether more fragments follow; start: whether the
    method begins. version: of the method, -1 if it has none. n_bytes: length of the packet; missing: bytes of it that are not
    there.
    """

    code: int
    identifier: int
    type: int
    data: bytes
    total: int
    more: bool
    start: bool
    version: int
    n_bytes: int
    missing: int


class Radius(NamedTuple):
    """One RADIUS packet. eap: the EAP packet in it, empty without one. Attributes that it does not have are empty.

    asker: the attributes of a request that do not change in a conversation: the user (RFC 3579 section 2.1), the port, the name
    of the port, and the session of the access point.
    """

    code: int
    identifier: int
    eap: bytes
    state: bytes
    user: bytes
    station: bytes
    asker: tuple[bytes, ...]


def read_eap(packet: bytes) -> Eap | None:
    """Return what an EAP packet says; None for bytes that are none. What follows its length is padding."""
    if len(packet) < 4 or packet[0] not in (REQUEST, RESPONSE, SUCCESS, FAILURE):
        return None
    n_bytes = int.from_bytes(packet[2:4], "big")
    if n_bytes < 4:
        return None
    packet, missing = packet[:n_bytes], max(0, n_bytes - len(packet))
    if packet[0] in (SUCCESS, FAILURE) or len(packet) < 5:
        return Eap(packet[0], packet[1], 0, b"", -1, False, False, -1, n_bytes, missing)
    kind = packet[4]
    if kind not in METHODS or len(packet) < 6:
        return Eap(packet[0], packet[1], kind, packet[5:], -1, False, False, -1, n_bytes, missing)
    flags, pos, end, total = packet[5], 6, len(packet), -1
    if flags & _LENGTH and len(packet) >= pos + 4:
        total = int.from_bytes(packet[pos : pos + 4], "big")
        pos += 4
    if kind == _TEAP and flags & _OUTER_TLVS and len(packet) >= pos + 4:
        end = max(pos + 4, end - int.from_bytes(packet[pos : pos + 4], "big"))
        pos += 4
    start = bool(flags & _START) and packet[0] == REQUEST
    data = b"" if start else packet[pos:end]
    version = flags & 7 if kind in (_PEAP, _FAST, _TEAP) else -1
    return Eap(packet[0], packet[1], kind, data, total, bool(flags & _MORE), start, version, n_bytes, missing)


def read_radius(data: bytes) -> Radius | None:
    """Return what a RADIUS packet says that may carry EAP; None for bytes that are none."""
    if len(data) < _RADIUS_HEADER or data[0] not in (ACCESS_REQUEST, ACCESS_ACCEPT, ACCESS_REJECT, ACCESS_CHALLENGE):
        return None
    if int.from_bytes(data[2:4], "big") != len(data):
        return None
    values = dict.fromkeys((*_ASKER, _STATE, _CALLING_STATION), b"")
    eap = []
    pos = _RADIUS_HEADER
    while pos < len(data):
        if len(data) - pos < 2 or data[pos + 1] < 2 or data[pos + 1] > len(data) - pos:
            return None
        kind, value = data[pos], data[pos + 2 : pos + data[pos + 1]]
        if kind == _EAP_MESSAGE:
            eap.append(value)
        elif kind in values:
            values[kind] = value
        pos += data[pos + 1]
    asker = tuple(values[kind] for kind in _ASKER)
    return Radius(data[0], data[1], b"".join(eap), values[_STATE], values[_USER_NAME], values[_CALLING_STATION], asker)
