"""What a decoded message says about its session: single facts, None or -1 where a message does not say.

A field of a message that could not be read whole may be None, and an extension's body that did not fit its table is bytes;
both simply say nothing.
"""

from typing import Any

SERVER_NAME, ALPN, SESSION_TICKET, KEY_SHARE_DRAFT, PRE_SHARED_KEY, SUPPORTED_VERSIONS, KEY_SHARE = 0, 16, 35, 40, 41, 43, 51

TLS13 = 0x0304


def is_tls13(version: int) -> bool:
    """Whether a version number means TLS 1.3 or one of its drafts and experiments (0x7f.., 0x7e..)."""
    return version == TLS13 or version >> 8 in (0x7E, 0x7F)


def server_name(hello: Any) -> bytes | None:
    """The host name of a ClientHello (RFC 6066 section 3)."""
    for entry in getattr(hello.extension(SERVER_NAME), "server_name_list", None) or ():
        if entry.name_type == 0 and entry.name is not None:
            name: bytes = entry.name
            return name
    return None


def alpn(answer: Any) -> bytes | None:
    """The protocol that a ServerHello or EncryptedExtensions chooses (RFC 7301 section 3.1)."""
    names = getattr(answer.extension(ALPN), "protocol_name_list", None)
    return names[0] if names else None


def selected_version(answer: Any) -> int:
    """The version that a ServerHello or HelloRetryRequest chooses; 0 when it could not be read."""
    body = answer.extension(SUPPORTED_VERSIONS)
    version: int | None = getattr(body, "selected_version", None)
    for name in ("legacy_version", "version", "server_version"):
        if version is None:
            version = getattr(answer, name, None)
    return version or 0


def selected_group(answer: Any) -> int:
    """The group of a ServerHello's or HelloRetryRequest's key share (RFC 9846 section 4.3.8), -1 without one."""
    for number in (KEY_SHARE, KEY_SHARE_DRAFT):
        body = answer.extension(number)
        group = getattr(getattr(body, "server_share", None), "group", None)
        if group is None:
            group = getattr(body, "selected_group", None)
        if group is not None:
            return int(group)
    return -1


def exchanged_group(server_key_exchange: Any) -> int:
    """The named curve of a ServerKeyExchange (RFC 8422 section 5.4), -1 without one."""
    parameters = getattr(getattr(server_key_exchange, "params", None), "curve_params", None)
    if parameters is not None and parameters.curve_type == 3 and parameters.namedcurve is not None:
        return int(parameters.namedcurve)
    return -1


def certificate_list(certificate: Any) -> list[bytes] | None:
    """The certificates of a Certificate message, in DER, in the order sent; None where the message holds something else."""
    entries = getattr(certificate, "certificate_list", None)
    if entries is None:
        return None
    listed = (entry if isinstance(entry, bytes) else entry.cert_data for entry in entries)
    return [der for der in listed if der is not None]


def offered_ticket(hello: Any) -> bool:
    """Whether a ClientHello carries a session ticket (RFC 5077 section 3.2)."""
    return bool(getattr(hello.extension(SESSION_TICKET), "ticket", None))
