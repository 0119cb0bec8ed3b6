"""What an envoy tells the process that has a session: a flat list, of all that happened its word and then what is named here.

The lowest bits of the word say what it is, the next one the side. A list of so many small things is quickest to write and to
read as one: nearly all are whole records.
"""

KINDS, SIDE, TYPE, VERSION = 0x0F, 4, 5, 13
"""The bits that say what it is; from which bit on the side, and of a record its content type and its version stand."""

RECORD = 0
"""A whole record: the session's number, frame, at, body."""

PART = 1
"""A record that is not whole, or was not wanted: the same, then length and missing."""

BEGIN = 2
"""A new session: number, client, the key of the connection's opener, first frame, start, mid_stream."""

FINISH = 3
"""The connection has ended: number, frame, at, reason, limited, which is as in `streams.tcp.Connection`."""

STOP = 4
"""Nothing more of a side comes: number, frame, at."""

LOST = 5
"""Records are missing: number, frame, at."""

VIOLATION = 6
"""No record begins: number, frame, offset, why."""

LACKS = 7
"""Bytes are missing: number, frame, offset, length."""

CONFLICT = 8
"""Two segments disagree: number, frame, offset, first, second."""
