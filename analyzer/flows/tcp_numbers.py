"""Numbers of the TCP header (RFC 9293 section 3.1): its flags, and how sequence numbers count."""

FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10

WORD = 0xFFFFFFFF
"""Sequence numbers count modulo 2^32 (RFC 9293 section 3.4): `number & WORD` is the number on the wire."""

HALF_WORD = 0x80000000
"""A difference modulo 2^32 below this one is ahead, any other is behind."""
