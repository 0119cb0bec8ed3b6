"""The tables `-z http,tree`, `-z http_req,tree` and `-z http_srv,tree` of tshark: HTTP messages as trees of counts.

A message counts where it is complete, decrypted or not; HTTP/2 is not in these tables.
"""

from collections.abc import Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING

from analyzer.cli.frame_reading import View
from analyzer.cli.tshark_taps import Tap
from analyzer.cli.tshark_tree import TreeTap
from analyzer.filters.field_table import known_field

if TYPE_CHECKING:
    from analyzer.filters.compiled_filter import CompiledFilter

_PHRASES = {status.value: status.phrase for status in HTTPStatus}
_GROUPS = {
    1: "1xx: Informational", 2: "2xx: Success", 3: "3xx: Redirection", 4: "4xx: Client Error", 5: "5xx: Server Error",
}  # fmt: skip
_BROKEN = "???: broken"


class _HttpTree(TreeTap):
    """A table of messages. Subclasses count them."""

    def __init__(self, chosen: "CompiledFilter | None") -> None:
        super().__init__(chosen)
        names = ("http.request.method", "http.response.code", "http.host", "http.request.uri", "http")
        self._method, self._code, self._host, self._uri, self._any = map(known_field, names)
        self.fields = frozenset((self._method, self._code, self._host, self._uri, self._any))
        self._source = self._destination = ""

    def take(self, view: View, passed: Sequence[bool]) -> None:
        """See `Tap.take`."""
        values = view.values
        if not self.begin(view, passed[0] and values is not None and values.has(self._any)) or values is None:
            return
        self._source, self._destination = _addresses(view)
        hosts, uris = values.values(self._host), values.values(self._uri)
        for place, method in enumerate(values.values(self._method)):
            host = str(hosts[place]) if place < len(hosts) else ""
            self.request(str(method), host, str(uris[place]) if place < len(uris) else "")
        for code in values.values(self._code):
            if isinstance(code, int):
                self.response(code)

    def request(self, method: str, host: str, uri: str) -> None:
        """Count a request."""

    def response(self, code: int) -> None:
        """Count a response."""


class PacketCounter(_HttpTree):
    """`-z http,tree`: requests by method, responses by status code."""

    title, first = "HTTP / Packet Counter", "Packet Type"
    _ALL, _OTHER, _ANSWERS, _ASKED = (
        "Total HTTP Packets", "Other HTTP Packets", "HTTP Response Packets", "HTTP Request Packets",
    )  # fmt: skip

    def __init__(self, chosen: "CompiledFilter | None") -> None:
        super().__init__(chosen)
        for name in (self._OTHER, self._ANSWERS, self._ASKED):
            self.prepare(self._ALL, name)
        for name in (_BROKEN, *_GROUPS.values()):
            self.prepare(self._ALL, self._ANSWERS, name)

    def request(self, method: str, host: str, uri: str) -> None:
        """See `_HttpTree.request`."""
        self.count_along(self._ALL, self._ASKED, method)

    def response(self, code: int) -> None:
        """See `_HttpTree.response`."""
        phrase = _PHRASES.get(code, f"Unknown ({code})")
        self.count_along(self._ALL, self._ANSWERS, _GROUPS.get(code // 100, _BROKEN), f"{code} {phrase}")


class RequestCounter(_HttpTree):
    """`-z http_req,tree`: requests by host and what was asked."""

    title, first = "HTTP / Requests", "Request Type"
    _ALL = "HTTP Requests by HTTP Host"

    def __init__(self, chosen: "CompiledFilter | None") -> None:
        super().__init__(chosen)
        self.prepare(self._ALL)

    def request(self, method: str, host: str, uri: str) -> None:
        """See `_HttpTree.request`."""
        self.count_along(*filter(None, (self._ALL, host, uri if host else "")))


class ServerCounter(_HttpTree):
    """`-z http_srv,tree`: requests and responses by server."""

    title, first = "HTTP / Load Distribution", "Packet Type"
    _ASKED, _BY_ADDRESS, _BY_HOST, _ANSWERS = (
        "HTTP Requests by Server", "HTTP Requests by Server Address", "HTTP Requests by HTTP Host",
        "HTTP Responses by Server Address",
    )  # fmt: skip

    def __init__(self, chosen: "CompiledFilter | None") -> None:
        super().__init__(chosen)
        self.prepare(self._ASKED, self._BY_ADDRESS)
        self.prepare(self._ASKED, self._BY_HOST)
        self.prepare(self._ANSWERS)

    def request(self, method: str, host: str, uri: str) -> None:
        """See `_HttpTree.request`."""
        server = self._destination
        self.count_along(self._ASKED)
        for path in ((self._BY_ADDRESS, server, host), (self._BY_HOST, host, server if host else "")):
            self.count_below(self._ASKED, *filter(None, path))

    def response(self, code: int) -> None:
        """See `_HttpTree.response`."""
        self.count_along(self._ANSWERS, self._source, "OK" if code < 400 else "Error")


_TAPS: dict[str, type[_HttpTree]] = {"http": PacketCounter, "http_req": RequestCounter, "http_srv": ServerCounter}


def http_tap(name: str, chosen: "CompiledFilter | None") -> Tap:
    """Return the table with a name, such as `http_req`."""
    return _TAPS[name](chosen)


def _addresses(view: View) -> tuple[str, str]:
    """Return source and destination of a frame as text."""
    from analyzer.store.part import addresses_of

    found = addresses_of(view.layers.packet)
    return (found[0], found[1]) if found else ("", "")
