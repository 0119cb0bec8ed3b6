"""The numbers of the record layer that decoding hangs on (RFC 9846 section 5.1, RFC 5246 section 6.2); names: the registry."""

CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION_DATA, HEARTBEAT = 20, 21, 22, 23, 24

HEADER = 5
"""Bytes of a record's header."""

MAX_RECORD = 16384 + 2048
"""The longest ciphertext that any version allows (RFC 5246 section 6.2.3)."""
