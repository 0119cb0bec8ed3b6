"""Selects the table of a handshake message: by its type, the version, and for a key exchange the cipher suite.

Before the ServerHello no version is agreed on; the messages up to there have a form that does not depend on it. The numbers of
the messages are in RFC 9846 section 4 and in the registry `handshake_types`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.codec.field_tables import Message
from analyzer.tls.messages import certificate_tables, finish, hello, key_exchange_tables
from analyzer.tls.messages.hello import (
    HELLO_RETRY_REQUEST_RANDOM,
    ServerHello,
    hello_retry_request_table,
    server_hello_table,
)
from analyzer.tls.suites import Suite

if TYPE_CHECKING:
    import cython

SSL_3_0 = 0x0300
TLS_1_2 = 0x0303

DER_SEQUENCE = 0x30

RETRY = HELLO_RETRY_REQUEST_RANDOM[0]

SSL_3_0_HANDSHAKES: dict[int, type[Message]] = {
    0: hello.HelloRequest,
    1: hello.ClientHello,
    3: hello.HelloVerifyRequest,
    4: finish.NewSessionTicket,
    11: certificate_tables.Certificate,
    13: certificate_tables.CertificateRequest,
    14: finish.ServerHelloDone,
    15: certificate_tables.CertificateVerify,
    20: finish.Finished,
    21: certificate_tables.CertificateURL,
    22: certificate_tables.CertificateStatus,
    23: finish.SupplementalData,
    25: certificate_tables.CompressedCertificate,
    26: finish.EKTKey,
    67: finish.NextProtocol,
    203: finish.ChannelID,
    254: finish.MessageHash,
}
"""Handshake type to table from SSL 3.0 to TLS 1.1."""

TLS_1_2_HANDSHAKES: dict[int, type[Message]] = SSL_3_0_HANDSHAKES | {
    13: certificate_tables.CertificateRequest12,
    15: certificate_tables.CertificateVerify12,
}
"""Handshake type to table in TLS 1.2."""

TLS_1_3_HANDSHAKES: dict[int, type[Message]] = {
    1: hello.ClientHello,
    4: finish.NewSessionTicket13,
    5: finish.EndOfEarlyData,
    8: finish.EncryptedExtensions,
    9: finish.RequestConnectionId,
    10: finish.NewConnectionId,
    11: certificate_tables.Certificate13,
    13: certificate_tables.CertificateRequest13,
    15: certificate_tables.CertificateVerify12,
    17: certificate_tables.CertificateRequest13,
    20: finish.Finished,
    23: finish.SupplementalData,
    24: finish.KeyUpdate,
    25: certificate_tables.CompressedCertificate,
    26: finish.EKTKey,
    203: finish.ChannelID,
    254: finish.MessageHash,
}
"""Handshake type to table in TLS 1.3."""

HANDSHAKES: dict[int, dict[int, type[Message]]] = {
    0x0300: SSL_3_0_HANDSHAKES,
    0x0301: SSL_3_0_HANDSHAKES,
    0x0302: SSL_3_0_HANDSHAKES,
    0x0303: TLS_1_2_HANDSHAKES,
    0x0304: TLS_1_3_HANDSHAKES,
    0x0100: SSL_3_0_HANDSHAKES,  # DTLS 1.0 as OpenSSL had it before the RFC
    0xFEFF: SSL_3_0_HANDSHAKES,
    0xFEFD: TLS_1_2_HANDSHAKES,
    0xFEFC: TLS_1_3_HANDSHAKES,
}
"""Version on the wire to the tables of that version."""

SERVER_KEY_EXCHANGES: dict[str, tuple[type[Message], type[Message], type[Message]]] = {
    "RSA": (
        key_exchange_tables.RSAServerKeyExchange,
        key_exchange_tables.RSAServerKeyExchange,
        key_exchange_tables.RSAServerKeyExchange12,
    ),
    "DH": (
        key_exchange_tables.DHServerKeyExchange,
        key_exchange_tables.DHEServerKeyExchange,
        key_exchange_tables.DHEServerKeyExchange12,
    ),
    "DHE": (
        key_exchange_tables.DHServerKeyExchange,
        key_exchange_tables.DHEServerKeyExchange,
        key_exchange_tables.DHEServerKeyExchange12,
    ),
    "ECDH": (
        key_exchange_tables.ECDHServerKeyExchange,
        key_exchange_tables.ECDHEServerKeyExchange,
        key_exchange_tables.ECDHEServerKeyExchange12,
    ),
    "ECDHE": (
        key_exchange_tables.ECDHServerKeyExchange,
        key_exchange_tables.ECDHEServerKeyExchange,
        key_exchange_tables.ECDHEServerKeyExchange12,
    ),
    "SRP": (
        key_exchange_tables.SRPServerKeyExchange,
        key_exchange_tables.SignedSRPServerKeyExchange,
        key_exchange_tables.SignedSRPServerKeyExchange12,
    ),
    "PSK": (key_exchange_tables.PSKServerKeyExchange,) * 3,
    "RSA_PSK": (key_exchange_tables.PSKServerKeyExchange,) * 3,
    "DHE_PSK": (key_exchange_tables.DHEPSKServerKeyExchange,) * 3,
    "ECDHE_PSK": (key_exchange_tables.ECDHEPSKServerKeyExchange,) * 3,
    "ECCPWD": (key_exchange_tables.ECCPWDServerKeyExchange,) * 3,
}
"""Key exchange to three forms of ServerKeyExchange: without a signature, with one up to TLS 1.1, with one in TLS 1.2."""

CLIENT_KEY_EXCHANGES: dict[str, type[Message]] = {
    "RSA": key_exchange_tables.RSAClientKeyExchange,
    "DH": key_exchange_tables.DHClientKeyExchange,
    "DHE": key_exchange_tables.DHClientKeyExchange,
    "ECDH": key_exchange_tables.ECDHClientKeyExchange,
    "ECDHE": key_exchange_tables.ECDHClientKeyExchange,
    "SRP": key_exchange_tables.SRPClientKeyExchange,
    "PSK": key_exchange_tables.PSKClientKeyExchange,
    "RSA_PSK": key_exchange_tables.RSAPSKClientKeyExchange,
    "DHE_PSK": key_exchange_tables.DHEPSKClientKeyExchange,
    "ECDHE_PSK": key_exchange_tables.ECDHEPSKClientKeyExchange,
    "ECCPWD": key_exchange_tables.ECCPWDClientKeyExchange,
    "KRB5": key_exchange_tables.KerberosWrapper,
}
"""Key exchange to the ClientKeyExchange."""

KNOWN: dict[tuple[int, int, str], Any] = {}

REMEMBERED = 4096
"""Limit of cached tables, by type, version and suite. Real sessions need a few hundred."""

UNSIGNED = frozenset({"anon", "SRP"})
"""Authentication methods without a signature, for key exchanges that can also have one."""

CERTIFICATE_TYPES: dict[int, type[Message]] = {
    0: certificate_tables.Certificate,
    1: certificate_tables.OpenPGPCertificate,
    2: certificate_tables.RawPublicKeyCertificate,
}
"""Certificate type to the form of Certificate up to TLS 1.2."""


def table_of(number: cython.int, version: cython.int, suite: Any, raw: bytes) -> Any:
    """Return the same as `table_for`, for a message with its header. What depends only on the numbers is cached."""
    if number == 2:
        # Most have neither the version of a draft nor the random of a retry.
        return ServerHello if len(raw) > 6 and raw[4] == 3 and raw[6] != RETRY else server_hello_table(raw, 4)
    if number == 6 or (number == 11 and len(raw) > 7 and raw[7] == DER_SEQUENCE):
        return table_for(number, version, suite, raw)
    key = (number, version, "" if suite is None else suite.name)
    table = KNOWN.get(key)
    if table is None:
        table = table_for(number, version, suite, raw)
        if len(KNOWN) >= REMEMBERED:
            KNOWN.clear()
        KNOWN[key] = table
    return table


def table_for(
    handshake_type: int,
    version: int | None = None,
    suite: Suite | None = None,
    data: bytes = b"",
    start: int = 4,
    *,
    dtls: bool = False,
    certificate_type: int = 0,
) -> type[Message] | None:
    """Return the table of a handshake message's body; None for a type that has none in this version.

    version: the negotiated one as on the wire (0x0300 to 0x0304, or of DTLS; a draft of TLS 1.3 as 0x0304), None or 0 before
    the ServerHello. suite: the negotiated one. data, start: the message, and where its body begins after the header; types 2
    and 6 have several layouts, which only the bytes distinguish. certificate_type: what the hellos agreed on for the sender of
    a Certificate (RFC 7250); with 0 the bytes decide whether it is a raw public key.
    """
    if handshake_type == 2:
        return server_hello_table(data, start)
    if handshake_type == 6:
        return hello_retry_request_table(data, start)
    if dtls and handshake_type == 1:
        return hello.DTLSClientHello
    tables = HANDSHAKES.get(version or TLS_1_2, TLS_1_2_HANDSHAKES)
    table = tables.get(handshake_type)
    if table is None and tables is not TLS_1_3_HANDSHAKES:
        if handshake_type == 12:
            return server_key_exchange_table(tables, suite)
        if handshake_type == 16:
            return client_key_exchange_table(version, suite)
    elif table is certificate_tables.Certificate:
        if certificate_type:
            return CERTIFICATE_TYPES.get(certificate_type)
        # After the first length there is a second length, whose first byte is 0 in lists under four megabytes, or a sequence.
        if len(data) - start > 3 and data[start + 3] == DER_SEQUENCE:
            return certificate_tables.RawPublicKeyCertificate
    return table


def server_key_exchange_table(tables: dict[int, type[Message]], suite: Suite | None) -> type[Message]:
    """Return the table of a ServerKeyExchange, for the version that has these tables."""
    forms = SERVER_KEY_EXCHANGES.get(suite.key_exchange) if suite is not None else None
    if forms is None or suite is None:
        return key_exchange_tables.OpaqueKeyExchange
    if suite.authentication in UNSIGNED:
        return forms[0]
    return forms[2 if tables is TLS_1_2_HANDSHAKES else 1]


def client_key_exchange_table(version: int | None, suite: Suite | None) -> type[Message]:
    """Return the table of a ClientKeyExchange."""
    name = suite.key_exchange if suite is not None else ""
    if version == SSL_3_0 and name == "RSA":
        return key_exchange_tables.SSL3RSAClientKeyExchange
    return CLIENT_KEY_EXCHANGES.get(name, key_exchange_tables.OpaqueKeyExchange)
