"""Extensions about who the client is: passwords, mappings, authorization, token binding, renegotiation."""

from analyzer.codec.field_tables import Message, described, opaque, u8, vector
from analyzer.tls.messages.extensions.places import ANSWER, empty, extension


@extension(6, "client_hello", "server_hello")
class UserMappingTypeList(Message):
    """RFC 4681 section 2: `UserMappingTypeList`."""

    user_mapping_types: list[int] = vector(1, u8("user_mapping_types"), low=1)


@extension(7, "client_hello", "server_hello")
@extension(8, "client_hello", "server_hello")
class AuthzDataFormatList(Message):
    """RFC 5878 section 2.3: `AuthzFormatExtension` of client_authz and of server_authz."""

    authz_format_list: list[int] = vector(1, u8("authorization_data_formats"), low=1)


@extension(12, "client_hello")
class SRPUsername(Message):
    """RFC 5054 section 2.8.1: the client's name for SRP."""

    srp_I: bytes = described(  # noqa: N815 - the RFC's name
        opaque(1, low=1, text=True),
        "the name of the user",
        filter="tls.handshake.extensions_srp_username",
        size="tls.handshake.extensions_srp_len",
    )


@extension(24, "client_hello", "server_hello")
class TokenBindingParameters(Message):
    """RFC 8472 section 2: `TokenBindingParameters`, with the two numbers of `TB_ProtocolVersion`."""

    major: int = described(u8(), "the major version", filter="tls.token_binding.version_major")
    minor: int = described(u8(), "the minor version", filter="tls.token_binding.version_minor")
    key_parameters_list: list[int] = described(
        vector(1, u8("token_binding_key_parameters"), low=1),
        "a kind of key",
        filter="tls.token_binding.key_parameters",
        size="tls.token_binding.key_parameters_length",
        each="tls.token_binding.key_parameter",
    )


@extension(29, "client_hello")
@extension(30, "client_hello")
class PwdName(Message):
    """RFC 8492 sections 4.4.1 and 4.4.2: the client's name for ECCPWD, encrypted (29) or in plaintext (30)."""

    pwd_name: bytes = opaque(1, low=1)


@extension(31, "client_hello", "hello_retry_request", *ANSWER)
class PasswordSalt(Message):
    """RFC 8492 section 4.4.3: the salt of the client's password, of any length."""

    pwd_salt: bytes = opaque(0)


empty(49, "client_hello")


@extension(55, "client_hello", *ANSWER)
class ExternalIdentityHash(Message):
    """RFC 8844 section 3.2: `ExternalIdentityHash`."""

    binding_hash: bytes = opaque(1, high=32)


@extension(56, "client_hello", *ANSWER)
class ExternalSessionId(Message):
    """RFC 8844 section 4.2: `ExternalSessionId`."""

    session_id: bytes = opaque(1, low=20)


@extension(62, "client_hello", "hello_retry_request", "certificate", "certificate_request", "new_session_ticket", *ANSWER)
class FlagExtensions(Message):
    """draft-ietf-tls-tlsflags section 2: `FlagExtensions`: bit n of the bytes, lowest first, is flag n."""

    flags: bytes = opaque(1)


@extension(65281, "client_hello", "server_hello")
class RenegotiationInfo(Message):
    """RFC 5746 section 3.2: `RenegotiationInfo`: the Finished values of the previous handshake, or nothing."""

    renegotiated_connection: bytes = described(
        opaque(1),
        "the Finished values of the handshake before",
        filter="tls.handshake.extensions_reneg_info",
        size="tls.handshake.extensions_reneg_info_len",
    )


empty(30031, "client_hello", *ANSWER)
empty(30032, "client_hello", *ANSWER)
