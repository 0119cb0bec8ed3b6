"""Flows: a connection or an exchange of datagrams, with the addresses of its client and server.

In the layers below, packets have sides: 0 for the originator, 1 for the responder. In the layers above, everything has roles:
0 for the client, 1 for the server. A side becomes a role only where a `Flow` is created, by the code that has detected which
side is the client.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.codec.byte_slices import slice_bytes
from analyzer.packet.addresses import endpoints

if TYPE_CHECKING:
    import cython

CLIENT, SERVER = 0, 1
"""Roles."""

TCP, UDP = 6, 17


NO_ERRORS: tuple[Any, ...] = ((), ())

NONE = (0, 0)
"""The numbers of a flow of which nothing came again and nothing was lost on the path."""


class Flow:
    """One connection or exchange of datagrams.

    protocol: 6 TCP, 17 UDP, 0 EAP. key: addresses and ports, as in a packet from client to server (`Packet.key`); hardware
    addresses with ports of 0 where there is no IP. first_frame,
    last_frame: of its packets; start, end: their times in nanoseconds since the epoch, -1 if the capture has no times.
    mid_stream: whether the flow began before the capture, and before what shows its roles; late: whether the capture lacks its
    beginning, for TCP the SYN. closed: why it ended, "" while it is open: `fin`, `rst`, `reused`, `idle`, `evicted`, `end` (of
    the capture), or `closed` by both sides before another session on the same connection. limited: number of holes that were
    given up because more waited behind them than the limits allow. resent: by role, how many segments came again; copies:
    packets that the capture had already (`packet_copies`), counted nowhere else. unacknowledged: by role, how many of the
    missing bytes the peer never acknowledged, so that the path lost them. unseen: roles of which the capture has no packet,
    bit 0 the client, bit 1 the server. process: the local process of the flow, with
    a method `record`; None if it is not known. No packet says this. It comes from blocks of the capture, or from a listener
    that asks the system when the session begins. before: what came before TLS, with `pieces` and `cut`; None if nothing did.
    ending: how it ended on the wire (`ending.Ending`); None where a session ended and its connection went on, and without TCP.
    path_errors: by role, the ICMP errors about its datagrams (`path_errors.PathError`); those of TCP are in `ending`.
    carrier: what carries it where that is no connection of its own; None for TCP and UDP (`carrier.Carrier`).
    capture: the path of the file of the first frame, and its number there, None in a run of one file; None if there is no file.
    `last_frame`, `end`, `closed`, `limited`, `copies`, `resent`, `unacknowledged` and `unseen` are set when the flow ends.
    """

    __slots__ = (
        "before", "capture", "carrier", "closed", "copies", "end", "ending", "first_frame", "key", "last_frame", "late",
        "limited", "mid_stream", "path_errors", "process", "protocol", "resent", "start", "unacknowledged", "unseen",
    )  # fmt: skip

    def __init__(
        self,
        protocol: cython.int,
        key: bytes,
        first_frame: cython.longlong,
        start: cython.longlong,
        mid_stream: cython.bint = False,
    ) -> None:
        self.protocol = protocol
        self.key = key
        self.first_frame = first_frame
        self.start = start
        self.mid_stream = mid_stream
        self.last_frame = 0
        self.end = 0
        self.closed = ""
        self.limited = 0
        self.copies = 0
        self.unseen = 0
        self.late = mid_stream
        self.resent = NONE
        self.unacknowledged = NONE
        self.process: Any = None
        self.before: Any = None
        self.ending: Any = None
        self.capture: tuple[str, int | None] | None = None
        self.carrier: Any = None
        self.path_errors: tuple[Any, ...] = NO_ERRORS

    @property
    def client(self) -> tuple[str, int]:
        """Address and port of the client."""
        return endpoints(self.key)[CLIENT]

    @property
    def server(self) -> tuple[str, int]:
        """Address and port of the server."""
        return endpoints(self.key)[SERVER]

    def client_key(self) -> bytes:
        """Return the address of the client as bytes. They are the same for all flows from that client."""
        return slice_bytes(self.key, 0, (len(self.key) - 4) >> 1)

    def server_key(self) -> bytes:
        """Return address and port of the server as bytes. They are the same for all flows to that server."""
        key: bytes = self.key
        n_addresses: cython.Py_ssize_t = len(key) - 4
        return slice_bytes(key, n_addresses >> 1, n_addresses) + slice_bytes(key, n_addresses + 2, n_addresses + 4)
