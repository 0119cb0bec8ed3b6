"""The numbers that are needed to follow a handshake: message types, extension types, versions. Names are in the registries.

All modules import them from here; in compiled ones they are C variables. Each number of the wire is defined only once.
"""

HELLO_REQUEST, CLIENT_HELLO, SERVER_HELLO, HELLO_VERIFY_REQUEST, NEW_SESSION_TICKET, END_OF_EARLY_DATA = 0, 1, 2, 3, 4, 5
HELLO_RETRY_REQUEST, ENCRYPTED_EXTENSIONS, CERTIFICATE, SERVER_KEY_EXCHANGE, CERTIFICATE_REQUEST = 6, 8, 11, 12, 13
SERVER_HELLO_DONE, CERTIFICATE_VERIFY, CLIENT_KEY_EXCHANGE, FINISHED, CERTIFICATE_URL = 14, 15, 16, 20, 21
CERTIFICATE_STATUS, SUPPLEMENTAL_DATA, KEY_UPDATE, COMPRESSED_CERTIFICATE, NEXT_PROTOCOL = 22, 23, 24, 25, 67
CHANNEL_ID, MESSAGE_HASH, REQUEST_CONNECTION_ID, NEW_CONNECTION_ID = 203, 254, 9, 10
"""Types of handshake messages (registry `handshake_types`)."""

SSL2_CLIENT_HELLO, SSL2_CLIENT_MASTER_KEY, SSL2_SERVER_HELLO = 1, 2, 4
"""Types of messages of SSL 2.0 (registry `ssl2_message_types`)."""

SERVER_NAME, TRUNCATED_HMAC, STATUS_REQUEST, SUPPORTED_GROUPS, POINT_FORMATS, SIGNATURE_ALGORITHMS = 0, 4, 5, 10, 11, 13
SIGNATURE_ALGORITHMS_CERT = 50
ALPN, SIGNED_CERTIFICATE_TIMESTAMP, ENCRYPT_THEN_MAC, EXTENDED_MASTER_SECRET, RECORD_SIZE_LIMIT = 16, 18, 22, 23, 28
SESSION_TICKET, KEY_SHARE_DRAFT, PRE_SHARED_KEY, EARLY_DATA, SUPPORTED_VERSIONS, COOKIE, KEY_SHARE = 35, 40, 41, 42, 43, 44, 51
COMPRESS_CERTIFICATE, ECH_OUTER_EXTENSIONS, ENCRYPTED_CLIENT_HELLO, RENEGOTIATION_INFO = 27, 0xFD00, 0xFE0D, 0xFF01
QUIC_TRANSPORT_PARAMETERS, QUIC_TRANSPORT_PARAMETERS_DRAFT = 57, 0xFFA5
"""Types of extensions (registry `extensions`)."""

SSL2, SSL3, TLS_1_0, TLS_1_2, TLS_1_3 = 0x0002, 0x0300, 0x0301, 0x0303, 0x0304
"""Versions (registry `versions`)."""

TLS_OF_DTLS = {0x0100: 0x0302, 0xFEFF: 0x0302, 0xFEFD: 0x0303, 0xFEFC: 0x0304}
"""The version of TLS on which a version of DTLS is based (RFC 4347, RFC 6347, RFC 9147), by their numbers.

A session keeps the version of TLS, so that all rules are those of TLS; `SessionLog.version` is the number of DTLS.
"""

DTLS_OF_TLS = {0x0302: 0xFEFF, 0x0303: 0xFEFD, 0x0304: 0xFEFC}
"""The reverse."""

HEADER = 4
"""Length in bytes of a handshake message's header: type and length."""

RANDOM = slice(6, 38)
"""Position of the random in a hello, counted from its header."""

SESSION_ID_LENGTH = 38
"""Position of the length of the session id in a hello."""
