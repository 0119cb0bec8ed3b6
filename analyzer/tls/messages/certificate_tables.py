"""Tables of Certificate, CertificateRequest and CertificateVerify by version (RFC 9846 section 4.5, RFC 5246 section 7.4).

In TLS 1.3 Certificate has a context, and extensions for each certificate, and CertificateRequest has only a context and
extensions. With RFC 7250 and RFC 6091, raw public keys and OpenPGP keys can replace certificates. In TLS 1.3 a raw key replaces
the DER in its entry; in earlier versions the message has another form. The hellos agree on the type.
"""

from analyzer.codec.field_tables import Extension, Message, extensions, opaque, select, sized, struct, u8, u16, vector
from analyzer.tls.messages.extensions import EXTENSIONS
from analyzer.tls.messages.extensions.about_certificates import CertificateStatus, CertificateURL, CompressedCertificate

__all__ = [
    "Certificate", "Certificate13", "CertificateEntry", "CertificateRequest", "CertificateRequest12", "CertificateRequest13",
    "CertificateStatus", "CertificateURL", "CertificateVerify", "CertificateVerify12", "CompressedCertificate",
    "OpenPGPCertificate", "OpenPGPSubkeyCertificate", "OpenPGPSubkeyFingerprint", "RawPublicKeyCertificate",
]  # fmt: skip


class Certificate(Message):
    """RFC 5246 section 7.4.2: `Certificate` up to TLS 1.2; each in DER, the sender's own first."""

    certificate_list: list[bytes] = vector(3, opaque(3, low=1))


class RawPublicKeyCertificate(Message):
    """RFC 7250 section 3: `Certificate` up to TLS 1.2 if raw public keys were agreed on: a SubjectPublicKeyInfo."""

    asn1_subject_public_key_info: bytes = opaque(3, low=1)


class OpenPGPSubkeyCertificate(Message):
    """RFC 6091 section 3.3: `OpenPGPSubKeyCert`."""

    subkey_id: bytes = opaque(1, low=8, high=8)
    certificate: bytes = opaque(3)


class OpenPGPSubkeyFingerprint(Message):
    """RFC 6091 section 3.3: `OpenPGPSubKeyFingerprint`."""

    subkey_id: bytes = opaque(1, low=8, high=8)
    fingerprint: bytes = opaque(1, low=20)


class OpenPGPCertificate(Message):
    """RFC 6091 section 3.3: `Certificate` if OpenPGP keys were agreed on; type 0 is a key alone."""

    descriptor_type: int = u8("openpgp_descriptor_types")
    certificate: bytes | OpenPGPSubkeyCertificate | OpenPGPSubkeyFingerprint = select(
        "descriptor_type",
        {
            0: opaque(3, low=1),
            1: opaque(3),
            2: sized(3, OpenPGPSubkeyCertificate),
            3: sized(3, OpenPGPSubkeyFingerprint),
        },
    )


class CertificateEntry(Message):
    """RFC 9846 section 4.5.1: `CertificateEntry`; `cert_data` in DER: a certificate, or a SubjectPublicKeyInfo."""

    cert_data: bytes = opaque(3, low=1)
    extensions: list[Extension] = extensions(EXTENSIONS["certificate"])


class Certificate13(Message):
    """RFC 9846 section 4.5.1: `Certificate` of TLS 1.3."""

    certificate_request_context: bytes = opaque(1)
    certificate_list: list[CertificateEntry] = vector(3, struct(CertificateEntry))


class CertificateRequest(Message):
    """RFC 4346 section 7.4.4: `CertificateRequest` up to TLS 1.1; the authorities are distinguished names in DER."""

    certificate_types: list[int] = vector(1, u8("client_certificate_types"), low=1)
    certificate_authorities: list[bytes] = vector(2, opaque(2, low=1))


class CertificateRequest12(Message):
    """RFC 5246 section 7.4.4: `CertificateRequest` of TLS 1.2."""

    certificate_types: list[int] = vector(1, u8("client_certificate_types"), low=1)
    supported_signature_algorithms: list[int] = vector(2, u16("signature_schemes"), low=2)
    certificate_authorities: list[bytes] = vector(2, opaque(2, low=1))


class CertificateRequest13(Message):
    """RFC 9846 section 4.4.2: `CertificateRequest` of TLS 1.3, and `ClientCertificateRequest` of RFC 9261 section 4."""

    certificate_request_context: bytes = opaque(1)
    extensions: list[Extension] = extensions(EXTENSIONS["certificate_request"])


class CertificateVerify(Message):
    """RFC 4346 section 7.4.8: `CertificateVerify` up to TLS 1.1; the type of the key determines the signature algorithm."""

    signature: bytes = opaque(2)


class CertificateVerify12(Message):
    """RFC 9846 section 4.5.2, RFC 5246 section 7.4.8: `CertificateVerify` since TLS 1.2."""

    algorithm: int = u16("signature_schemes")
    signature: bytes = opaque(2)
