"""Makes the chains of test_judge_peers.py: for each rule of path validation, one on each side of each boundary."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier
from hierarchy import (
    AT,
    EVERY_USAGE,
    HOST,
    Made,
    ec_key,
    hierarchy,
    hosts,
    make_intermediate,
    make_leaf,
    make_root,
    patched,
    rsa_key,
    tagged,
    usage,
)

SECOND = timedelta(seconds=1)
ROLES = ("leaf", "intermediate", "root")
PURPOSES = {
    "server": ExtendedKeyUsageOID.SERVER_AUTH,
    "client": ExtendedKeyUsageOID.CLIENT_AUTH,
    "code": ExtendedKeyUsageOID.CODE_SIGNING,
    "any": ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
}


@dataclass(frozen=True)
class Chain:
    """A chain as it is sent, the roots, and what is asked of it. group: the rule; detail: the side of the boundary."""

    group: str
    detail: str
    sent: list[bytes]
    roots: list[bytes]
    at: datetime = AT
    name: str | None = HOST
    client: bool = False

    @property
    def title(self) -> str:
        return f"{self.group}: {self.detail}"


def every_chain() -> list[Chain]:
    """All chains; their titles are different."""
    made = [
        *_times(), *_lengths(), *_authorities(), *_usages(), *_purposes(), *_dns_constraints(), *_wildcard_constraints(),
        *_address_constraints(),
        *_host_names(), *_keys(), *_digests(), *_criticality(), *_omissions(), *_serial_numbers(), *_encodings(), *_orders(),
        *_spellings(),
    ]  # fmt: skip
    assert len({one.title for one in made}) == len(made)
    return made


def _with(
    group: str, detail: str, *, at: datetime = AT, name: str | None = HOST, client: bool = False, **changes: Any
) -> Chain:
    """Return the valid hierarchy with changes for some of its three certificates."""
    made = hierarchy(**changes)
    return Chain(group, detail, made.chain, [made.root.der], at, name, client)


def _value(extension: x509.ExtensionType, critical: bool = False) -> dict[str, Any]:
    return {"changed": {type(extension): (extension, critical)}}


def _without(kind: type[x509.ExtensionType]) -> dict[str, Any]:
    return {"changed": {kind: None}}


def _times() -> Iterator[Chain]:
    for role in ROLES:
        for seconds in (-1, 0, 1):
            yield _with("time", f"{role} begins {seconds:+} s", **{role: {"not_before": AT + seconds * SECOND}})
            yield _with("time", f"{role} ends {seconds:+} s", **{role: {"not_after": AT + seconds * SECOND}})


def _lengths() -> Iterator[Chain]:
    for limit in (None, 0, 1, 2):
        for n_below in range(4):
            above = make_root(**_value(x509.BasicConstraints(True, limit), True))
            authorities = [above]
            for number in range(n_below):
                authorities.append(make_intermediate(authorities[-1], f"Authority {number}"))
            leaf = make_leaf(authorities[-1])
            sent = [leaf.der, *(one.der for one in reversed(authorities[1:]))]
            yield Chain("length", f"{n_below} below a root that allows {limit}", sent, [above.der])
    for limit in (0, 1, 2):
        for n_below in range(4):
            root = make_root()
            authorities = [make_intermediate(root, "Limited", **_value(x509.BasicConstraints(True, limit), True))]
            for number in range(n_below):
                authorities.append(make_intermediate(authorities[-1], f"Authority {number}"))
            sent = [make_leaf(authorities[-1]).der, *(one.der for one in reversed(authorities))]
            yield Chain("length", f"{n_below} below an authority that allows {limit}", sent, [root.der])


def _authorities() -> Iterator[Chain]:
    for role in ROLES[1:]:
        yield _with("authority", f"{role} without constraints", **{role: _without(x509.BasicConstraints)})
        yield _with("authority", f"{role} that is none", **{role: _value(x509.BasicConstraints(False, None), True)})
        yield _with("authority", f"{role} without key usage", **{role: _without(x509.KeyUsage)})
    yield _with("authority", "leaf that is one", leaf=_value(x509.BasicConstraints(True, None), True))
    yield _with("authority", "leaf without constraints", leaf=_without(x509.BasicConstraints))


def _usages() -> Iterator[Chain]:
    for bit in EVERY_USAGE:
        if bit not in ("encipher_only", "decipher_only"):
            for role in ROLES:
                yield _with("key usage", f"{role} {bit}", **{role: _value(usage(bit), True)})


def _purposes() -> Iterator[Chain]:
    for role in ROLES:
        for client in (False, True):
            for names in (("server",), ("client",), ("code",), ("any",), ("server", "client"), ("code", "any")):
                changes = {} if role == "leaf" else {"leaf": _without(x509.ExtendedKeyUsage)}
                changes[role] = _value(x509.ExtendedKeyUsage([PURPOSES[one] for one in names]))
                asked = "client" if client else "server"
                yield _with(
                    "purpose", f"{role} for {' and '.join(names)}, asked {asked}", name=None if client else HOST, client=client,
                    **changes,
                )  # fmt: skip


def _dns_constraints() -> Iterator[Chain]:
    bases = ("example.com", HOST, "ample.com", "xample.com", "other.example", "com", "a.host.example.com")
    for base in bases:
        for role in ROLES[1:]:
            for permits in (True, False):
                listed = [x509.DNSName(base)]
                constraint = x509.NameConstraints(listed, None) if permits else x509.NameConstraints(None, listed)
                yield _with(
                    "dns constraint",
                    f"{role} {'permits' if permits else 'excludes'} {base}",
                    **{role: _value(constraint, True)},
                )


def _wildcard_constraints() -> Iterator[Chain]:
    for base in ("example.com", HOST, "other.example", "com"):
        for permits in (True, False):
            listed = [x509.DNSName(base)]
            constraint = x509.NameConstraints(listed, None) if permits else x509.NameConstraints(None, listed)
            detail = f"{'permits' if permits else 'excludes'} {base}, wildcard"
            leaf = {"subject": "A server", **_value(hosts("*.example.com"))}
            yield _with("dns constraint", detail, intermediate=_value(constraint, True), leaf=leaf)


def _address_constraints() -> Iterator[Chain]:
    for network, inside, outside in (
        ("192.0.2.0/24", ("192.0.2.0", "192.0.2.255"), ("192.0.1.255", "192.0.3.0")),
        ("192.0.2.128/25", ("192.0.2.128", "192.0.2.255"), ("192.0.2.127", "192.0.3.0")),
        ("2001:db8::/32", ("2001:db8::", "2001:db8:ffff::1"), ("2001:db7:ffff::", "2001:db9::")),
    ):
        for address in (*inside, *outside):
            for permits in (True, False):
                listed = [x509.IPAddress(ip_network(network))]
                constraint = x509.NameConstraints(listed, None) if permits else x509.NameConstraints(None, listed)
                names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))])
                yield _with(
                    "address constraint", f"{'permits' if permits else 'excludes'} {network}, {address}", name=address,
                    intermediate=_value(constraint, True), leaf={"subject": "A server", **_value(names)},
                )  # fmt: skip


def _host_names() -> Iterator[Chain]:
    for presented, asked in (
        (HOST, HOST), (HOST, HOST.upper()), (HOST.upper(), HOST), (HOST, "host.example.org"), (HOST, "example.com"),
        (HOST, "a.host.example.com"), ("*.example.com", HOST), ("*.example.com", "a.b.example.com"),
        ("*.example.com", "example.com"), ("*.example.com", "HOST.EXAMPLE.COM"), ("*.host.example.com", HOST),
        ("h*.example.com", HOST), ("*t.example.com", HOST), ("host.*.com", HOST), ("*", HOST), ("*.com", "example.com"),
        ("host.example.com.", HOST), ("a_b.example.com", "a_b.example.com"), ("xn--bcher-kva.example", "xn--bcher-kva.example"),
    ):  # fmt: skip
        yield _with(
            "host name", f"{presented} for {asked}", name=asked, leaf={"subject": "A server", **_value(hosts(presented))}
        )
    for presented, asked in (("192.0.2.1", "192.0.2.1"), ("192.0.2.1", "192.0.2.2"), ("2001:db8::1", "2001:db8:0::1")):
        names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(presented))])
        yield _with("host name", f"address {presented} for {asked}", name=asked, leaf={"subject": "A server", **_value(names)})


def _keys() -> Iterator[Chain]:
    kinds = {
        "P-256": ec.SECP256R1(),
        "P-384": ec.SECP384R1(),
        "P-521": ec.SECP521R1(),
        "P-224": ec.SECP224R1(),
        "secp256k1": ec.SECP256K1(),
    }
    for role in ROLES:
        for name, curve in kinds.items():
            yield _with("key", f"{role} {name}", **{role: {"key": ec.generate_private_key(curve)}})
        for bits in (1024, 2048, 3072):
            yield _with("key", f"{role} RSA {bits}", **{role: {"key": rsa_key(bits)}})
        yield _with("key", f"{role} Ed25519", **{role: {"key": ed25519.Ed25519PrivateKey.generate()}})
    made = hierarchy()
    point = made.leaf.key.public_key().public_numbers()
    y = point.y.to_bytes(32, "big")
    off = patched(made.leaf.der, made.intermediate.key, [(y, (point.y ^ 1).to_bytes(32, "big"))])
    yield Chain("key", "leaf that is no point of its curve", [off, made.intermediate.der], [made.root.der])
    short = hierarchy(leaf={"key": ed25519.Ed25519PrivateKey.generate()})
    whole = short.leaf.key.public_key().public_bytes_raw()
    head = bytes.fromhex("300506032b6570")
    patch = tagged(0x30, head + tagged(3, b"\0" + whole)), tagged(0x30, head + tagged(3, b"\0" + whole[:31]))
    leaf = patched(short.leaf.der, short.intermediate.key, [patch])
    yield Chain("key", "leaf Ed25519 of 31 bytes", [leaf, short.intermediate.der], [short.root.der])


def _digests() -> Iterator[Chain]:
    for digest in (hashes.SHA224(), hashes.SHA256(), hashes.SHA384(), hashes.SHA512()):
        for role in ROLES:
            yield _with("digest", f"{role} {digest.name}", **{role: {"digest": digest}})
    made = hierarchy(intermediate={"key": rsa_key(2048)})
    sha256, sha1 = bytes.fromhex("2a864886f70d01010b"), bytes.fromhex("2a864886f70d010105")
    leaf = patched(made.leaf.der, made.intermediate.key, [(sha256, sha1)], hashes.SHA1())
    yield Chain("digest", "leaf sha1", [leaf, made.intermediate.der], [made.root.der])
    for salt in (0, 20, 32, 64):
        pss = {"rsa_padding": padding.PSS(padding.MGF1(hashes.SHA256()), salt)}
        yield _with("PSS", f"salt of {salt}", intermediate={"key": rsa_key(2048)}, leaf=pss)
    other = {"rsa_padding": padding.PSS(padding.MGF1(hashes.SHA384()), 32)}
    yield _with("PSS", "mask with another digest", intermediate={"key": rsa_key(2048)}, leaf=other)


def _criticality() -> Iterator[Chain]:
    unknown = x509.UnrecognizedExtension(ObjectIdentifier("1.3.6.1.4.1.55738.666.1"), b"\x05\x00")
    for role in ROLES:
        for critical in (True, False):
            how = "critical" if critical else "not critical"
            yield _with("extension", f"{role} unknown, {how}", **{role: _value(unknown, critical)})
            for kind, value in _flagged(role).items():
                yield _with("extension", f"{role} {kind}, {how}", **{role: _value(value, critical)})


def _flagged(role: str) -> dict[str, x509.ExtensionType]:
    if role == "leaf":
        purpose = x509.ExtendedKeyUsage([PURPOSES["server"]])
        return {
            "purpose": purpose,
            "names": hosts(HOST),
            "usage": usage("digital_signature"),
            "constraints": x509.BasicConstraints(False, None),
        }
    return {"usage": usage("key_cert_sign"), "constraints": x509.BasicConstraints(True, None)}


def _omissions() -> Iterator[Chain]:
    for role in ROLES:
        for kind in (x509.AuthorityKeyIdentifier, x509.SubjectKeyIdentifier):
            yield _with("identifier", f"{role} without {kind.__name__}", **{role: _without(kind)})
    yield _with("identifier", "leaf names another key", leaf=_value(x509.AuthorityKeyIdentifier(b"another", None, None)))
    yield _with("names", "none", leaf=_without(x509.SubjectAlternativeName))
    yield _with("names", "common name of another host", leaf={"subject": "other.example.net"})
    yield _with("names", "no subject", leaf={"subject_name": x509.Name([])})
    yield _with("names", "intermediate without subject", intermediate={"subject_name": x509.Name([])})


def _serial_numbers() -> Iterator[Chain]:
    made = hierarchy(leaf={"serial": 0x1122334455667788})
    element = b"\x02\x08" + bytes.fromhex("1122334455667788")
    for detail, octets in (
        ("zero", b"\0"), ("negative", b"\x91"), ("of 20 octets", b"\x11" * 20), ("of 21 octets", b"\x11" * 21),
        ("with a leading zero too many", b"\0\x11"),
    ):  # fmt: skip
        leaf = patched(made.leaf.der, made.intermediate.key, [(element, tagged(2, octets))])
        yield Chain("serial number", detail, [leaf, made.intermediate.der], [made.root.der])


def _encodings() -> Iterator[Chain]:
    made = hierarchy()
    tbs = made.leaf.certificate
    validity = tagged(0x30, _utc(tbs.not_valid_before_utc) + _utc(tbs.not_valid_after_utc))
    general = tagged(0x30, _utc(tbs.not_valid_before_utc) + tagged(0x18, f"{tbs.not_valid_after_utc:%Y%m%d%H%M%S}Z".encode()))
    short = tagged(0x30, _utc(tbs.not_valid_before_utc) + tagged(0x17, f"{tbs.not_valid_after_utc:%y%m%d%H%M}Z".encode()))
    version1 = b"\xa0\x03\x02\x01\x02"
    for detail, patch in (
        ("GeneralizedTime before 2050", (validity, general)),
        ("UTCTime without seconds", (validity, short)),
        ("version 1 with extensions", (version1, b"")),
        ("version 2 with extensions", (version1, b"\xa0\x03\x02\x01\x01")),
    ):
        leaf = patched(made.leaf.der, made.intermediate.key, [patch])
        yield Chain("encoding", detail, [leaf, made.intermediate.der], [made.root.der])
    ecdsa = tagged(6, bytes.fromhex("2a8648ce3d040302"))
    leaf = patched(made.leaf.der, made.intermediate.key, [(tagged(0x30, ecdsa), tagged(0x30, ecdsa + b"\5\0"))])
    yield Chain("encoding", "NULL as the parameters of ECDSA", [leaf, made.intermediate.der], [made.root.der])
    named = hierarchy(leaf={"subject": "Muller"})
    for detail, tag in (("TeletexString", 0x14), ("IA5String", 0x16)):
        patch = tagged(0x0C, b"Muller"), tagged(tag, b"M\xfcller")
        leaf = patched(named.leaf.der, named.intermediate.key, [patch])
        yield Chain("encoding", f"{detail} with eight bits", [leaf, named.intermediate.der], [named.root.der])
    far = hierarchy(leaf={"not_after": datetime(2050, 1, 1, tzinfo=AT.tzinfo)})
    yield Chain("encoding", "GeneralizedTime from 2050", far.chain, [far.root.der])


def _utc(time: datetime) -> bytes:
    return tagged(0x17, f"{time:%y%m%d%H%M%S}Z".encode())


def _orders() -> Iterator[Chain]:
    made = hierarchy()
    leaf, middle, root = made.leaf.der, made.intermediate.der, made.root.der
    other = make_root("Another Root").der
    for detail, sent, roots in (
        ("root too", [leaf, middle, root], [root]), ("root first", [leaf, root, middle], [root]),
        ("duplicate", [leaf, middle, middle], [root]), ("something else", [leaf, other, middle], [root]),
        ("no intermediate", [leaf], [root]), ("another root", [leaf, middle], [other]),
        ("two roots", [leaf, middle], [other, root]),
        ("root of the wrong chain", [leaf, middle, root], [other]),
    ):  # fmt: skip
        yield Chain("order", detail, sent, roots)
    yield _with("signature", "leaf by somebody else", leaf={"signer": ec_key("somebody else")})
    yield _with("signature", "intermediate by somebody else", intermediate={"signer": ec_key("somebody else")})


def _spellings() -> Iterator[Chain]:
    kinds = {
        "BMPString": _ASN1Type.BMPString,
        "PrintableString": _ASN1Type.PrintableString,
        "UniversalString": _ASN1Type.UniversalString,
    }
    for title, kind in kinds.items():
        named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Intermediate", kind)])
        yield _with("spelling", f"intermediate as {title}", intermediate={"subject_name": named})
        root = make_root()
        middle = make_intermediate(root, subject_name=named)
        plain = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Intermediate")])
        leaf = make_leaf(Made(middle.certificate, middle.key), issuer_name=plain)
        yield Chain("spelling", f"{title} under UTF8String", [leaf.der, middle.der], [root.der])
    for title, text in (("other case", "INTERMEDIATE"), ("spaces around", " Intermediate "), ("another name", "Intermediat")):
        root = make_root()
        middle = make_intermediate(root)
        leaf = make_leaf(middle, issuer_name=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)]))
        yield Chain("spelling", title, [leaf.der, middle.der], [root.der])
