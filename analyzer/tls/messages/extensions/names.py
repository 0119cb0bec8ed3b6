"""Extensions that name the requested server and protocol: server_name, ALPN, NPN, ALPS, trust anchors of the peer."""

from analyzer.codec.field_tables import Message, described, opaque, select, struct, u8, vector
from analyzer.tls.messages.extensions.places import ANSWER, empty, extension


class ServerName(Message):
    """RFC 6066 section 3: `ServerName`.

    An unregistered name type has no known form: its bytes extend to the end.
    """

    name_type: int = described(u8("name_types"), "the kind of name", filter="tls.handshake.extensions_server_name_type")
    name: bytes = described(
        select("name_type", {0: opaque(2, low=1, text=True)}),
        "the server that the client asks for",
        filter="tls.handshake.extensions_server_name",
        size="tls.handshake.extensions_server_name_len",
    )


@extension(0, "client_hello")
class ServerNameList(Message):
    """RFC 6066 section 3: `ServerNameList`. The server's answer is empty."""

    server_name_list: list[ServerName] = described(
        vector(2, struct(ServerName), low=1),
        "the names",
        size="tls.handshake.extensions_server_name_list_len",
    )


empty(0, *ANSWER)


@extension(16, "client_hello", *ANSWER)
class ProtocolNameList(Message):
    """RFC 7301 section 3.1: `ProtocolNameList`. The server's answer is a list of one."""

    protocol_name_list: list[bytes] = described(
        vector(2, opaque(1, low=1, text=True), low=2),
        "an application protocol",
        filter="tls.handshake.extensions_alpn_list",
        size="tls.handshake.extensions_alpn_len",
        each="tls.handshake.extensions_alpn_str",
        each_size="tls.handshake.extensions_alpn_str_len",
    )


@extension(17513, "client_hello")
@extension(17613, "client_hello")
class ApplicationSettingsSupport(Message):
    """draft-vvv-tls-alps-01 section 4: `ApplicationSettingsSupport`, the protocols for which the client has settings."""

    supported_protocols: list[bytes] = described(
        vector(2, opaque(1, low=1, text=True), low=2),
        "a protocol with settings",
        filter="tls.handshake.extensions_alps_alpn_list",
        size="tls.handshake.extensions_alps_len",
        each="tls.handshake.extensions_alps_alpn_str",
        each_size="tls.handshake.extensions_alps_alpn_str_len",
    )


@extension(17513, "encrypted_extensions")
@extension(17613, "encrypted_extensions")
class ApplicationSettings(Message):
    """draft-vvv-tls-alps-01 section 4: the settings of the chosen protocol, in that protocol's own form."""

    settings: bytes = described(
        opaque(0),
        "settings of the chosen protocol",
        filter="tls.handshake.extensions_alps.settings",
    )


@extension(13172, "server_hello")
class NextProtocolNegotiation(Message):
    """draft-agl-tls-nextprotoneg-04 section 3: the server's protocols, as a sequence of names. The client's is empty."""

    protocol_name_list: list[bytes] = described(
        vector(0, opaque(1, low=1, text=True)),
        "a protocol that the server speaks",
        each="tls.handshake.extensions_npn",
        each_size="tls.handshake.extensions_npn_str_len",
    )


empty(13172, "client_hello")


@extension(51764, "client_hello", "encrypted_extensions")
class TrustAnchorIdentifierList(Message):
    """draft-ietf-tls-trust-anchor-ids section 4: `TrustAnchorIdentifierList`; an identifier is a relative OID in DER."""

    trust_anchor_identifiers: list[bytes] = vector(2, opaque(1, low=1))


empty(51764, "certificate")
