"""Extensions that name the requested server and protocol: server_name, ALPN, NPN, ALPS, trust anchors of the peer."""

from analyzer.codec.field_tables import Message, opaque, select, struct, u8, vector
from analyzer.tls.messages.extensions.places import ANSWER, empty, extension


class ServerName(Message):
    """RFC 6066 section 3: `ServerName`.

    An unregistered name type has no known form: its bytes extend to the end.
    """

    name_type: int = u8("name_types")
    name: bytes = select("name_type", {0: opaque(2, low=1, text=True)})


@extension(0, "client_hello")
class ServerNameList(Message):
    """RFC 6066 section 3: `ServerNameList`. The server's answer is empty."""

    server_name_list: list[ServerName] = vector(2, struct(ServerName), low=1)


empty(0, *ANSWER)


@extension(16, "client_hello", *ANSWER)
class ProtocolNameList(Message):
    """RFC 7301 section 3.1: `ProtocolNameList`. The server's answer is a list of one."""

    protocol_name_list: list[bytes] = vector(2, opaque(1, low=1, text=True), low=2)


@extension(17513, "client_hello")
@extension(17613, "client_hello")
class ApplicationSettingsSupport(Message):
    """draft-vvv-tls-alps-01 section 4: `ApplicationSettingsSupport`, the protocols for which the client has settings."""

    supported_protocols: list[bytes] = vector(2, opaque(1, low=1, text=True), low=2)


@extension(17513, "encrypted_extensions")
@extension(17613, "encrypted_extensions")
class ApplicationSettings(Message):
    """draft-vvv-tls-alps-01 section 4: the settings of the chosen protocol, in that protocol's own form."""

    settings: bytes = opaque(0)


@extension(13172, "server_hello")
class NextProtocolNegotiation(Message):
    """draft-agl-tls-nextprotoneg-04 section 3: the server's protocols, as a sequence of names. The client's is empty."""

    protocol_name_list: list[bytes] = vector(0, opaque(1, low=1, text=True))


empty(13172, "client_hello")


@extension(51764, "client_hello", "encrypted_extensions")
class TrustAnchorIdentifierList(Message):
    """draft-ietf-tls-trust-anchor-ids section 4: `TrustAnchorIdentifierList`; an identifier is a relative OID in DER."""

    trust_anchor_identifiers: list[bytes] = vector(2, opaque(1, low=1))


empty(51764, "certificate")
