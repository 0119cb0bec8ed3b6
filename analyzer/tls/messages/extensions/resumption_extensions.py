"""Extensions of resumption and early data: pre-shared keys, tickets, cookies (RFC 9846 sections 4.3.2 to 4.3.11)."""

from analyzer.codec.field_tables import Message, described, opaque, struct, u8, u16, u32, vector
from analyzer.tls.messages.extensions.places import ANSWER, empty, extension


class PskIdentity(Message):
    """RFC 9846 section 4.3.11: `PskIdentity`."""

    identity: bytes = described(
        opaque(2, low=1),
        "a ticket or pre-shared key that the client offers",
        filter="tls.handshake.extensions.psk.identity.identity",
        size="tls.handshake.extensions.psk.identity.identity_length",
    )
    obfuscated_ticket_age: int = described(
        u32(),
        "the hidden age of the ticket",
        filter="tls.handshake.extensions.psk.identity.obfuscated_ticket_age",
    )


@extension(41, "client_hello")
class OfferedPsks(Message):
    """RFC 9846 section 4.3.11: `OfferedPsks`; one binder for each identity, in the same order."""

    identities: list[PskIdentity] = described(
        vector(2, struct(PskIdentity), low=7),
        "the offers",
        size="tls.handshake.extensions.psk.identities.length",
    )
    binders: list[bytes] = described(
        vector(2, opaque(1, low=32), low=33),
        "proves that the client has the key",
        filter="tls.handshake.extensions.psk.binders",
        size="tls.handshake.extensions.psk.binders_len",
        each="tls.handshake.extensions.psk.binder.binder",
        each_size="tls.handshake.extensions.psk.binder.binder_length",
    )


@extension(41, "server_hello")
class SelectedIdentity(Message):
    """RFC 9846 section 4.3.11: `PreSharedKeyExtension` of a ServerHello: an index into the client's identities."""

    selected_identity: int = described(
        u16(),
        "which of the offers the server accepts",
        filter="tls.handshake.extensions.psk.identity.selected",
    )


@extension(42, "new_session_ticket")
@extension(46, "new_session_ticket")
class EarlyDataIndication(Message):
    """RFC 9846 section 4.3.10: `EarlyDataIndication` of a ticket (46 was ticket_early_data_info of drafts before 19)."""

    max_early_data_size: int = described(
        u32(),
        "bytes of early data that are allowed",
        filter="tls.early_data.max_early_data_size",
    )


empty(42, "client_hello", "encrypted_extensions")


@extension(44, "client_hello", "hello_retry_request")
class Cookie(Message):
    """RFC 9846 section 4.3.2: `Cookie`."""

    cookie: bytes = described(
        opaque(2, low=1),
        "a cookie of the server",
        filter="tls.handshake.extensions.cookie",
        size="tls.handshake.extensions.cookie_len",
    )


@extension(35, "client_hello", *ANSWER)
class SessionTicket(Message):
    """RFC 5077 section 3.2: the ticket itself, without its own length field.

    It is empty in a request for a ticket, and in the server's promise to send one.
    """

    ticket: bytes = described(
        opaque(0),
        "the ticket that the client has",
        filter="tls.handshake.extensions.session_ticket",
    )


@extension(58, "client_hello")
class ClientTicketRequest(Message):
    """RFC 9149 section 2: `ClientTicketRequest`."""

    new_session_count: int = u8()
    resumption_count: int = u8()


@extension(58, "encrypted_extensions")
class ServerTicketRequestHint(Message):
    """RFC 9149 section 2: `ServerTicketRequestHint`."""

    expected_count: int = u8()


@extension(32, "client_hello")
class PinningTicketClientHello(Message):
    """RFC 8672 section 3: `PinningTicketExtension` of a ClientHello."""

    ticket: bytes | None = opaque(2, optional=True)


@extension(32, "encrypted_extensions")
class PinningTicketServerHello(Message):
    """RFC 8672 section 3: `PinningTicketExtension` of the server; the lifetime in seconds."""

    proof: bytes = opaque(1)
    ticket: bytes = opaque(2)
    lifetime: int = u32()


empty(33, "client_hello", "server_hello")
