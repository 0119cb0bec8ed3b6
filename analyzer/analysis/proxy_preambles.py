"""Reads what proxies write or are asked before TLS: the PROXY protocol, SOCKS 4 and 5, HTTP CONNECT.

The PROXY protocol (HAProxy's proxy-protocol.txt, versions 1 and 2) tells the server who the client of the load balancer is;
version 2 can add values with a type (TLVs), such as the requested name. SOCKS 4 and 4a (SOCKS4.protocol, SOCKS 4A) and SOCKS 5
(RFC 1928, passwords: RFC 1929) name a target, and so does CONNECT (RFC 9110 section 9.3.6). Passwords are never kept.
"""

import re
from ipaddress import ip_address

from analyzer.analysis.preamble import Entry, Read, authority, entry, place, text

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
"""The first bytes of a PROXY header of version 2."""

MAX_HEADER = 16384
"""Bytes of a request's head that are searched for its end."""

_LONGEST_V1 = 107
_VERSIONS = (b"HTTP/1.0", b"HTTP/1.1")
_TLVS = {1: "alpn", 2: "authority", 3: "crc32c", 4: "noop", 5: "unique_id", 0x20: "ssl", 0x30: "netns", 0xEA: "aws_vpce_id"}
_SSL_TLVS = {0x21: "version", 0x22: "cn", 0x23: "cipher", 0x24: "sig_alg", 0x25: "key_alg", 0x26: "group"}
_TEXTS = frozenset({"alpn", "authority", "netns", "version", "cn", "cipher", "sig_alg", "key_alg", "group"})
_MOST_TLVS = 32
_IPV4, _NAME, _IPV6 = 1, 3, 4
_MOST_INTERIM = 16
_MOST_REQUESTS = 64
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?\r\n")


def proxy_v1(client: bytes, server: bytes) -> Read | None:
    """Return the entry of a PROXY header of version 1, one line of text."""
    end = client.find(b"\r\n", 0, _LONGEST_V1)
    words = client[:end].split(b" ") if end >= 0 else []
    if len(words) < 2 or words[0] != b"PROXY" or words[1] not in (b"TCP4", b"TCP6", b"UNKNOWN"):
        return None
    found = entry("proxy", version="1")
    if words[1] != b"UNKNOWN":
        if len(words) != 6:
            return None
        found["client"], found["server"] = _end(words[2], words[4]), _end(words[3], words[5])
        if found["client"] is None or found["server"] is None:
            return None
    return found, end + 2, 0


def proxy_v2(client: bytes, server: bytes) -> Read | None:
    """Return the entry of a PROXY header of version 2, which is binary."""
    if not client.startswith(SIGNATURE) or len(client) < 16 or client[12] >> 4 != 2:
        return None
    command, family = client[12] & 15, client[13] >> 4
    n = int.from_bytes(client[14:16], "big")
    body = client[16 : 16 + n]
    if len(body) < n:
        return None
    found = entry("proxy", version="2")
    size = {_IPV4: 4, 2: 16}.get(family, 0)
    at = 2 * size + 4 if size else 216 if family == 3 else 0
    if len(body) < at:
        return None
    if command == 1 and size:
        ports = body[2 * size : at]
        for key, half in (("client", 0), ("server", 1)):
            address = str(ip_address(body[half * size : half * size + size]))
            found[key] = {"address": address, "port": int.from_bytes(ports[2 * half : 2 * half + 2], "big")}
    details = _tlvs(body[at:], _TLVS)
    if command == 0:
        details["command"] = "local"  # the load balancer itself, such as a check of health
    found["details"] = details
    return found, 16 + n, 0


def _tlvs(data: bytes, names: dict[int, str]) -> Entry:
    found: Entry = {}
    while len(data) >= 3 and len(found) < _MOST_TLVS:
        kind, n = data[0], int.from_bytes(data[1:3], "big")
        value, data = data[3 : 3 + n], data[3 + n :]
        if len(value) < n:
            break
        name = names.get(kind, f"{kind:#04x}")
        if name == "ssl" and n >= 5:
            inner = {f"ssl_{key}": one for key, one in _tlvs(value[5:], _SSL_TLVS).items()}
            found |= {"ssl_client": f"{value[0]:#04x}", "ssl_verify": str(int.from_bytes(value[1:5], "big"))} | inner
        elif name == "aws_vpce_id" and value[:1] == b"\x01":
            found[name] = text(value[1:])
        elif name != "noop":
            found[name] = text(value) if name in _TEXTS else value[:64].hex()
    return found


def _end(address: bytes, port: bytes) -> Entry | None:
    try:
        known = str(ip_address(address.decode("ascii")))
    except ValueError:
        return None
    return {"address": known, "port": int(port)} if port.isdigit() and len(port) < 6 and int(port) < 65536 else None


def socks4(client: bytes, server: bytes) -> Read | None:
    """Return the entry of a request of SOCKS 4 or 4a, with its answer if that is there."""
    if len(client) < 9 or client[0] != 4 or client[1] not in (1, 2):
        return None
    port = int.from_bytes(client[2:4], "big")
    end = client.find(b"\0", 8, 8 + 512)
    if end < 0:
        return None
    user, host = text(client[8:end]), str(ip_address(client[4:8]))
    version = "4"
    if client[4:7] == b"\0\0\0" and client[7]:  # 4a: a name follows
        begin = end + 1
        end = client.find(b"\0", begin, begin + 512)
        if end < 0:
            return None
        host, version = text(client[begin:end]), "4a"
    answered = len(server) >= 8 and server[0] == 0
    status = server[1] if answered else None
    return entry("socks", version=version, target=place(host, port), user=user or None, status=status), end + 1, 8 * answered


def socks5(client: bytes, server: bytes) -> Read | None:
    """Return the entry of a dialogue of SOCKS 5, with the user's name if there was one."""
    if len(client) < 3 or client[0] != 5 or not 0 < client[1] <= len(client) - 2:
        return None
    at, back = 2 + client[1], 0
    found = entry("socks", version="5")
    if len(server) >= 2 and server[0] == 5:
        back = 2
        if server[1] == 2 and len(client) > at + 1 and client[at] == 1:  # RFC 1929
            name = client[at + 2 : at + 2 + client[at + 1]]
            after = at + 2 + len(name)
            if after >= len(client):
                return None
            found["user"] = text(name)
            at = after + 1 + client[after]
            back += 2
    if len(client) < at + 5 or client[at] != 5:
        return None
    kind = client[at + 3]
    size = {_IPV4: 4, _IPV6: 16, _NAME: client[at + 4]}.get(kind)
    begin = at + (5 if kind == _NAME else 4)
    if size is None or len(client) < begin + size + 2:
        return None
    name = client[begin : begin + size]
    host = text(name) if kind == _NAME else str(ip_address(name))
    end = begin + size
    found["target"] = place(host, int.from_bytes(client[end : end + 2], "big"))
    answer = server[back:]
    if len(answer) >= 5 and answer[0] == 5:
        bound = {_IPV4: 10, _IPV6: 22, _NAME: 7 + answer[4]}.get(answer[3], len(answer) + 1)
        if bound <= len(answer):
            found["status"] = answer[1]
            back += bound
    return found, end + 2, back


def http_connect(client: bytes, server: bytes) -> Read | None:
    """Return the entry of one request CONNECT with its response."""
    if not client.startswith(b"CONNECT "):
        return None
    end = client.find(b"\r\n\r\n", 0, MAX_HEADER)
    if end < 0:
        return None
    line, *fields = client[:end].split(b"\r\n")
    words = line.split(b" ")
    if len(words) != 3 or words[2] not in _VERSIONS:
        return None
    found = entry("http_connect", version=text(words[2][5:]), target=authority(words[1]))
    if agent := _field(fields, b"user-agent"):
        found["user_agent"] = text(agent)
    return found, end + 4, _response(server, found)


def http_request(client: bytes, server: bytes) -> Read | None:
    """Return the entry of the first request of HTTP in plaintext, such as one to a port for TLS.

    All bytes belong to it, unless one of the next requests on the connection is CONNECT.
    """
    first = _request(client, server)
    if first is None:
        return None
    found, n_client, n_server = first
    for _ in range(_MOST_REQUESTS):
        if client.startswith(b"CONNECT ", n_client):
            return found, n_client, n_server
        following = _request(client[n_client:], server[n_server:])
        if following is None:
            break
        n_client, n_server = n_client + following[1], n_server + following[2]
    return found, len(client), len(server)


def _request(client: bytes, server: bytes) -> Read | None:
    """Return the entry of one request, and where it and its answer end."""
    line, *fields = client[:MAX_HEADER].split(b"\r\n\r\n", 1)[0].split(b"\r\n")
    words = line.split(b" ")
    if len(words) != 3 or not words[0].isupper() or words[2] not in _VERSIONS:
        return None
    found = entry("http", version=text(words[2][5:]))
    if host := _field(fields, b"host"):
        found["target"] = authority(host)
    if agent := _field(fields, b"user-agent"):
        found["user_agent"] = text(agent)
    n_server = _response(server, found, words[0])
    head_end = client.find(b"\r\n\r\n", 0, MAX_HEADER)
    n_client = len(client) if head_end < 0 else _content_end(client, head_end + 4, fields, False)
    return found, n_client, n_server


def _field(fields: list[bytes], wanted: bytes) -> bytes:
    for field in fields:
        name, _, value = field.partition(b":")
        if name.strip().lower() == wanted:
            return value.strip()
    return b""


def _response(server: bytes, found: Entry, method: bytes = b"CONNECT") -> int:
    """Enter the status of a response, and return its length with its content; 0 if it is not there.

    Interim responses before it (RFC 9110 section 15.2) belong to it, and decide nothing.
    """
    begin = 0
    for _ in range(_MOST_INTERIM):
        end = server.find(b"\r\n\r\n", begin, begin + MAX_HEADER)
        if end < 0 or not server.startswith(b"HTTP/1.", begin):
            return begin
        line, *fields = server[begin:end].split(b"\r\n")
        status = line[9:12]
        if not status.startswith(b"1") or status == b"101":
            break
        begin = end + 4
    else:
        return begin
    found["status"] = int(status) if status.isdigit() else None
    granted = method == b"CONNECT" and status.startswith(b"2")  # RFC 9110 section 9.3.6: it has no content
    if granted or method == b"HEAD" or status in (b"204", b"304"):
        return end + 4
    return _content_end(server, end + 4, fields, True)


def _content_end(data: bytes, begin: int, fields: list[bytes], to_end: bool) -> int:
    """Return where the content of a message ends (RFC 9112 section 6.3), at most the end of the data.

    begin: where its head ends. to_end: whether it goes on to the end of the stream where no field says how long it is.
    """
    length = _field(fields, b"content-length")
    if _field(fields, b"transfer-encoding").lower().rpartition(b",")[2].strip() == b"chunked":
        return _chunks_end(data, begin)
    if length.isdigit() and len(length) < 12:
        return min(begin + int(length), len(data))
    return len(data) if to_end and not data.startswith(b"HTTP/1.", begin) else begin


def _chunks_end(data: bytes, begin: int) -> int:
    """Return where the trailers behind the last chunk end (RFC 9112 section 7.1); the end of the data if that is not there."""
    while (line := _CHUNK.match(data, begin)) is not None:
        size = int(line[1], 16)
        if size == 0:
            end = data.find(b"\r\n\r\n", line.end() - 2)
            return len(data) if end < 0 else end + 4
        begin = line.end() + size + 2
    return len(data)


PROXY_READERS = (proxy_v1, proxy_v2, socks4, socks5, http_connect)
