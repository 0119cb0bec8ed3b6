"""Extensions that negotiate algorithms: groups, point formats, signature schemes, versions, PSK modes."""

from analyzer.codec.field_tables import Message, u8, u16, vector
from analyzer.tls.messages.extensions.places import ANSWER, empty, extension


@extension(10, "client_hello", *ANSWER)
class NamedGroupList(Message):
    """RFC 9846 section 4.3.7: `NamedGroupList` (RFC 8422 section 5.1.1: elliptic_curves)."""

    named_group_list: list[int] = vector(2, u16("supported_groups"), low=2)


@extension(11, "client_hello", *ANSWER)
class ECPointFormatList(Message):
    """RFC 8422 section 5.1.2: `ECPointFormatList`."""

    ec_point_format_list: list[int] = vector(1, u8("ec_point_formats"), low=1)


@extension(13, "client_hello", "certificate_request")
@extension(50, "client_hello", "certificate_request")
class SignatureSchemeList(Message):
    """RFC 9846 section 4.3.3: `SignatureSchemeList` (RFC 5246 section 7.4.1.4.1: pairs of hash and signature)."""

    supported_signature_algorithms: list[int] = vector(2, u16("signature_schemes"), low=2)


empty(13, "server_hello")  # in early drafts of TLS 1.3 a server with a certificate sent it


@extension(43, "client_hello")
class ClientSupportedVersions(Message):
    """RFC 9846 section 4.3.1: `SupportedVersions` of a ClientHello."""

    versions: list[int] = vector(1, u16("versions"), low=2)


@extension(43, "server_hello", "hello_retry_request")
class SelectedVersion(Message):
    """RFC 9846 section 4.3.1: `SupportedVersions` of a ServerHello and a HelloRetryRequest."""

    selected_version: int = u16("versions")


@extension(45, "client_hello")
class PskKeyExchangeModes(Message):
    """RFC 9846 section 4.3.9: `PskKeyExchangeModes`."""

    ke_modes: list[int] = vector(1, u8("psk_key_exchange_modes"), low=1)
