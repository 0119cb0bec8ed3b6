"""Describes 802.1X frames, and the EAP packets in RADIUS, for the packet list, in words close to those of Wireshark."""

from analyzer.flows.eap import FAILURE, METHODS, REQUEST, RESPONSE, SUCCESS, read_eap, read_radius

_CODES = {REQUEST: "Request", RESPONSE: "Response", SUCCESS: "Success", FAILURE: "Failure"}
_TYPES = {
    1: "Identity", 2: "Notification", 3: "Legacy Nak (Response Only)", 4: "MD5-Challenge EAP (EAP-MD5-CHALLENGE)",
    13: "TLS EAP (EAP-TLS)", 18: "GSM Subscriber Identity Modules EAP (EAP-SIM)", 21: "Tunneled TLS EAP (EAP-TTLS)",
    23: "UMTS Authentication and Key Agreement EAP (EAP-AKA)", 25: "Protected EAP (EAP-PEAP)",
    43: "Flexible Authentication via Secure Tunneling EAP (EAP-FAST)", 52: "Password EAP (EAP-pwd)",
}  # fmt: skip
_FRAMES = {1: "Start", 2: "Logoff", 3: "Key", 4: "Encapsulated ASF Alert", 5: "MKA"}
_RADIUS = {
    1: "Access-Request", 2: "Access-Accept", 3: "Access-Reject", 4: "Accounting-Request", 5: "Accounting-Response",
    11: "Access-Challenge", 12: "Status-Server", 40: "Disconnect-Request", 41: "Disconnect-ACK", 42: "Disconnect-NAK",
    43: "CoA-Request", 44: "CoA-ACK", 45: "CoA-NAK",
}  # fmt: skip
_HEADER = 4


def eap_text(packet: bytes) -> str | None:
    """Return the text for an EAP packet: `Request, Identity`; None if it is none."""
    found = read_eap(packet)
    if found is None:
        return None
    code = _CODES[found.code]
    if found.code in (SUCCESS, FAILURE):
        return code
    return f"{code}, {_TYPES.get(found.type) or METHODS.get(found.type) or f'type {found.type}'}"


def port_text(frame: bytes) -> tuple[str, str]:
    """Return protocol and text of an 802.1X frame, from its version on."""
    if len(frame) < _HEADER:
        return "EAPOL", f"{len(frame)} bytes"
    known = eap_text(frame[_HEADER : _HEADER + int.from_bytes(frame[2:4], "big")]) if frame[1] == 0 else None
    return ("EAPOL", _FRAMES.get(frame[1], f"type {frame[1]}")) if known is None else ("EAP", known)


def radius_text(data: bytes) -> str | None:
    """Return the text for a RADIUS packet: that of the EAP packet in it, else its own; None if it is none."""
    if len(data) < _HEADER or data[0] not in _RADIUS or int.from_bytes(data[2:4], "big") > len(data):
        return None
    found = read_radius(data)
    known = None if found is None else eap_text(found.eap)
    return known or f"{_RADIUS[data[0]]} id={data[1]}"
