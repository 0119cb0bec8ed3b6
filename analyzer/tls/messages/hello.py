"""The hellos: HelloRequest, ClientHello, ServerHello, HelloRetryRequest, HelloVerifyRequest (RFC 9846 section 4.2).

A ServerHello has one type number and three layouts: RFC 9846 section 4.2.4 marks a HelloRetryRequest by its random, which is
the SHA-256 of "HelloRetryRequest", and the drafts 14 to 21 of TLS 1.3 leave out the session id and the compression method and
say so by their version. `server_hello_table` tells them apart.
"""

from analyzer.codec.field_tables import Extension, Message, extensions, fixed, opaque, u8, u16, vector
from analyzer.tls.messages.extensions import EXTENSIONS

HELLO_RETRY_REQUEST_RANDOM = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
"""The `random` that makes a ServerHello a HelloRetryRequest: SHA-256("HelloRetryRequest")."""

FIRST_SHORT_DRAFT, LAST_SHORT_DRAFT = 0x7F00, 0x7F15
"""The drafts of TLS 1.3 whose ServerHello has neither session id nor compression method: until draft 21."""


class HelloRequest(Message):
    """RFC 5246 section 7.4.1.1: `HelloRequest`."""


class ClientHello(Message):
    """RFC 9846 section 4.2.2: `ClientHello`, which has had this form since SSL 3.0; the extensions may be missing."""

    legacy_version: int = u16("versions")
    random: bytes = fixed(32)
    legacy_session_id: bytes = opaque(1, high=32)
    cipher_suites: list[int] = vector(2, u16("cipher_suites"), low=2)
    legacy_compression_methods: list[int] = vector(1, u8("compression_methods"), low=1)
    extensions: list[Extension] = extensions(EXTENSIONS["client_hello"], optional=True)


class DTLSClientHello(Message):
    """RFC 9147 section 5.3, RFC 6347 section 4.2.1: `ClientHello` of DTLS, with the cookie of a HelloVerifyRequest."""

    legacy_version: int = u16("versions")
    random: bytes = fixed(32)
    legacy_session_id: bytes = opaque(1, high=32)
    legacy_cookie: bytes = opaque(1)
    cipher_suites: list[int] = vector(2, u16("cipher_suites"), low=2)
    legacy_compression_methods: list[int] = vector(1, u8("compression_methods"), low=1)
    extensions: list[Extension] = extensions(EXTENSIONS["client_hello"], optional=True)


class ServerHello(Message):
    """RFC 9846 section 4.2.3: `ServerHello`; the extensions may be missing until TLS 1.2."""

    legacy_version: int = u16("versions")
    random: bytes = fixed(32)
    legacy_session_id_echo: bytes = opaque(1, high=32)
    cipher_suite: int = u16("cipher_suites")
    legacy_compression_method: int = u8("compression_methods")
    extensions: list[Extension] = extensions(EXTENSIONS["server_hello"], optional=True)


class HelloRetryRequest(Message):
    """RFC 9846 section 4.2.4: a `ServerHello` whose random is HELLO_RETRY_REQUEST_RANDOM."""

    legacy_version: int = u16("versions")
    random: bytes = fixed(32)
    legacy_session_id_echo: bytes = opaque(1, high=32)
    cipher_suite: int = u16("cipher_suites")
    legacy_compression_method: int = u8("compression_methods")
    extensions: list[Extension] = extensions(EXTENSIONS["hello_retry_request"])


class DraftServerHello(Message):
    """draft-ietf-tls-tls13-21 section 4.1.3: `ServerHello` of the drafts until 21."""

    version: int = u16("versions")
    random: bytes = fixed(32)
    cipher_suite: int = u16("cipher_suites")
    extensions: list[Extension] = extensions(EXTENSIONS["server_hello"], optional=True)


class DraftHelloRetryRequest(Message):
    """draft-ietf-tls-tls13-21 section 4.1.4: `HelloRetryRequest`, then a message of its own with the number 6."""

    server_version: int = u16("versions")
    cipher_suite: int = u16("cipher_suites")
    extensions: list[Extension] = extensions(EXTENSIONS["hello_retry_request"])


class EarlyDraftHelloRetryRequest(Message):
    """draft-ietf-tls-tls13-18 section 4.1.4: `HelloRetryRequest` of the drafts until 18, which names no cipher suite."""

    server_version: int = u16("versions")
    extensions: list[Extension] = extensions(EXTENSIONS["hello_retry_request"])


class HelloVerifyRequest(Message):
    """RFC 6347 section 4.2.1: `HelloVerifyRequest`, the cookie of DTLS until 1.2."""

    server_version: int = u16("versions")
    cookie: bytes = opaque(1)


def server_hello_table(data: bytes, start: int = 0) -> type[Message]:
    """The table of a message of type 2 whose body begins at `start`, behind its header; of short data, ServerHello."""
    if data.startswith(HELLO_RETRY_REQUEST_RANDOM, start + 2):
        return HelloRetryRequest
    if FIRST_SHORT_DRAFT <= int.from_bytes(data[start : start + 2], "big") <= LAST_SHORT_DRAFT:
        return DraftServerHello
    return ServerHello


def hello_retry_request_table(data: bytes, start: int = 0) -> type[Message]:
    """The table of a message of type 6 whose body begins at `start`: the cipher suite came with draft 19."""
    if int.from_bytes(data[start : start + 2], "big") < 0x7F13:
        return EarlyDraftHelloRetryRequest
    return DraftHelloRetryRequest
