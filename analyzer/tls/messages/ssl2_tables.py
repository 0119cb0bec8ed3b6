"""Tables of the messages of SSL 2.0 (draft-hickman-netscape-ssl-00 section 2), also in hellos that offer later versions.

An SSL 2.0 message has first the lengths of all its parts, and then the parts. A client that offered SSL 3.0 or TLS to a server
which might only know SSL 2.0 sent this form of the hello with the later version in it (RFC 5246 appendix E.2). Its cipher kinds
with a leading zero are cipher suites. The tables begin after the message type, as those of TLS do.
"""

from analyzer.codec.field_tables import Message, described, opaque, u8, u16, u24, vector


class SSL2ClientHello(Message):
    """draft-hickman-netscape-ssl-00 section 2.5 CLIENT-HELLO, RFC 5246 appendix E.2 `V2ClientHello`."""

    version: int = described(u16("versions"), "the version that the client prefers", filter="tls.handshake.version")
    cipher_spec_length: int = described(u16(), "length of the cipher kinds of SSL 2.0", filter="tls.handshake.cipher_spec_len")
    session_id_length: int = described(u16(), "length of the session ID", filter="tls.handshake.session_id_length")
    challenge_length: int = described(u16(), "length of the challenge of SSL 2.0", filter="tls.handshake.challenge_length")
    cipher_specs: list[int] = described(
        vector(0, u24("ssl2_cipher_kinds"), of="cipher_spec_length"),
        "a cipher kind of SSL 2.0",
        filter="tls.handshake.ciphersuites",
        each="tls.ssl2.handshake.cipherspec",
    )
    session_id: bytes = described(opaque(0, of="session_id_length"), "the session ID", filter="tls.handshake.session_id")
    challenge: bytes = described(opaque(0, of="challenge_length"), "the challenge of SSL 2.0", filter="tls.handshake.challenge")


class SSL2ClientMasterKey(Message):
    """draft-hickman-netscape-ssl-00 section 2.5 CLIENT-MASTER-KEY."""

    cipher_kind: int = described(u24("ssl2_cipher_kinds"), "a cipher kind of SSL 2.0", filter="tls.ssl2.handshake.cipherspec")
    clear_key_length: int = described(u16(), "length of the key in the clear", filter="tls.handshake.clear_key_length")
    encrypted_key_length: int = described(u16(), "length of the encrypted key", filter="tls.handshake.encrypted_key_length")
    key_arg_length: int = described(u16(), "length of the key argument", filter="tls.handshake.key_arg_length")
    clear_key_data: bytes = described(
        opaque(0, of="clear_key_length"), "the key in the clear", filter="tls.handshake.clear_key_data"
    )
    encrypted_key_data: bytes = described(
        opaque(0, of="encrypted_key_length"), "the encrypted key", filter="tls.handshake.encrypted_key"
    )
    key_arg_data: bytes = described(opaque(0, of="key_arg_length"), "the key argument", filter="tls.handshake.key_arg")


class SSL2ServerHello(Message):
    """draft-hickman-netscape-ssl-00 section 2.6 SERVER-HELLO."""

    session_id_hit: int = described(u8(), "whether the session is known", filter="tls.handshake.session_id_hit")
    certificate_type: int = described(
        u8("ssl2_certificate_types"), "the type of a certificate of SSL 2.0", filter="tls.ssl2.handshake.cert_type"
    )
    version: int = described(u16("versions"), "the version that the server chose", filter="tls.handshake.version")
    certificate_length: int = described(u16(), "length of the certificate", filter="tls.handshake.certificate_length")
    cipher_specs_length: int = described(u16(), "length of the cipher kinds of SSL 2.0", filter="tls.handshake.cipher_spec_len")
    connection_id_length: int = described(
        u16(), "length of the connection ID of SSL 2.0", filter="tls.handshake.connection_id_length"
    )
    certificate: bytes = described(opaque(0, of="certificate_length"), "the certificate", filter="tls.handshake.certificate")
    cipher_specs: list[int] = described(
        vector(0, u24("ssl2_cipher_kinds"), of="cipher_specs_length"),
        "a cipher kind of SSL 2.0",
        filter="tls.handshake.ciphersuites",
        each="tls.ssl2.handshake.cipherspec",
    )
    connection_id: bytes = described(
        opaque(0, of="connection_id_length"), "the connection ID of SSL 2.0", filter="tls.handshake.connection_id"
    )


class SSL2Error(Message):
    """draft-hickman-netscape-ssl-00 section 2.7 ERROR, the only message that can be sent in plaintext or encrypted."""

    error_code: int = u16("ssl2_error_codes")


class SSL2ClientFinished(Message):
    """draft-hickman-netscape-ssl-00 section 2.5 CLIENT-FINISHED, after decryption."""

    connection_id: bytes = opaque(0)


class SSL2ServerVerify(Message):
    """draft-hickman-netscape-ssl-00 section 2.6 SERVER-VERIFY, after decryption."""

    challenge: bytes = opaque(0)


class SSL2ServerFinished(Message):
    """draft-hickman-netscape-ssl-00 section 2.6 SERVER-FINISHED, after decryption."""

    session_id: bytes = opaque(0)


class SSL2RequestCertificate(Message):
    """draft-hickman-netscape-ssl-00 section 2.6 REQUEST-CERTIFICATE, after decryption."""

    authentication_type: int = u8()
    certificate_challenge: bytes = opaque(0)


class SSL2ClientCertificate(Message):
    """draft-hickman-netscape-ssl-00 section 2.5 CLIENT-CERTIFICATE, after decryption."""

    certificate_type: int = u8("ssl2_certificate_types")
    certificate_length: int = u16()
    response_length: int = u16()
    certificate: bytes = opaque(0, of="certificate_length")
    response: bytes = opaque(0, of="response_length")


SSL2_MESSAGES: dict[int, type[Message]] = {
    0: SSL2Error,
    1: SSL2ClientHello,
    2: SSL2ClientMasterKey,
    3: SSL2ClientFinished,
    4: SSL2ServerHello,
    5: SSL2ServerVerify,
    6: SSL2ServerFinished,
    7: SSL2RequestCertificate,
    8: SSL2ClientCertificate,
}
"""Message type to table; all but 0, 1, 2 and 4 are encrypted."""

PLAINTEXT = frozenset({0, 1, 2, 4})
"""The messages of SSL 2.0 that are not encrypted."""


def ssl2_table(message_type: int) -> type[Message] | None:
    """Return the table of a message in plaintext, from after its type; None for a type that is not sent in plaintext."""
    return SSL2_MESSAGES[message_type] if message_type in PLAINTEXT else None
