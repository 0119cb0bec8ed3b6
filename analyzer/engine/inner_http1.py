"""Finds TLS inside HTTP/1.1: behind a request CONNECT that was granted, which any request of a connection can be.

A client that is asked for a password (407) sends CONNECT again on the same connection, and a connection that carried other
requests can become a tunnel (RFC 9110 section 9.3.6). So the requests are followed from the first one on, as far as their heads
say where the next one begins (RFC 9112 section 6): what is content of a request is never taken for a request. The responses
matter only behind CONNECT, where their status says who reads the next bytes of the client: the target, or the proxy again.
"""

import re
from typing import Final

from analyzer.analysis.preamble import Entry
from analyzer.analysis.proxy_preambles import MAX_HEADER, http_connect
from analyzer.engine.inner_tunnel import Begin, Tunnel

MAX_REFUSED: Final = 7
"""Refused requests that are kept as what stood before TLS, the last ones: a client asks again with a password, and gives up."""

_REQUEST_START: Final = re.compile(rb"[\r\n]{0,4}[A-Z][A-Z-]{0,23}(?: [^ \r\n]| ?\Z)")
_REQUEST_LINE: Final = re.compile(rb"[\r\n]*([A-Z][A-Z-]{0,23}) [^ \r\n]+ HTTP/1\.[01]\r\n")
_FRAMING: Final = re.compile(rb"\n(content-length|transfer-encoding|upgrade)[ \t]*:[ \t]*([^\r\n]*)", re.IGNORECASE)
_LENGTH: Final = re.compile(rb"[0-9]{1,15}[ \t]*\Z")
_STATUS: Final = re.compile(rb"HTTP/1\.[01] ([1-5][0-9][0-9])[ \r]")
_HEAD_END: Final = b"\r\n\r\n"
_CLIENT: Final = 0
_REFUSED: Final = 300
_MAX_INTERIM: Final = 16


class InnerHttp1:
    """The data of one session in HTTP/1.1, until it is known to carry no tunnel."""

    __slots__ = ("_answer", "_begin", "_head", "_n_answered", "_refused", "_requests", "_status", "_talked", "_tunnel")

    def __init__(self, begin: Begin) -> None:
        self._begin = begin
        self._requests = RequestHeads()
        self._tunnel: Tunnel | None = None
        self._refused: list[Entry] = []
        self._talked = False
        self._ask(b"")

    def feed(self, role: int, data: bytes, frame: int, at: int) -> bool:
        """Take the next bytes of a role. Return whether more is wanted."""
        if role != _CLIENT:
            return self._tunnel is None or self._take_answer(self._tunnel, data, frame, at)
        if self._tunnel is not None:
            if self._talked or self._status < _REFUSED or not begins_request(data):
                self._talked = True
                return self._tunnel.feed(role, data, frame, at)
            self._end_refused(self._tunnel, at)
        end = self._requests.feed(data, frame, at)
        if end < 0:
            return not self._requests.lost
        self._ask(self._requests.head)
        tunnel = self._tunnel = self._begin(*self._requests.place)
        tunnel.carrier.before.extend(self._refused)
        wanted = tunnel.feed(role, self._head, frame, at)
        if end == len(data):
            return wanted
        self._talked = True
        return tunnel.feed(role, data[end:], frame, at)

    def miss(self, role: int) -> bool:
        """Note that bytes of a role are missing. Return whether more is wanted."""
        if self._tunnel is None:
            return role != _CLIENT  # where its next request begins is not known any more
        if role != _CLIENT and self._status >= _REFUSED and not self._talked:
            return True
        return self._tunnel.miss(role)

    def close(self, at: int) -> None:
        """End the tunnel, with the session around it."""
        if self._tunnel is not None:
            self._tunnel.close(at)
            self._tunnel = None

    def _ask(self, head: bytes) -> None:
        """Note that a request CONNECT with this head has been sent, and has no answer yet. Status 0 is that of none."""
        self._head = head
        self._status = 0
        self._answer = b""
        self._n_answered = 0
        self._talked = False

    def _take_answer(self, tunnel: Tunnel, data: bytes, frame: int, at: int) -> bool:
        """Take bytes of the server behind CONNECT. The content of a refusal is not searched for TLS."""
        if self._status >= _REFUSED and not self._talked:
            self._n_answered += len(data)
            return True
        if self._status == 0 and len(self._answer) <= MAX_HEADER:
            n_before = len(self._answer)
            self._answer += data
            self._status, end = final_status(self._answer)
            if self._status >= _REFUSED and not self._talked:
                self._n_answered = len(self._answer)
                self._answer = self._answer[:end]
                data = data[: end - n_before]
        return tunnel.feed(1, data, frame, at)

    def _end_refused(self, tunnel: Tunnel, at: int) -> None:
        tunnel.close(at)
        self._tunnel = None
        read = http_connect(self._head, self._answer)
        if read is not None:
            found = read[0] | {"bytes": {"client": len(self._head), "server": self._n_answered}}
            self._refused = [*self._refused[1 - MAX_REFUSED :], found]


class RequestHeads:
    """Follows the requests of a client until one is CONNECT.

    head: of that request; place: frame and time of its first byte. lost: whether it is unknown where the next request begins,
    or whether it is one at all.
    """

    __slots__ = ("_held", "_left", "head", "lost", "place")

    def __init__(self) -> None:
        self._held = b""
        self._left = 0
        self.head = b""
        self.place = (0, 0)
        self.lost = False

    def feed(self, data: bytes, frame: int, at: int) -> int:
        """Take the next bytes. Return where they go on behind the head of CONNECT, -1 if there is none in them."""
        pos = 0
        while pos < len(data) and not self.lost:
            if self._left:
                n = min(self._left, len(data) - pos)
                self._left -= n
                pos += n
                continue
            held = self._held
            if not held:
                self.place = (frame, at)
            whole = held + data[pos : pos + MAX_HEADER]
            end = whole.find(_HEAD_END, max(0, len(held) - len(_HEAD_END) + 1))
            if end < 0:
                self._held = whole
                self.lost = len(whole) >= MAX_HEADER or not begins_request(whole)
                return -1
            self._held = b""
            pos += end + len(_HEAD_END) - len(held)
            if self._read(whole[: end + len(_HEAD_END)]):
                return pos
        return -1

    def _read(self, head: bytes) -> bool:
        """Read the head of a request. Return whether it is CONNECT."""
        line = _REQUEST_LINE.match(head)
        if line is None:
            self.lost = bool(head.strip(b"\r\n"))  # empty lines may come before a request (RFC 9112 section 2.2)
            return False
        if line[1] == b"CONNECT":
            self.head = head.lstrip(b"\r\n")
            return True
        fields = _FRAMING.findall(head)
        if fields:
            name, value = fields[0]
            self.lost = len(fields) > 1 or name.lower() != b"content-length" or _LENGTH.match(value) is None
            self._left = 0 if self.lost else int(value)
        return False


def begins_request(data: bytes) -> bool:
    """Return whether bytes begin like a request of HTTP/1.1, of which they may have only a part."""
    return _REQUEST_START.match(data) is not None


def final_status(answer: bytes) -> tuple[int, int]:
    """Return the status of the first response that is not an interim one (RFC 9110 section 15.2), and where its head ends.

    The status is 0 as long as that head is not whole, and where no such head begins.
    """
    pos = 0
    for _ in range(_MAX_INTERIM):
        end = answer.find(_HEAD_END, pos)
        found = _STATUS.match(answer, pos)
        if end < 0 or found is None:
            break
        pos = end + len(_HEAD_END)
        status = int(found[1])
        if status >= 200 or status == 101:
            return status, pos
    return 0, 0
