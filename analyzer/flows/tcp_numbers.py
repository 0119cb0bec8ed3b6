"""Numbers of the TCP header (RFC 9293 section 3.1): its flags, and the arithmetic of sequence numbers."""

FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10

WORD = 0xFFFFFFFF
"""Sequence numbers are modulo 2^32 (RFC 9293 section 3.4): `number & WORD` is the number on the wire."""

HALF_WORD = 0x80000000
"""A difference modulo 2^32 that is less than this means a later position; any other difference means an earlier one."""
