"""Collects what `compare` needs of one capture: its packets by connection, its sessions, and the values that occur in it."""

import hashlib
from collections.abc import Sequence
from typing import Any

from analyzer.analysis.capture_findings import CaptureFindings
from analyzer.analysis.connection_trace import PlaceTraces
from analyzer.analysis.interception import PlaceSession
from analyzer.analysis.talkers import talkers
from analyzer.analysis.traffic import Traffic
from analyzer.analysis.two_places import Place, trace_of_sessions
from analyzer.analysis.two_times import MAX_VALUES, Sightings
from analyzer.capture.frame import Frame
from analyzer.engine import Listener
from analyzer.engine.other_traffic import OtherTraffic
from analyzer.packet.packet import Packet
from analyzer.store.session_record import session_record
from analyzer.tls.events import Event, SessionEnded
from analyzer.tls.handshake.transcript import is_retry
from analyzer.tls.messages.numbers import CLIENT_HELLO, RANDOM, SERVER_HELLO
from analyzer.tls.session import Session

MAX_SESSIONS = 1 << 16
"""Sessions that are joined with those of the other capture, each with about 2 kB."""

MAX_CHAIN = 16
"""Certificates of one session that are compared."""

_CLIENT, _SERVER = 0, 1


class PlaceFacts(Listener):
    """Takes the packets and sessions of a capture.

    traces: the packets by connection; None where captures of two times are compared. sessions: at most MAX_SESSIONS; left_out:
    how many more there were. sightings: the values. traffic: hosts and protocols. first, last: times of the earliest and the
    latest frame, -1 without any.
    """

    sees_packets = True

    def __init__(self, chains: Any, *, by_packet: bool) -> None:
        """chains: the `Chains` that judge certificates. by_packet: whether the packets are kept by connection."""
        self.traces = PlaceTraces() if by_packet else None
        self.traffic = Traffic()
        self.sightings = Sightings()
        self.sessions: list[PlaceSession] = []
        self.left_out = 0
        self.first = self.last = -1
        self._chains = chains
        self._findings = CaptureFindings()
        self._tls: set[bytes] = set()

    def packet(self, packet: Packet, frame: Frame, events: Sequence[Event]) -> None:
        """See `Listener.packet`."""
        self.traffic.count(packet, frame)
        if frame.at >= 0:
            self.first = min(self.first, frame.at) if self.first >= 0 else frame.at
            self.last = max(self.last, frame.at)
        if self.traces is not None:
            self.traces.count(packet, frame)

    def take(self, events: Sequence[Event]) -> None:
        """See `Listener.take`."""
        for event in events:
            if isinstance(event, SessionEnded):
                session: Session = event.ended
                record = session_record(session, False, self._chains, False)
                self.sightings.take_record(record)
                self._findings.take_record(record)
                if len(self.sessions) < MAX_SESSIONS:
                    self.sessions.append(_place_session(session, record))
                    self._tls.add(session.flow.key)
                else:
                    self.left_out += 1
            elif isinstance(event, OtherTraffic):
                self._findings.take_other(event.key, event.frame, event.head)

    def close(self) -> None:
        """See `Listener.close`."""
        for finding in self._findings.findings(self.traffic):
            self.sightings.take_finding(finding)
        for one in talkers(self.traffic, MAX_VALUES)[0]:
            self.sightings.take_host(one.address, sum(one.packets))
        for share in self.traffic.shares(self._tls):
            if share.depth > 1:
                self.sightings.take_protocol(share.label, share.n_packets)
        self.sessions.sort(key=lambda one: one.id)

    def place(self) -> Place:
        """Return the packets and sessions for a comparison of two places."""
        traces = self.traces or PlaceTraces()
        return Place(traces, (self.first, self.last), self.sessions, trace_of_sessions(traces, self.sessions))


def _place_session(session: Session, record: dict[str, Any]) -> PlaceSession:
    flow, transcript = session.flow, session.handshake.transcript
    certificates = record["certificates"]["server"]
    names = None if certificates is None else [one["sha256"] for one in certificates[:MAX_CHAIN]]
    hellos = [one for one in session.log.messages if one.type == CLIENT_HELLO and one.role == _CLIENT]
    server_random, hello = _server_hello(session)
    key_share = session.handshake.parameters.public_key
    return PlaceSession(
        id=session.id,
        frame=flow.first_frame,
        key=flow.key,
        at=hellos[0].at if hellos else flow.start,
        end=flow.end,
        client_random=transcript.client_random,
        server_random=server_random,
        hello=hello,
        key_share=hashlib.sha256(key_share).digest() if key_share else b"",
        certificates=None if names is None or None in names else tuple(names),
        issuer=certificates[0]["issuer"] if certificates else None,
        server_name=record["server_name"],
        version=record["version"],
        cipher_suite=record["cipher_suite"],
        ja4=record["ja4"],
    )


def _server_hello(session: Session) -> tuple[bytes, bytes | None]:
    """Return the server random, and a digest of the first ServerHello; None if its bytes are missing or were not kept.

    The bytes behind a HelloRetryRequest are not kept. A renegotiation has another random, which does not count.
    """
    for one in session.log.messages:
        whole = one.type == SERVER_HELLO and one.role == _SERVER and not one.encrypted and len(one.raw) == one.length
        if whole and len(one.raw) >= RANDOM.stop and not is_retry(one.raw):
            return one.raw[RANDOM], hashlib.sha256(one.raw).digest()
    return session.handshake.transcript.server_random, None
