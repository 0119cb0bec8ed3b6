"""Tables of ServerKeyExchange and ClientKeyExchange (RFC 5246 section 7.4.3, RFC 8422 section 5.4).

The cipher suite selects the form. The parameters come first. They are signed together with both randoms, except if the key
exchange is anonymous or uses a pre-shared key. So the parameters of a signed message are a separate structure: its bytes are
what the signature covers. Since TLS 1.2 a signature names its algorithm; before that, the certificate's key determines it.
`server_key_exchange_table` and `client_key_exchange_table` select a table by the name of the key exchange in the cipher suite.
"""

from analyzer.codec.field_tables import Message, described, opaque, select, struct, u8, u16


class Signature(Message):
    """RFC 4346 section 7.4.3: `Signature` up to TLS 1.1: MD5 and SHA-1 with RSA, or SHA-1 with DSA or ECDSA."""

    signature: bytes = described(
        opaque(2),
        "the signature over the parameters",
        filter="tls.handshake.sig",
        size="tls.handshake.sig_len",
    )


class DigitallySigned(Message):
    """RFC 5246 section 4.7: `DigitallySigned` of TLS 1.2."""

    algorithm: int = described(
        u16("signature_schemes"),
        "the algorithm of the signature",
        filter="tls.handshake.sig_hash_alg",
    )
    signature: bytes = described(
        opaque(2),
        "the signature over the parameters",
        filter="tls.handshake.sig",
        size="tls.handshake.sig_len",
    )


class ServerDHParams(Message):
    """RFC 5246 section 7.4.3: `ServerDHParams`."""

    dh_p: bytes = described(
        opaque(2, low=1),
        "the prime",
        filter="tls.handshake.p",
        size="tls.handshake.p_len",
    )
    dh_g: bytes = described(
        opaque(2, low=1),
        "the generator",
        filter="tls.handshake.g",
        size="tls.handshake.g_len",
    )
    dh_Ys: bytes = described(  # noqa: N815 - the RFC's name
        opaque(2, low=1),
        "the server's public key",
        filter="tls.handshake.ys",
        size="tls.handshake.ys_len",
    )


class ServerRSAParams(Message):
    """RFC 2246 section 7.4.3: `ServerRSAParams`, the short key of an export cipher suite."""

    rsa_modulus: bytes = described(
        opaque(2, low=1),
        "the modulus of the short key",
        filter="tls.handshake.modulus",
        size="tls.handshake.modulus_len",
    )
    rsa_exponent: bytes = described(
        opaque(2, low=1),
        "the exponent of the short key",
        filter="tls.handshake.exponent",
        size="tls.handshake.exponent_len",
    )


class ServerSRPParams(Message):
    """RFC 5054 section 2.8.2: `ServerSRPParams`."""

    srp_N: bytes = opaque(2, low=1)  # noqa: N815 - the RFC's name
    srp_g: bytes = opaque(2, low=1)
    srp_s: bytes = opaque(1, low=1)
    srp_B: bytes = opaque(2, low=1)  # noqa: N815 - the RFC's name


class ECCurve(Message):
    """RFC 4492 section 5.4: `ECCurve`."""

    a: bytes = opaque(1, low=1)
    b: bytes = opaque(1, low=1)


class ExplicitPrime(Message):
    """RFC 4492 section 5.4: `ECParameters` of a curve over a prime field."""

    prime_p: bytes = opaque(1, low=1)
    curve: ECCurve = struct(ECCurve)
    base: bytes = opaque(1, low=1)
    order: bytes = opaque(1, low=1)
    cofactor: bytes = opaque(1, low=1)


class Pentanomial(Message):
    """RFC 4492 section 5.4: the three exponents of a pentanomial basis."""

    k1: bytes = opaque(1, low=1)
    k2: bytes = opaque(1, low=1)
    k3: bytes = opaque(1, low=1)


class ExplicitChar2(Message):
    """RFC 4492 section 5.4: `ECParameters` of a curve over a field of characteristic 2."""

    m: int = u16()
    basis: int = u8("ec_basis_types")
    k: bytes | Pentanomial = select("basis", {1: opaque(1, low=1), 2: struct(Pentanomial)})
    curve: ECCurve = struct(ECCurve)
    base: bytes = opaque(1, low=1)
    order: bytes = opaque(1, low=1)
    cofactor: bytes = opaque(1, low=1)


class ECParameters(Message):
    """RFC 8422 section 5.4: `ECParameters`; `namedcurve` is a group's number, or an explicit curve (RFC 4492)."""

    curve_type: int = described(
        u8("ec_curve_types"),
        "how the curve is given",
        filter="tls.handshake.server_curve_type",
    )
    namedcurve: int | ExplicitPrime | ExplicitChar2 | bytes = described(
        select("curve_type", {1: struct(ExplicitPrime), 2: struct(ExplicitChar2), 3: u16("supported_groups")}),
        "the curve of the server's key",
        filter="tls.handshake.server_named_curve",
    )


class ServerECDHParams(Message):
    """RFC 8422 section 5.4: `ServerECDHParams`."""

    curve_params: ECParameters = struct(ECParameters)
    public: bytes = described(
        opaque(1, low=1),
        "the server's public key",
        filter="tls.handshake.server_point",
        size="tls.handshake.server_point_len",
    )


class ServerECCPWDParams(Message):
    """RFC 8492 section 4.5.1: `ServerECCPWDParams`."""

    salt: bytes = opaque(1, low=1)
    curve_params: ECParameters = struct(ECParameters)
    element: bytes = opaque(1, low=1)
    scalar: bytes = opaque(1, low=1)


class DHServerKeyExchange(Message):
    """RFC 5246 section 7.4.3: `ServerKeyExchange` of DH_anon."""

    params: ServerDHParams = struct(ServerDHParams)


class DHEServerKeyExchange(DHServerKeyExchange):
    """RFC 4346 section 7.4.3: `ServerKeyExchange` of DHE up to TLS 1.1."""

    signed_params: Signature = struct(Signature)


class DHEServerKeyExchange12(DHServerKeyExchange):
    """RFC 5246 section 7.4.3: `ServerKeyExchange` of DHE in TLS 1.2."""

    signed_params: DigitallySigned = struct(DigitallySigned)


class RSAServerKeyExchange(Message):
    """RFC 2246 section 7.4.3: `ServerKeyExchange` of RSA_EXPORT up to TLS 1.1."""

    params: ServerRSAParams = struct(ServerRSAParams)
    signed_params: Signature = struct(Signature)


class RSAServerKeyExchange12(Message):
    """RFC 5246 section 7.4.3: `ServerKeyExchange` with its own RSA key, which TLS 1.2 forbids but some servers send."""

    params: ServerRSAParams = struct(ServerRSAParams)
    signed_params: DigitallySigned = struct(DigitallySigned)


class ECDHServerKeyExchange(Message):
    """RFC 8422 section 5.4: `ServerKeyExchange` of ECDH_anon."""

    params: ServerECDHParams = struct(ServerECDHParams)


class ECDHEServerKeyExchange(ECDHServerKeyExchange):
    """RFC 4492 section 5.4: `ServerKeyExchange` of ECDHE up to TLS 1.1."""

    signed_params: Signature = struct(Signature)


class ECDHEServerKeyExchange12(ECDHServerKeyExchange):
    """RFC 8422 section 5.4: `ServerKeyExchange` of ECDHE in TLS 1.2."""

    signed_params: DigitallySigned = struct(DigitallySigned)


class SRPServerKeyExchange(Message):
    """RFC 5054 section 2.8.2: `ServerKeyExchange` of SRP_SHA without a certificate."""

    params: ServerSRPParams = struct(ServerSRPParams)


class SignedSRPServerKeyExchange(SRPServerKeyExchange):
    """RFC 5054 section 2.8.2: `ServerKeyExchange` of SRP_SHA with RSA or DSS up to TLS 1.1."""

    signed_params: Signature = struct(Signature)


class SignedSRPServerKeyExchange12(SRPServerKeyExchange):
    """RFC 5054 section 2.8.2: `ServerKeyExchange` of SRP_SHA with RSA or DSS in TLS 1.2."""

    signed_params: DigitallySigned = struct(DigitallySigned)


class PSKServerKeyExchange(Message):
    """RFC 4279 section 2: `ServerKeyExchange` of PSK and of RSA_PSK (section 4)."""

    psk_identity_hint: bytes = described(
        opaque(2, text=True),
        "which pre-shared key the server means",
        filter="tls.handshake.hint",
        size="tls.handshake.hint_len",
    )


class DHEPSKServerKeyExchange(PSKServerKeyExchange):
    """RFC 4279 section 3: `ServerKeyExchange` of DHE_PSK."""

    params: ServerDHParams = struct(ServerDHParams)


class ECDHEPSKServerKeyExchange(PSKServerKeyExchange):
    """RFC 5489 section 2: `ServerKeyExchange` of ECDHE_PSK."""

    params: ServerECDHParams = struct(ServerECDHParams)


class ECCPWDServerKeyExchange(Message):
    """RFC 8492 section 4.5.1: `ServerKeyExchange` of ECCPWD."""

    params: ServerECCPWDParams = struct(ServerECCPWDParams)


class OpaqueKeyExchange(Message):
    """A key exchange without a table: GOST (RFC 9189 section 4.2.4, DER), FORTEZZA (RFC 6101 section 5.6.7.2)."""

    exchange_keys: bytes = opaque(0)


class RSAClientKeyExchange(Message):
    """RFC 5246 section 7.4.7.1: `EncryptedPreMasterSecret`."""

    encrypted_pre_master_secret: bytes = described(
        opaque(2),
        "the encrypted premaster secret",
        filter="tls.handshake.epms",
        size="tls.handshake.epms_len",
    )


class SSL3RSAClientKeyExchange(Message):
    """RFC 6101 section 5.6.7.1: `EncryptedPreMasterSecret` of SSL 3.0, without a length field."""

    encrypted_pre_master_secret: bytes = described(
        opaque(0),
        "the encrypted premaster secret",
        filter="tls.handshake.epms",
    )


class DHClientKeyExchange(Message):
    """RFC 5246 section 7.4.7.2: `ClientDiffieHellmanPublic`; empty if the client's certificate has the key."""

    dh_Yc: bytes | None = described(  # noqa: N815 - the RFC's name
        opaque(2, low=1, optional=True),
        "the client's public key",
        filter="tls.handshake.yc",
        size="tls.handshake.yc_len",
    )


class ECDHClientKeyExchange(Message):
    """RFC 8422 section 5.7: `ClientECDiffieHellmanPublic`; empty if the client's certificate has the key."""

    ecdh_Yc: bytes | None = described(  # noqa: N815 - the RFC's name
        opaque(1, low=1, optional=True),
        "the client's public key",
        filter="tls.handshake.client_point",
        size="tls.handshake.client_point_len",
    )


class PSKClientKeyExchange(Message):
    """RFC 4279 section 2: `ClientKeyExchange` of PSK."""

    psk_identity: bytes = described(
        opaque(2, text=True),
        "which pre-shared key the client has",
        filter="tls.handshake.identity",
        size="tls.handshake.identity_len",
    )


class DHEPSKClientKeyExchange(PSKClientKeyExchange):
    """RFC 4279 section 3: `ClientKeyExchange` of DHE_PSK."""

    dh_Yc: bytes = described(  # noqa: N815 - the RFC's name
        opaque(2, low=1),
        "the client's public key",
        filter="tls.handshake.yc",
        size="tls.handshake.yc_len",
    )


class ECDHEPSKClientKeyExchange(PSKClientKeyExchange):
    """RFC 5489 section 2: `ClientKeyExchange` of ECDHE_PSK."""

    ecdh_Yc: bytes = described(  # noqa: N815 - the RFC's name
        opaque(1, low=1),
        "the client's public key",
        filter="tls.handshake.client_point",
        size="tls.handshake.client_point_len",
    )


class RSAPSKClientKeyExchange(PSKClientKeyExchange):
    """RFC 4279 section 4: `ClientKeyExchange` of RSA_PSK."""

    encrypted_pre_master_secret: bytes = described(
        opaque(2),
        "the encrypted premaster secret",
        filter="tls.handshake.epms",
        size="tls.handshake.epms_len",
    )


class SRPClientKeyExchange(Message):
    """RFC 5054 section 2.8.3: `ClientSRPPublic`."""

    srp_A: bytes = opaque(2, low=1)  # noqa: N815 - the RFC's name


class ECCPWDClientKeyExchange(Message):
    """RFC 8492 section 4.5.2: `ClientECCPWDParams`."""

    element: bytes = opaque(1, low=1)
    scalar: bytes = opaque(1, low=1)


class KerberosWrapper(Message):
    """RFC 2712 section 3: `KerberosWrapper`."""

    ticket: bytes = opaque(2)
    authenticator: bytes = opaque(2)
    encrypted_pre_master_secret: bytes = opaque(2)
