"""Values of the facts in the forms that CASE/UCO and STIX allow: text, times, addresses, host names, hashes.

What a standard does not allow as a value is None here. The writers leave it out, or say it in a text.
"""

import ipaddress
import re
import uuid
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

TEXT_MAX: Final = 4096
"""Most characters of a text; a certificate can have a name of 16 million. What is cut ends with `…`."""

EXCHANGES_MAX: Final = 2000
"""Most HTTP exchanges of all sessions that are written."""

FIELDS_MAX: Final = 64
"""Most header fields of an HTTP request that are written."""

NAMESPACE: Final = uuid.uuid5(uuid.NAMESPACE_DNS, "capture-analyzer.example")
"""Of our identifiers (RFC 9562 section 5.5): the same content has the same identifier in every report."""

NO_TIME: Final = "1970-01-01T00:00:00.000Z"
"""Stands where a standard asks for a time and the facts have none."""

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z")
_LABEL = r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)"
_HOST = re.compile(rf"(?=.{{1,253}}\Z)(?:\*\.)?{_LABEL}(?:\.{_LABEL})*")
_PSEUDONYM = re.compile(r"host-\d+")
_HEX = re.compile(r"(?:[0-9a-f]{2})+")


def identifier(*parts: str) -> str:
    """Return a UUID of version 5 for content, given in parts."""
    return str(uuid.uuid5(NAMESPACE, "\0".join(plain(part) for part in parts)))


def plain(text: str) -> str:
    """Return a text with escapes for the characters that no XML document can hold (XML 1.0 section 2.2), so no xsd:string."""
    return _NOT_XML.sub(lambda one: f"\\u{ord(one[0]):04x}", text)


def cut(text: str) -> str:
    """Return `plain` text of at most TEXT_MAX characters."""
    text = plain(text)
    return text if len(text) <= TEXT_MAX else f"{text[: TEXT_MAX - 1]}…"


def time_or_none(text: Any) -> str | None:
    """Return a time of the facts, if it is one that a calendar has; with the digits of a second that it has."""
    found = _TIME.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        return None
    try:
        datetime.fromisoformat(found[1])
    except ValueError:
        return None
    return found[0]


def milliseconds(text: str | None) -> str | None:
    """Return a time with three digits of a second, cut and not rounded: what all parsers of STIX read."""
    known_time = time_or_none(text)
    if known_time is None:
        return None
    second, _, fraction = known_time.removesuffix("Z").partition(".")
    return f"{second}.{fraction[:3]:0<3}Z"


def transport_of(session: Mapping[str, Any]) -> str | None:
    """Return what carries a session: `tcp` or `udp`; None where it is neither, but EAP on a link."""
    if session["protocol"] != "tls":
        return "udp"
    before = session.get("before") or []
    if not before or before[0]["protocol"] != "eap":
        return "tcp"
    return None if session["client"]["port"] is None else "udp"


def address_version(text: Any) -> int | None:
    """Return 4 or 6 for an IP address; 0 for the pseudonym of a redacted address; None for anything else."""
    if not isinstance(text, str):
        return None
    if _PSEUDONYM.fullmatch(text):
        return 0
    try:
        return ipaddress.ip_address(text).version
    except ValueError:
        return None


def host_name(text: Any) -> str | None:
    """Return a name that a host can have in DNS: letters, digits, `-`, `_`, or A-labels (RFC 5890); a U-label becomes one."""
    if not isinstance(text, str) or address_version(text):
        return None
    name = text.removesuffix(".")
    if not name.isascii():
        try:
            name = ".".join(label.encode("idna").decode("ascii") for label in name.split("."))
        except UnicodeError:
            return None
    return name if _HOST.fullmatch(name) else None


def hash_or_none(text: Any, n_bytes: int) -> str | None:
    """Return a hash in hexadecimal of so many bytes; None for anything else, such as a pseudonym."""
    return text if isinstance(text, str) and len(text) == 2 * n_bytes and _HEX.fullmatch(text) else None


def key_text(key: Any) -> str | None:
    """Return a public key's kind as `rsa 2048` or `ec secp256r1`; None where it is not known."""
    if not isinstance(key, Mapping) or not key.get("type"):
        return None
    more = key.get("curve") or key.get("bits")
    return str(key["type"]) if more is None else f"{key['type']} {more}"


def known(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is known of values: without None, and without empty lists, texts and objects."""
    return {key: value for key, value in values.items() if value is not None and value != [] and value != "" and value != {}}


def session_facts(session: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a session says of TLS as plain values, by the keys of its record; only what is known."""
    chain = session.get("chain") or {}
    decryption = session.get("decryption") or {}
    ech = session.get("ech") or {}
    proved = session.get("authenticity") or {}
    return known(
        {
            "session": session.get("id"),
            **{key: _short(session.get(key)) for key in ("version", "cipher_suite", "group", "server_name", "alpn")},
            **{key: session.get(key) for key in ("ja3", "ja3s", "ja4", "established", "resumed", "resumption", "resumes")},
            "first_frame": session.get("first_frame"),
            "last_frame": session.get("last_frame"),
            "chain_verdict": chain.get("verdict"),
            "chain_problems": sorted({problem["code"] for problem in chain.get("problems") or ()}),
            "server_signature": proved.get("server_signature"),
            "decryption": decryption.get("status"),
            "ech": ech.get("status"),
            "alerts": [_alert(alert) for alert in session.get("alerts") or ()][:FIELDS_MAX],
        }
    )


def exchanges(facts: Mapping[str, Any]) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """Yield HTTP exchanges that have a request: number of the session, number in it from 0, record; at most EXCHANGES_MAX."""
    n_left = EXCHANGES_MAX
    for session in facts["sessions"]["shown"]:
        for number, exchange in enumerate(session.get("http") or ()):
            if n_left == 0:
                return
            if exchange.get("request") is not None:
                n_left -= 1
                yield session["id"], number, exchange


def request_fields(request: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the header fields of a request, each name with its values, in the order in which the names first appear."""
    fields: dict[str, list[str]] = {}
    for name, value in (request.get("headers") or ())[:FIELDS_MAX]:
        fields.setdefault(cut(name), []).append(cut(value))
    return fields


def _alert(alert: Mapping[str, Any]) -> str:
    if alert.get("description") is None:
        return f"encrypted from {alert.get('from')}"
    return f"{alert.get('level')} {alert['description']} from {alert.get('from')}"


def _short(value: Any) -> Any:
    return cut(value) if isinstance(value, str) else value
