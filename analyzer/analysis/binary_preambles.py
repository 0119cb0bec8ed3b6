"""Reads the requests of binary protocols for TLS: PostgreSQL, MySQL, RDP, TDS (Microsoft SQL Server), LDAP, AMQP.

PostgreSQL: SSLRequest, answered with one byte (protocol section 54.2.11). MySQL: the server's greeting and the client's SSL
Request. RDP: an X.224 connection request with a negotiation ([MS-RDPBCGR] 2.2.1.1). TDS: PRELOGIN in both directions ([MS-TDS]
2.2.6.5); the handshake that follows is itself in PRELOGIN packets. LDAP: the extended operation StartTLS (RFC 4511 section
4.14). AMQP 1.0: a header with the protocol TLS (section 5.2.1).
"""

from analyzer.analysis.preamble import Entry, Read, entry, text

TDS_HEADER, PRELOGIN, TDS_RESPONSE = 8, 0x12, 4
"""Bytes of the header of a TDS packet; the types of a PRELOGIN packet and of an answer."""

START_TLS_OID = b"1.3.6.1.4.1.1466.20037"

_SSL_REQUEST, _GSSENC_REQUEST = bytes.fromhex("0000000804d2162f"), bytes.fromhex("0000000804d21630")
_RDP_PROTOCOLS = {1: "tls", 2: "credssp", 4: "rdstls", 8: "credssp_early", 16: "aad"}
_ENCRYPTIONS = {0: "off", 1: "on", 2: "not_supported", 3: "required"}
_ENDED, _VERSION, _ENCRYPTION, _INSTANCE = 0xFF, 0, 1, 2
_COOKIE, _TOKEN = b"Cookie: mstshash=", b"Cookie: msts="


def postgresql(client: bytes, server: bytes) -> Read | None:
    """Return the entry of an SSLRequest with its answer: S for TLS. A GSSENCRequest before it belongs to it."""
    n, back = 0, 0
    details: Entry = {}
    if client.startswith(_GSSENC_REQUEST):
        n = 8
        if server[:1]:
            back = 1
            details["gssenc_answer"] = text(server[:1])
    if client[n : n + 8] != _SSL_REQUEST:
        return None
    answer = server[back : back + 1]
    if answer:
        details["answer"] = text(answer)
    return entry("postgresql", details=details), n + 8, back + len(answer)


def mysql(client: bytes, server: bytes) -> Read | None:
    """Return the entry of a greeting of MySQL or MariaDB, and of the request for TLS."""
    if len(server) < 6 or server[3] != 0 or server[4] != 10:
        return None
    n = 4 + int.from_bytes(server[:3], "little")
    end = server.find(b"\0", 5, 5 + 64)
    if end < 0 or len(server) < n:
        return None
    if client and (len(client) != 36 or client[:4] != b"\x20\0\0\x01" or not client[5] & 8):
        return None
    return entry("mysql", details={"server_version": text(server[5:end])}), len(client), n


def rdp(client: bytes, server: bytes) -> Read | None:
    """Return the entry of an RDP negotiation: the user or routing token, what was asked for, what was chosen."""
    if len(client) < 11 or client[:2] != b"\x03\0" or client[5] != 0xE0:
        return None
    n = int.from_bytes(client[2:4], "big")
    if not 11 <= n <= len(client):
        return None
    found = entry("rdp")
    details: Entry = {}
    rest = client[11:n]
    line, crlf, after = rest.partition(b"\r\n")
    if crlf:
        if line.startswith(_COOKIE):
            found["user"] = text(line[len(_COOKIE) :])
        elif line.startswith(_TOKEN):
            details["routing_token"] = text(line[len(_TOKEN) :])
        rest = after
    if len(rest) >= 8 and rest[0] == 1:
        asked = int.from_bytes(rest[4:8], "little")
        details["requested"] = " ".join(name for bit, name in _RDP_PROTOCOLS.items() if asked & bit) or "rdp"
    back = 0
    if len(server) >= 11 and server[:2] == b"\x03\0" and server[5] == 0xD0:
        back = int.from_bytes(server[2:4], "big")
        if not 11 <= back <= len(server):
            return None
        answer = server[11:back]
        if len(answer) >= 8 and answer[0] == 2:
            chosen = int.from_bytes(answer[4:8], "little")
            details["chosen"] = _RDP_PROTOCOLS.get(chosen, "rdp" if chosen == 0 else f"{chosen:#x}")
        elif len(answer) >= 8 and answer[0] == 3:
            found["status"] = int.from_bytes(answer[4:8], "little")
    found["details"] = details
    return found, n, back


def tds(client: bytes, server: bytes) -> Read | None:
    """Return the entry of the PRELOGIN packets of TDS. The headers around the handshake that follows belong to it."""
    asked = _prelogin(client, PRELOGIN)
    if asked is None:
        return None
    options, n = asked
    answered = _prelogin(server, TDS_RESPONSE)
    details = {f"client_{key}": value for key, value in options.items() if key != "instance"}
    back = 0
    if answered is not None:
        details |= {f"server_{key}": value for key, value in answered[0].items() if key != "instance"}
        back = answered[1]
    if "instance" in options:
        details["instance"] = options["instance"]
    return entry("tds", details=details), n + _wrapping(client[n:]), back + _wrapping(server[back:])


def _prelogin(data: bytes, kind: int) -> tuple[Entry, int] | None:
    if len(data) < TDS_HEADER or data[0] != kind:
        return None
    n = int.from_bytes(data[2:4], "big")
    if not TDS_HEADER < n <= len(data):
        return None
    body = data[TDS_HEADER:n]
    options: Entry = {}
    for at in range(0, min(len(body), 5 * 16), 5):
        if body[at] == _ENDED:
            return options, n
        begin, size = int.from_bytes(body[at + 1 : at + 3], "big"), int.from_bytes(body[at + 3 : at + 5], "big")
        value = body[begin : begin + size]
        if len(value) < size:
            return None
        if body[at] == _VERSION and size >= 4:
            options["version"] = f"{value[0]}.{value[1]}.{int.from_bytes(value[2:4], 'big')}"
        elif body[at] == _ENCRYPTION and size == 1:
            options["encryption"] = _ENCRYPTIONS.get(value[0], f"{value[0]:#04x}")
        elif body[at] == _INSTANCE and value.rstrip(b"\0"):
            options["instance"] = text(value.rstrip(b"\0"))
    return None


def _wrapping(data: bytes) -> int:
    return TDS_HEADER if len(data) == TDS_HEADER and data[0] in (PRELOGIN, TDS_RESPONSE) else 0


def ldap(client: bytes, server: bytes) -> Read | None:
    """Return the entry of the extended operation StartTLS with its answer."""
    at = client.find(START_TLS_OID, 0, 64)
    if at < 0 or client[0] != 0x30 or client[at - 1] != len(START_TLS_OID) or client[at - 2] != 0x80:
        return None
    found = entry("ldap")
    code = server.find(b"\x0a\x01", 0, 32)
    if server[:1] == b"\x30" and 0 <= code < len(server) - 2:
        found["status"] = server[code + 2]
    n = at + len(START_TLS_OID)
    return found, n, len(server) if client[n:] == b"" else 0


def amqp(client: bytes, server: bytes) -> Read | None:
    """Return the entry of AMQP's header with the protocol TLS, in both directions."""
    if client[:5] != b"AMQP\x02" or len(client) < 8:
        return None
    answered = server[:5] == b"AMQP\x02" and len(server) >= 8
    return entry("amqp", version=".".join(str(part) for part in client[5:8])), 8, 8 * answered


BINARY_READERS = (postgresql, mysql, rdp, tds, ldap, amqp)
