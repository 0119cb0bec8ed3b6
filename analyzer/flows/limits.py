"""How much of TCP connections and UDP flows is kept, and for how long.

Peers decide what they send; what is beyond a limit is given up.
"""

PENDING_BYTES = 4 << 20
"""Bytes that wait behind a hole of one side: twice the largest window seen in practice on a lossy long path."""

PENDING_SEGMENTS = 4096
"""Segments that wait behind a hole of one side."""

PENDING_TOTAL = 64 << 20
"""Bytes that wait behind holes in all connections together; beyond it the oldest holes are given up."""

SEGMENT_COST = 128
"""Bytes of memory that a kept segment takes beside its data; the sums count them, since a segment may hold a single byte."""

ACKNOWLEDGED_SEGMENTS = 64
"""Once the receiver has acknowledged the bytes of a hole, the capture lacks them for good; this many later segments show it."""

HISTORY_SLOTS = 16
"""Segments of a side that are kept after they were handed on, to compare retransmissions with."""

HISTORY_TOTAL = 32 << 20
"""Bytes of all such segments together; beyond it retransmissions go uncompared."""

OPEN_CONNECTIONS = 65536
"""Connections that are followed at one moment; the least recently active quarter is closed when there are more."""

HELD_TOTAL = 1 << 30
"""Bytes that the readers of all open connections keep; beyond it connections are closed as if there were too many."""

CLOSED_CONNECTIONS = 4096
"""Ended connections that are remembered, so that their late packets don't open new ones."""

LINGER_CONNECTIONS = 64
"""Connections that have seen both FINs or an RST and still wait for stragglers."""

LINGER = 2_000_000_000
"""Nanoseconds of capture time for which they wait."""

IDLE = 3600 * 1_000_000_000
"""Nanoseconds of capture time without a packet after which a connection is closed out."""

RECENT = 256
"""Places for halves that are found without a look at all; bursts of that many connections at once are rare."""

SWEEP_PACKETS = 65536
"""Packets after which idle flows are looked for: walking over all of them then costs next to nothing a packet."""

UDP_FLOWS = 65536
"""UDP flows that are followed at one moment, some 35 MB without what their readers keep; the least recently active quarter is
ended when there are more. Each DNS query is a flow of its own: on a busy link this limit ends flows before UDP_IDLE does."""

UDP_IDLE = 300 * 1_000_000_000
"""Nanoseconds of capture time without a datagram after which a flow is ended: as long as translators of addresses should keep
one (RFC 4787 section 4.3, requirement 5), and so as long as applications expect a silent flow to last."""
