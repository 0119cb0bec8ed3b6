"""Tables of the messages of SSL 2.0 (draft-hickman-netscape-ssl-00 section 2), also in hellos that offer later versions.

An SSL 2.0 message has first the lengths of all its parts, and then the parts. A client that offered SSL 3.0 or TLS to a server
which might only know SSL 2.0 sent this form of the hello with the later version in it (RFC 5246 appendix E.2). Its cipher kinds
with a leading zero are cipher suites. The tables begin after the message type, as those of TLS do.
"""

from analyzer.codec.field_tables import Message, opaque, u8, u16, u24, vector


class SSL2ClientHello(Message):
    """draft-hickman-netscape-ssl-00 section 2.5 CLIENT-HELLO, RFC 5246 appendix E.2 `V2ClientHello`."""

    version: int = u16("versions")
    cipher_spec_length: int = u16()
    session_id_length: int = u16()
    challenge_length: int = u16()
    cipher_specs: list[int] = vector(0, u24("ssl2_cipher_kinds"), of="cipher_spec_length")
    session_id: bytes = opaque(0, of="session_id_length")
    challenge: bytes = opaque(0, of="challenge_length")


class SSL2ClientMasterKey(Message):
    """draft-hickman-netscape-ssl-00 section 2.5 CLIENT-MASTER-KEY."""

    cipher_kind: int = u24("ssl2_cipher_kinds")
    clear_key_length: int = u16()
    encrypted_key_length: int = u16()
    key_arg_length: int = u16()
    clear_key_data: bytes = opaque(0, of="clear_key_length")
    encrypted_key_data: bytes = opaque(0, of="encrypted_key_length")
    key_arg_data: bytes = opaque(0, of="key_arg_length")


class SSL2ServerHello(Message):
    """draft-hickman-netscape-ssl-00 section 2.6 SERVER-HELLO."""

    session_id_hit: int = u8()
    certificate_type: int = u8("ssl2_certificate_types")
    version: int = u16("versions")
    certificate_length: int = u16()
    cipher_specs_length: int = u16()
    connection_id_length: int = u16()
    certificate: bytes = opaque(0, of="certificate_length")
    cipher_specs: list[int] = vector(0, u24("ssl2_cipher_kinds"), of="cipher_specs_length")
    connection_id: bytes = opaque(0, of="connection_id_length")


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
