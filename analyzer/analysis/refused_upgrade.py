"""Recognizes dialogues in plaintext in which a client asked for TLS, or for a way to it, and was refused.

After a command such as STARTTLS the server says whether TLS follows (RFC 3207 section 4, RFC 2595, RFC 4217 section 12.3, RFC
4642, RFC 6120 section 5.4.2.2). PostgreSQL answers its SSLRequest with one letter. A proxy answers CONNECT with a status (RFC
9110 section 9.3.6), and SOCKS with a code (RFC 1928 section 6).
"""

import re
from collections.abc import Iterable, Sequence

from analyzer.analysis.before_tls import before_tls
from analyzer.analysis.foreign_answer import excerpt

Refusal = tuple[str, str]
"""A cause and its sentence."""

_ASKS = re.compile(rb"^(?:(?:\S{1,64} )?STARTTLS|STLS|AUTH (?:TLS|SSL|TLS-C))[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_NO = re.compile(rb"[45]\d\d[ -]|-ERR|\S{1,64} (?:NO|BAD)\b|NO\b|<(?:\w+:)?failure", re.IGNORECASE)
_SSL_REQUEST = b"\0\0\0\x08\x04\xd2\x16\x2f"

SOCKS_GRANTED = {"4": 90, "4a": 90, "5": 0}


def refused_upgrade(pieces: Sequence[tuple[int, bytes]]) -> Refusal | None:
    """Return why TLS never began in a dialogue; None if nobody refused it.

    pieces: role (0 the client) and bytes, as they came.
    """
    client, server = _joined(pieces, 0), _joined(pieces, 1)
    refusal = None
    for one in before_tls(pieces):
        protocol, status, target = one["protocol"], one["status"], one["target"]
        where = "" if target is None else f" to {ascii(target['host'])[1:-1]}"
        if protocol == "http_connect":
            refusal = None  # what counts is the last answer: a client that is asked for a password asks again
            if status is not None and not 200 <= status < 300:
                what = f"the client asked the proxy to connect it{where}, and it answered with status {status}"
                refusal = "proxy_refused", what
        elif protocol == "socks" and status is not None and status != SOCKS_GRANTED[one["version"]]:
            what = f"the client asked the SOCKS proxy to connect it{where}, and it answered with code {status}"
            refusal = "proxy_refused", what
    if refusal is not None:
        return refusal
    if client.startswith(_SSL_REQUEST) and server[:1] == b"N":
        return "starttls_refused", "the client asked PostgreSQL for TLS (SSLRequest), and the server answered N: it has none"
    return _refused_command(pieces)


def _joined(pieces: Iterable[tuple[int, bytes]], role: int) -> bytes:
    return b"".join(data for sender, data in pieces if sender == role)


def _refused_command(pieces: Sequence[tuple[int, bytes]]) -> Refusal | None:
    """Return the refusal of a command that asks for TLS, by the first line that the server sent after it."""
    for place, (role, data) in enumerate(pieces):
        if role != 0:
            continue
        asked = _ASKS.search(data)
        if asked is None and b"<starttls" not in data:
            continue
        answer = next((said for sender, said in pieces[place + 1 :] if sender == 1), b"")
        if _NO.match(answer):
            command = "starttls" if asked is None else excerpt(asked[0].strip())
            return "starttls_refused", f'the client asked for TLS ({command}), and the server answered "{excerpt(answer)}"'
    return None
