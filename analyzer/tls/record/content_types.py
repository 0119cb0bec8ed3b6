"""Numbers of the record layer that decoding depends on (RFC 9846 section 5.1, RFC 5246 section 6.2).

Their names are in the registry.
"""

CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION_DATA, HEARTBEAT = 20, 21, 22, 23, 24

HEADER = 5
"""Length of a record's header in bytes."""

MAX_RECORD = 16384 + 2048
"""Length of the longest ciphertext that any version allows, in bytes (RFC 5246 section 6.2.3)."""

ENCRYPTED_ALERT_13 = 19
"""Length of a TLS 1.3 record with an alert and no padding: 2 bytes of alert, 1 of type, 16 of tag. A Finished is longer."""

SSL2 = 0x0002
"""The version of a record with a header of SSL 2.0 (draft-hickman-netscape-ssl-00)."""

SSL2_CLIENT_HELLO = 1
"""The first byte of an SSL 2.0 record that contains a CLIENT-HELLO."""

LENGTH_OF_ALERT = 2
"""Bytes of an alert in plaintext: level and description. With any cipher there are more of them (RFC 5246 section 6.2.3)."""
