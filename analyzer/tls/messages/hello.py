"""Tables of the hellos: HelloRequest, ClientHello, ServerHello, HelloRetryRequest, HelloVerifyRequest (RFC 9846 section 4.2).

A ServerHello has one type number and three layouts. A HelloRetryRequest is marked by its random, the SHA-256 of
"HelloRetryRequest" (RFC 9846 section 4.2.4). In drafts 14 to 21 of TLS 1.3 there is no session id and no compression method;
they are recognized by their version. `server_hello_table` distinguishes the three.
"""

from typing import Any

from analyzer.codec.field_tables import Extension, Message, described, extensions, fixed, opaque, u8, u16, vector
from analyzer.tls.messages.extensions import EXTENSIONS

HELLO_RETRY_REQUEST_RANDOM = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
"""The `random` that makes a ServerHello a HelloRetryRequest: SHA-256("HelloRetryRequest")."""

FIRST_SHORT_DRAFT, LAST_SHORT_DRAFT = 0x7F00, 0x7F15
"""The drafts of TLS 1.3 whose ServerHello has neither session id nor compression method: up to draft 21."""


class HelloRequest(Message):
    """RFC 5246 section 7.4.1.1: `HelloRequest`."""


# Fields that both forms of a ClientHello have. Each form needs its own.


def _legacy_version() -> Any:
    doc = "the highest version that a client up to TLS 1.2 speaks"
    return described(u16("versions"), doc, filter="tls.handshake.version")


def _random() -> Any:
    return described(fixed(32), "32 random bytes", filter="tls.handshake.random")


def _legacy_session_id() -> Any:
    return described(
        opaque(1, high=32),
        "the session that the client wants to resume",
        filter="tls.handshake.session_id",
        size="tls.handshake.session_id_length",
    )


def _cipher_suites() -> Any:
    return described(
        vector(2, u16("cipher_suites"), low=2),
        "a cipher suite that the client offers",
        filter="tls.handshake.ciphersuites",
        size="tls.handshake.cipher_suites_length",
        each="tls.handshake.ciphersuite",
    )


def _legacy_compression_methods() -> Any:
    return described(
        vector(1, u8("compression_methods"), low=1),
        "a compression method that the client offers",
        filter="tls.handshake.comp_methods",
        size="tls.handshake.comp_methods_length",
        each="tls.handshake.comp_method",
    )


def _extensions() -> Any:
    listed = extensions(EXTENSIONS["client_hello"], optional=True)
    return described(listed, "the extensions", size="tls.handshake.extensions_length")


class ClientHello(Message):
    """RFC 9846 section 4.2.2: `ClientHello`, with the same form since SSL 3.0; the extensions may be missing."""

    legacy_version: int = _legacy_version()
    random: bytes = _random()
    legacy_session_id: bytes = _legacy_session_id()
    cipher_suites: list[int] = _cipher_suites()
    legacy_compression_methods: list[int] = _legacy_compression_methods()
    extensions: list[Extension] = _extensions()


class DTLSClientHello(Message):
    """RFC 9147 section 5.3, RFC 6347 section 4.2.1: `ClientHello` of DTLS, with the cookie of a HelloVerifyRequest."""

    legacy_version: int = _legacy_version()
    random: bytes = _random()
    legacy_session_id: bytes = _legacy_session_id()
    legacy_cookie: bytes = described(
        opaque(1),
        "the cookie of the HelloVerifyRequest",
        filter="dtls.handshake.cookie",
        size="dtls.handshake.cookie_length",
    )
    cipher_suites: list[int] = _cipher_suites()
    legacy_compression_methods: list[int] = _legacy_compression_methods()
    extensions: list[Extension] = _extensions()


class ServerHello(Message):
    """RFC 9846 section 4.2.3: `ServerHello`; the extensions may be missing up to TLS 1.2."""

    legacy_version: int = described(
        u16("versions"),
        "the version that a server up to TLS 1.2 chooses",
        filter="tls.handshake.version",
    )
    random: bytes = described(fixed(32), "32 random bytes", filter="tls.handshake.random")
    legacy_session_id_echo: bytes = described(
        opaque(1, high=32),
        "the session that is resumed or begun",
        filter="tls.handshake.session_id",
        size="tls.handshake.session_id_length",
    )
    cipher_suite: int = described(
        u16("cipher_suites"),
        "the cipher suite that the server chooses",
        filter="tls.handshake.ciphersuite",
    )
    legacy_compression_method: int = described(
        u8("compression_methods"),
        "the compression method that the server chooses",
        filter="tls.handshake.comp_method",
    )
    extensions: list[Extension] = described(
        extensions(EXTENSIONS["server_hello"], optional=True),
        "the extensions",
        size="tls.handshake.extensions_length",
    )


class HelloRetryRequest(Message):
    """RFC 9846 section 4.2.4: a `ServerHello` whose random is HELLO_RETRY_REQUEST_RANDOM."""

    legacy_version: int = described(u16("versions"), "0x0303", filter="tls.handshake.version")
    random: bytes = described(fixed(32), "the value that marks a HelloRetryRequest", filter="tls.handshake.random")
    legacy_session_id_echo: bytes = described(
        opaque(1, high=32),
        "the session id of the ClientHello",
        filter="tls.handshake.session_id",
        size="tls.handshake.session_id_length",
    )
    cipher_suite: int = described(
        u16("cipher_suites"),
        "the cipher suite that the server chooses",
        filter="tls.handshake.ciphersuite",
    )
    legacy_compression_method: int = described(u8("compression_methods"), "0", filter="tls.handshake.comp_method")
    extensions: list[Extension] = described(
        extensions(EXTENSIONS["hello_retry_request"]),
        "the extensions",
        size="tls.handshake.extensions_length",
    )


class DraftServerHello(Message):
    """draft-ietf-tls-tls13-21 section 4.1.3: `ServerHello` of the drafts up to 21."""

    version: int = described(u16("versions"), "the draft that the server chooses", filter="tls.handshake.version")
    random: bytes = described(fixed(32), "32 random bytes", filter="tls.handshake.random")
    cipher_suite: int = described(
        u16("cipher_suites"),
        "the cipher suite that the server chooses",
        filter="tls.handshake.ciphersuite",
    )
    extensions: list[Extension] = described(
        extensions(EXTENSIONS["server_hello"], optional=True),
        "the extensions",
        size="tls.handshake.extensions_length",
    )


class DraftHelloRetryRequest(Message):
    """draft-ietf-tls-tls13-21 section 4.1.4: `HelloRetryRequest`, in these drafts a separate message with the number 6."""

    server_version: int = u16("versions")
    cipher_suite: int = u16("cipher_suites")
    extensions: list[Extension] = extensions(EXTENSIONS["hello_retry_request"])


class EarlyDraftHelloRetryRequest(Message):
    """draft-ietf-tls-tls13-18 section 4.1.4: `HelloRetryRequest` of the drafts up to 18, without a cipher suite."""

    server_version: int = u16("versions")
    extensions: list[Extension] = extensions(EXTENSIONS["hello_retry_request"])


class HelloVerifyRequest(Message):
    """RFC 6347 section 4.2.1: `HelloVerifyRequest`, the cookie of DTLS up to 1.2."""

    server_version: int = described(u16("versions"), "a version, which says nothing", filter="tls.handshake.version")
    cookie: bytes = described(
        opaque(1), "the cookie that the client returns", filter="dtls.handshake.cookie", size="dtls.handshake.cookie_length"
    )


def server_hello_table(data: bytes, start: int = 0) -> type[Message]:
    """Return the table of a message of type 2.

    Its body begins at `start`, after its header. For truncated data it is ServerHello.
    """
    if data.startswith(HELLO_RETRY_REQUEST_RANDOM, start + 2):
        return HelloRetryRequest
    if FIRST_SHORT_DRAFT <= int.from_bytes(data[start : start + 2], "big") <= LAST_SHORT_DRAFT:
        return DraftServerHello
    return ServerHello


def hello_retry_request_table(data: bytes, start: int = 0) -> type[Message]:
    """Return the table of a message of type 6 whose body begins at `start`. It has a cipher suite since draft 19."""
    if int.from_bytes(data[start : start + 2], "big") < 0x7F13:
        return EarlyDraftHelloRetryRequest
    return DraftHelloRetryRequest
