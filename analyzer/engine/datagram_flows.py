"""Searches UDP flows for QUIC and DTLS, which can share a pair of ports with each other and with STUN, TURN, SRTP and ZRTP.

RADIUS, which carries TLS in EAP, is on ports of its own. It begins with a code up to 11, and then says how long it is.

The first byte of a datagram tells them apart (RFC 7983 section 7, RFC 9443 section 3): 20 to 63 is DTLS, and QUIC begins with
64 or more, unless its fixed bit is greased. So a datagram that is none of both costs one comparison here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.engine.dtls_flows import DtlsFlow, DtlsFlows
from analyzer.engine.eap_sessions import EapSessions
from analyzer.engine.quic_flows import QuicFlow, QuicFlows
from analyzer.engine.session_table import SessionTable
from analyzer.flows.eap import LAST_CODE
from analyzer.flows.flow import NO_ERRORS
from analyzer.flows.path_errors import keep_error
from analyzer.flows.sink import DatagramSink
from analyzer.flows.udp_flow import UdpFlow
from analyzer.tls.dtls.record_headers import END_OF_FIRST_BYTES, FIRST_BYTES, begins_dtls

if TYPE_CHECKING:
    import cython

_FIRST, _END = FIRST_BYTES, END_OF_FIRST_BYTES
_LAST_CODE, _SHORTEST = LAST_CODE, 20  # of RADIUS


class DatagramFlows:
    """Returns the reader of each UDP flow. It is a `DatagramProtocol`. eap: takes what can be RADIUS."""

    __slots__ = ("dtls", "eap", "quic")

    def __init__(self, dispatcher: SessionTable) -> None:
        self.quic = QuicFlows(dispatcher)
        self.dtls = DtlsFlows(dispatcher)
        self.eap = EapSessions(dispatcher)

    def __call__(self, flow: UdpFlow) -> DatagramSink:
        """Return the reader of a new UDP flow."""
        return DatagramFlow(flow, self)

    def end_closed(self, at: cython.longlong) -> None:
        """End the connections that were closed some time before `at`, when no datagram comes."""
        self.quic.end_closed(at)
        self.dtls.end_closed(at)
        self.eap.tick(at)


class DatagramFlow(DatagramSink):
    """The datagrams of one UDP flow. quic: the reader of those that are not DTLS; dtls: None before DTLS was found."""

    __slots__ = ("dtls", "flow", "flows", "quic")

    def __init__(self, flow: UdpFlow, flows: DatagramFlows) -> None:
        self.wanted = True
        self.flow = flow
        self.flows = flows
        self.quic: QuicFlow = QuicFlow(flow, flows.quic)
        self.dtls: DtlsFlow | None = None

    def feed(
        self,
        side: cython.int,
        data: bytes,
        start: cython.Py_ssize_t,
        end: cython.Py_ssize_t,
        missing: cython.longlong,
        frame: cython.longlong,
        at: cython.longlong,
    ) -> None:
        """See `DatagramSink.feed`."""
        first: cython.int = data[start] if end > start else _END
        if first <= _LAST_CODE and self.is_radius(data, start, end):
            self.take_radius(side, data[start:end], frame, at)
        elif _FIRST <= first < _END and self.is_dtls(data, start, end):
            self.quic.flows.dispatcher.steps += 1  # the same in all processes that share a capture
            self.dtls.feed(side, data, start, end, missing, frame, at)  # type: ignore[union-attr]
        else:
            self.quic.feed(side, data, start, end, missing, frame, at)

    def is_radius(self, data: bytes, start: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.bint:
        """Return whether a datagram that begins as RADIUS has the length that it says (RFC 2865 section 3)."""
        whole: cython.bint = end - start >= _SHORTEST and (data[start + 2] << 8 | data[start + 3]) == end - start
        return whole and not self.quic.links

    def take_radius(self, side: cython.int, data: bytes, frame: cython.longlong, at: cython.longlong) -> None:
        """Take a datagram that can be RADIUS."""
        key: bytes = self.flow.responder.key if side else self.flow.originator.key
        back: bytes = self.flow.originator.key if side else self.flow.responder.key
        self.flows.eap.feed_radius(key, back, data, frame, at)

    def is_dtls(self, data: bytes, start: cython.Py_ssize_t, end: cython.Py_ssize_t) -> cython.bint:
        """Return whether a datagram whose first byte is one of DTLS belongs to DTLS."""
        if self.dtls is not None and self.dtls.shared:
            return True
        known: cython.bint = begins_dtls(data, start, end) or self.flows.dtls.moved_in(self.flow, data, start, end) is not None
        if self.quic.links:
            known = False
        if self.dtls is None:
            if not known and (self.quic.links or self.flows.dtls.announced_in(self.flow, data, start, end) is None):
                return False
            self.dtls = DtlsFlow(self.flow, self.flows.dtls)
        self.dtls.shared = known
        return True

    def take_error(self, error: Any) -> None:
        """See `DatagramSink.take_error`. It belongs to the session to which packets of the flow go."""
        session: Any = None
        client: cython.int = 0
        if self.dtls is not None and self.dtls.associations:
            session, client = self.dtls.associations[0].session, self.dtls.client_of(self.dtls.associations[0])
        elif self.quic.links:
            session, client = self.quic.links[0].connection.session, self.quic.links[0].client
        if session is None:
            return
        if session.flow.path_errors is NO_ERRORS:
            session.flow.path_errors = ([], [])
        keep_error(session.flow.path_errors[error.side ^ client], error)

    def close(self, reason: str, frame: cython.longlong, at: cython.longlong) -> None:
        """See `DatagramSink.close`."""
        self.quic.close(reason, frame, at)
        if self.dtls is not None:
            self.dtls.close(reason)
