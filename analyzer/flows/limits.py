"""Limits: how much of TCP connections and UDP flows is kept, and for how long.

The endpoints decide what they send, so it is untrusted input. What exceeds a limit is given up.
"""

PENDING_BYTES = 4 << 20
"""Bytes that wait behind a hole of one endpoint: twice the largest window seen in practice on a long path with losses."""

PENDING_SEGMENTS = 4096
"""Segments that wait behind a hole of one endpoint."""

PENDING_TOTAL = 64 << 20
"""Bytes that wait behind holes in all connections together. If there are more, the oldest holes are given up."""

SEGMENT_COST = 128
"""Bytes of memory that a kept segment takes in addition to its data. The sums include them: a segment may have one byte."""

LATE_ACKNOWLEDGEMENT = 1_000_000_000
"""Nanoseconds behind a hole after which its receiver lacks the bytes if it has not acknowledged them.

It would acknowledge them at once (RFC 5681 section 4.2), and a round trip is shorter. A capture that ends earlier shows
nothing.
"""

ACKNOWLEDGED_SEGMENTS = 64
"""Segments behind a hole after which it is given up, if the receiver has acknowledged the bytes of the hole.

Then the receiver has the bytes, and they are permanently missing in the capture.
"""

HISTORY_SLOTS = 16
"""Segments of an endpoint that are kept after the reader got them, for comparison with retransmissions."""

HISTORY_TOTAL = 32 << 20
"""Bytes of all such segments together. If there are more, retransmissions are not compared."""

OPEN_CONNECTIONS = 65536
"""Connections that are followed at one time. If there are more, the least recently active quarter is closed."""

HELD_TOTAL = 256 << 20
"""Bytes that the readers of all open connections keep, with what each open session takes beside: some 32,000 sessions of TLS.

If there are more, connections are closed as if there were too many, so that a flood of them stays under 500 MB.
"""

CLOSED_CONNECTIONS = 4096
"""Closed connections that are kept, so that their late packets do not open new connections."""

LINGER_CONNECTIONS = 64
"""Connections with both FINs or an RST that still wait for late packets."""

LINGER = 2_000_000_000
"""Nanoseconds of capture time for which such connections wait."""

RESET_LINGER = 30_000_000_000
"""Nanoseconds of capture time for which a connection with an RST waits, unless somebody is watching live.

An RST can be inserted by somebody on the path, or refused by its receiver (RFC 5961 section 3). Then the connection goes on,
often after a pause.
"""

JUMP = 1 << 16
"""Bytes behind the end of a stream from which on a segment belongs to another connection, whose SYN is not in the capture.

It is also far enough before its first byte. A receiver that has closed takes nothing; only what is near can be meant for it.
"""

LARGEST_CLAIM = 1500
"""Bytes of a SYN in a connection in use that are kept until it is known whether it begins another one."""

FARTHEST_RESET = 1 << 20
"""Bytes ahead of its stream at which an RST can be because segments are missing. Farther ahead its number is only a guess."""

IDLE = 3600 * 1_000_000_000
"""Nanoseconds of capture time without a packet after which a connection is closed."""

RECENT = 256
"""Slots for recent endpoints, which are found without a lookup in the table of all. More connections in a burst are rare."""

SWEEP_PACKETS = 65536
"""Packets between two searches for idle flows. A search visits all flows, so this keeps its cost per packet very small."""

UDP_FLOWS = 65536
"""UDP flows that are followed at one time. They take about 35 MB, without what their readers keep.

If there are more, the least recently active quarter is ended. Each DNS query is a separate flow. So on a busy link, this limit
ends flows before UDP_IDLE does.
"""

UDP_IDLE = 300 * 1_000_000_000
"""Nanoseconds of capture time without a datagram after which a flow is ended.

Address translators should keep a flow for this time (RFC 4787 section 4.3, requirement 5). So applications expect that a silent
flow lasts as long.
"""

LARGEST_STEP, LEAST_COUNTED = 64, 2
"""How far the identification of a packet may be ahead of the last one, and how often in a row, for a counter of one sender."""
