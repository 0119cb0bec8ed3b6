"""Tables of the messages at the end of a handshake and after it: Finished, tickets, key updates, supplemental data.

See RFC 9846 sections 4.4 to 4.7, RFC 5246 section 7.4, and the RFCs in the docstrings.
"""

from analyzer.codec.field_tables import (
    Extension,
    Message,
    described,
    extensions,
    fixed,
    opaque,
    select,
    sized,
    struct,
    u8,
    u16,
    u24,
    u32,
    vector,
)
from analyzer.tls.messages.extensions import EXTENSIONS


class ServerHelloDone(Message):
    """RFC 5246 section 7.4.5: `ServerHelloDone`."""


class Finished(Message):
    """RFC 9846 section 4.5.3: `Finished`: 12 bytes up to TLS 1.2, 36 in SSL 3.0, the length of the hash in TLS 1.3."""

    verify_data: bytes = described(
        opaque(0),
        "proves that both sides saw the same handshake",
        filter="tls.handshake.verify_data",
    )


class NewSessionTicket(Message):
    """RFC 5077 section 3.3: `NewSessionTicket` up to TLS 1.2; the lifetime in seconds."""

    ticket_lifetime_hint: int = described(
        u32(),
        "seconds for which a ticket should be kept",
        filter="tls.handshake.session_ticket_lifetime_hint",
    )
    ticket: bytes = described(
        opaque(2),
        "a ticket for resumption",
        filter="tls.handshake.session_ticket",
        size="tls.handshake.session_ticket_length",
    )


class NewSessionTicket13(Message):
    """RFC 9846 section 4.7.1: `NewSessionTicket` of TLS 1.3; the lifetime in seconds."""

    ticket_lifetime: int = described(
        u32(),
        "seconds for which a ticket is good",
        filter="tls.handshake.session_ticket_lifetime_hint",
    )
    ticket_age_add: int = described(
        u32(),
        "what hides the age of the ticket",
        filter="tls.handshake.session_ticket_age_add",
    )
    ticket_nonce: bytes = described(
        opaque(1),
        "what makes the PSK of each ticket another",
        filter="tls.handshake.session_ticket_nonce",
        size="tls.handshake.session_ticket_nonce_length",
    )
    ticket: bytes = described(
        opaque(2, low=1),
        "a ticket for resumption",
        filter="tls.handshake.session_ticket",
        size="tls.handshake.session_ticket_length",
    )
    extensions: list[Extension] = described(
        extensions(EXTENSIONS["new_session_ticket"]),
        "the extensions",
        size="tls.handshake.extensions_length",
    )


class EndOfEarlyData(Message):
    """RFC 9846 section 4.6: `EndOfEarlyData`."""


class EncryptedExtensions(Message):
    """RFC 9846 section 4.4.1: `EncryptedExtensions`."""

    extensions: list[Extension] = described(
        extensions(EXTENSIONS["encrypted_extensions"]),
        "the extensions",
        size="tls.handshake.extensions_length",
    )


class KeyUpdate(Message):
    """RFC 9846 section 4.7.3: `KeyUpdate`."""

    request_update: int = described(
        u8("key_update_requests"),
        "whether the peer is asked for new keys too",
        filter="tls.handshake.key_update.request_update",
    )


class MessageHash(Message):
    """RFC 9846 section 4.1: `message_hash`, which replaces the first ClientHello in a transcript, and is never sent."""

    hash: bytes = opaque(0)


class NextProtocol(Message):
    """draft-agl-tls-nextprotoneg-04 section 3: `NextProtocol`."""

    selected_protocol: bytes = described(
        opaque(1, text=True),
        "the protocol that the client selects",
        filter="tls.handshake.npn_selected_protocol",
        size="tls.handshake.npn_selected_protocol_len",
    )
    padding: bytes = described(
        opaque(1),
        "zeros that hide its length",
        filter="tls.handshake.npn_padding",
        size="tls.handshake.npn_padding_len",
    )


class ChannelIDSignature(Message):
    """draft-balfanz-tls-channelid-01 section 3: a point of secp256r1 and an ECDSA signature, as four numbers."""

    x: bytes = fixed(32)
    y: bytes = fixed(32)
    r: bytes = fixed(32)
    s: bytes = fixed(32)


class ChannelID(Message):
    """draft-balfanz-tls-channelid-01 section 3: the encrypted extension with the client's channel id."""

    extension_type: int = u16("extensions")
    extension_data: ChannelIDSignature = sized(2, ChannelIDSignature)


class EKTKey(Message):
    """RFC 8870 section 5.2.2: `EKTKey`; the time to live in seconds."""

    ekt_key_value: bytes = opaque(2, low=1, high=256)
    srtp_master_salt: bytes = opaque(2, low=1, high=256)
    ekt_spi: int = u16()
    ekt_ttl: int = u24()


class RequestConnectionId(Message):
    """RFC 9147 section 9: `RequestConnectionId`."""

    num_cids: int = u8()


class NewConnectionId(Message):
    """RFC 9147 section 9: `NewConnectionId`."""

    cids: list[bytes] = vector(2, opaque(1))
    usage: int = u8("connection_id_usages")


class UpnDomainHint(Message):
    """RFC 4681 section 2: `UpnDomainHint`."""

    user_principal_name: bytes = opaque(2, text=True)
    domain_name: bytes = opaque(2, text=True)


class UserMappingData(Message):
    """RFC 4681 section 2: `UserMappingData`."""

    user_mapping_version: int = u8("user_mapping_types")
    data: UpnDomainHint | bytes = select("user_mapping_version", {64: struct(UpnDomainHint)})


class UserMappingDataList(Message):
    """RFC 4681 section 2: `UserMappingDataList`."""

    user_mapping_data_list: list[UserMappingData] = vector(2, struct(UserMappingData), low=1)


class AuthorizationDataURL(Message):
    """RFC 5878 section 3.3: `URLandHash`: the location of an attribute certificate or an assertion, and its hash."""

    url: bytes = opaque(2, low=1, text=True)
    hash_algorithm: int = u8("hash_algorithms")
    hash: bytes = select("hash_algorithm", {1: fixed(16), 2: fixed(20), 3: fixed(28), 4: fixed(32), 5: fixed(48), 6: fixed(64)})


class AuthorizationDataEntry(Message):
    """RFC 5878 section 3.3: `AuthorizationDataEntry`: the data itself, or its location."""

    authz_format: int = u8("authorization_data_formats")
    authz_data: bytes | AuthorizationDataURL = select(
        "authz_format",
        {0: opaque(2, low=1), 1: opaque(2, low=1), 2: struct(AuthorizationDataURL), 3: struct(AuthorizationDataURL)},
    )


class AuthorizationData(Message):
    """RFC 5878 section 3.3: `AuthorizationData`."""

    authz_data_list: list[AuthorizationDataEntry] = vector(2, struct(AuthorizationDataEntry), low=1)


class SupplementalDataEntry(Message):
    """RFC 4680 section 2: `SupplementalDataEntry`."""

    supp_data_type: int = u16("supplemental_data_formats")
    data: UserMappingDataList | AuthorizationData | bytes = select(
        "supp_data_type", {0: sized(2, UserMappingDataList), 16386: sized(2, AuthorizationData)}, opaque(2)
    )


class SupplementalData(Message):
    """RFC 4680 section 2: `SupplementalData`."""

    supp_data: list[SupplementalDataEntry] = vector(3, struct(SupplementalDataEntry), low=1)
