"""Gives a listener only what is in a part of the capture: chosen sessions, connections and frames.

Sessions that are left out are still told to the chains, so that verdicts are those of the whole capture.
"""

from collections.abc import Callable, Sequence
from typing import Any

from analyzer.capture.frame import Frame
from analyzer.cli.sharing import SharedListener
from analyzer.engine import Listener
from analyzer.engine.capture_events import PlainHttp
from analyzer.engine.failed_connections import ConnectionFailed
from analyzer.engine.other_traffic import OtherTraffic
from analyzer.packet.packet import Packet
from analyzer.store.chain_verdicts import CLIENT, SERVER, Chains
from analyzer.store.part import Part
from analyzer.store.session_record import endpoint_record
from analyzer.tls.events import Event, SessionEnded

Wanted = Callable[[Packet, Frame], bool]
"""Returns whether a frame is in the part."""


def ends_of(event: ConnectionFailed | OtherTraffic) -> dict[str, Any]:
    """Return the sides of a connection without TLS, and what its client asked a proxy for, as `Part.has_ends` takes them."""
    before = event.before if isinstance(event, ConnectionFailed) else ()
    return {"client": endpoint_record(event.key, CLIENT), "server": endpoint_record(event.key, SERVER), "before": before}


class PartListener(SharedListener):
    """Passes the sessions of a part on to another listener, and its frames."""

    def __init__(self, listener: Listener, part: Part, chains: Chains | None = None, wanted: Wanted | None = None) -> None:
        """chains: get the certificates of the sessions that are left out. wanted: which frames are passed on; None for all."""
        self.sees_packets = listener.sees_packets
        self._listener = listener
        self._part = part
        self._chains = chains
        self._wanted = wanted
        self._leave_out: Callable[[int], None] | None = getattr(listener, "leave_out", None)

    def packet(self, packet: Packet, frame: Frame, events: Sequence[Event]) -> None:
        """See `Listener.packet`."""
        if self._wanted is None or self._wanted(packet, frame):
            self._listener.packet(packet, frame, events)

    def take(self, events: Sequence[Event]) -> None:
        """See `Listener.take`."""
        for event in events:
            if isinstance(event, SessionEnded) and not self._part.has_session(event.ended):
                if self._chains is not None:
                    self._chains.add_certificates(event.ended)
                if self._leave_out is not None:
                    self._leave_out(event.ended.id)
            elif isinstance(event, PlainHttp):
                if self._part.has_connection(event.key):
                    self._listener.take((event,))
            elif not isinstance(event, ConnectionFailed | OtherTraffic) or self._has_connection(event):
                self._listener.take((event,))

    def end_turn(self) -> None:
        """See `Listener.end_turn`."""
        self._listener.end_turn()

    def close(self) -> None:
        """See `Listener.close`."""
        self._listener.close()

    def _has_connection(self, event: ConnectionFailed | OtherTraffic) -> bool:
        """Return whether a connection without TLS was in the part, at least partly."""
        if not self._part.has_ends(ends_of(event)) or not self._part.has_connection(event.key):
            return False
        lasted = event.outcome["durations"]["total"] if isinstance(event, ConnectionFailed) else None
        first = event.at - round((lasted or 0) * 1_000_000_000)
        return self._part.has_span(first, event.at)
