"""Verdicts on hierarchies made for each problem: every code appears when it must, and no code when it must not."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier
from hierarchy import (
    AT,
    HOST,
    Hierarchy,
    Made,
    ec_key,
    hierarchy,
    hosts,
    leaf_extensions,
    make,
    make_intermediate,
    make_leaf,
    make_root,
    name,
    patched,
    rsa_key,
    tagged,
    usage,
)
from second_opinion import differences, is_valid

import analyzer.x509
from analyzer.x509 import Judge, judge_chain
from analyzer.x509.must_staple import Staple
from analyzer.x509.verdict import WEIGHTS, Verdict


@dataclass
class Case:
    """A hierarchy with a fault, and the expected codes."""

    made: Hierarchy
    expected: list[tuple[str, int | None]]
    at: datetime = AT
    name: str | None = HOST
    purpose: str = "server"
    more: dict[str, Any] = field(default_factory=dict)
    roots: list[bytes] | None = None
    chain: list[bytes] | None = None
    staple: Staple | None = None

    def judge(self, *, strict: bool = False) -> Verdict:
        roots = [self.made.root.der] if self.roots is None else self.roots
        chain = self.made.chain if self.chain is None else self.chain
        if self.staple is not None:
            judge = Judge(roots, strict=strict)
            return judge.judge(chain, at=self.at, name=self.name, purpose=self.purpose, staple=self.staple)
        return judge_chain(chain, roots=roots, at=self.at, name=self.name, purpose=self.purpose, strict=strict, **self.more)


def _codes(verdict: Verdict) -> list[tuple[str, int | None]]:
    return [(problem.code, problem.certificate) for problem in verdict.problems]


def _changed(value: x509.ExtensionType | None, critical: bool, kind: type[x509.ExtensionType] | None = None) -> dict[str, Any]:
    return {"changed": {kind or type(value): None if value is None else (value, critical)}}


def _with_leaf(leaf: Callable[[Made], bytes]) -> Hierarchy:
    """Return the valid hierarchy with a leaf of other bytes."""
    made = hierarchy()
    return Hierarchy(made.root, made.intermediate, Made(x509.load_der_x509_certificate(leaf(made.intermediate)), None))


def _alone(**changes: Any) -> Made:
    return make(HOST, extensions=leaf_extensions(), **changes)


def _self_signed() -> Case:
    return Case(hierarchy(), [("self_signed", 0)], chain=[_alone().der])


def _swapped_signature() -> Case:
    return Case(hierarchy(leaf={"signer": ec_key("somebody else")}), [("bad_signature", 0)])


def _sha1() -> Case:
    made = hierarchy(intermediate={"key": rsa_key(2048)})
    sha256, sha1 = bytes.fromhex("2a864886f70d01010b"), bytes.fromhex("2a864886f70d010105")
    leaf = patched(made.leaf.der, made.intermediate.key, [(sha256, sha1)], hashes.SHA1())
    return Case(made, [("weak_signature", 0)], chain=[leaf, made.intermediate.der])


def _negative_serial() -> Case:
    made = hierarchy(leaf={"serial": 0x1122334455667788})
    number = bytes.fromhex("1122334455667788")
    leaf = patched(made.leaf.der, made.intermediate.key, [(number, b"\x91" + number[1:])])
    return Case(made, [("non_conforming", 0)], chain=[leaf, made.intermediate.der])


def _anomalous_time() -> Case:
    made = hierarchy()
    leaf = patched(made.leaf.der, made.intermediate.key, [(b"\x17\x0d240909120000Z", b"\x17\x0b2409091200Z")])
    return Case(made, [("malformed", 0)], chain=[leaf, made.intermediate.der])


def _constraints(*permitted: x509.GeneralName, excluded: tuple[x509.GeneralName, ...] = ()) -> dict[str, Any]:
    return _changed(x509.NameConstraints(list(permitted) or None, list(excluded) or None), True)


def _unknown_root() -> Case:
    made = hierarchy()
    other = make_root("Another Root")
    return Case(made, [("unknown_issuer", 2)], chain=[*made.chain, made.root.der], roots=[other.der])


def _two_intermediates() -> Hierarchy:
    root = make_root()
    first = make_intermediate(root, "First", **_changed(x509.BasicConstraints(True, 0), True))
    second = make_intermediate(first, "Second")
    return Hierarchy(root, first, make_leaf(second))


def _too_long() -> Case:
    root = make_root()
    first = make_intermediate(root, "First", **_changed(x509.BasicConstraints(True, 0), True))
    second = make_intermediate(first, "Second")
    leaf = make_leaf(second)
    return Case(Hierarchy(root, first, leaf), [("path_too_long", 2)], chain=[leaf.der, second.der, first.der])


def _dsa_leaf() -> Hierarchy:
    return hierarchy(leaf={"key": dsa.generate_private_key(1024)})


def _version_1(predating: bool) -> Case:
    """Return a case with a root of version 1, which is older than extensions: the valid root without extensions and version."""
    made = hierarchy(root={"not_before": datetime(1999, 1, 1, tzinfo=UTC)} if predating else None)
    signed = made.root.certificate.tbs_certificate_bytes
    extensions = next(signed[i:] for i in range(len(signed)) if signed[i] == 0xA3 and signed[i + 1] == len(signed) - i - 2)
    root = patched(made.root.der, made.root.key, [(b"\xa0\x03\x02\x01\x02", b""), (extensions, b"")])
    return Case(made, [] if predating else [("non_conforming", None), ("not_a_ca", None)], roots=[root])


def _untrusted_version_1() -> Case:
    made = _version_1(predating=True)
    root = made.roots or []
    return Case(made.made, [("unknown_issuer", 2)], chain=[*made.made.chain, *root], roots=[])


def _written_out() -> Case:
    basic = x509.UnrecognizedExtension(ObjectIdentifier("2.5.29.19"), bytes.fromhex("3003010100"))
    return Case(hierarchy(leaf={"extra": [basic], **_changed(None, True, x509.BasicConstraints)}), [])


def _server_gated(not_before: datetime, expected: list[tuple[str, int | None]]) -> Case:
    purposes = x509.ExtendedKeyUsage([ObjectIdentifier("2.16.840.1.113730.4.1")])
    return Case(hierarchy(intermediate={"not_before": not_before, **_changed(purposes, False)}), expected)


def _root_without_identifier(year: int) -> Hierarchy:
    bare = _changed(None, False, x509.SubjectKeyIdentifier)
    return hierarchy(root={"not_before": datetime(year, 1, 1, tzinfo=UTC), **bare})


def _other_names() -> dict[str, Any]:
    addresses = [x509.IPAddress(ip_address(text)) for text in ("192.0.2.1", "2001:db8::1")]
    return _changed(x509.SubjectAlternativeName([*addresses, x509.DNSName("xn--bcher-kva.example")]), False)


def _revoked() -> Case:
    made = hierarchy()
    issuer = made.intermediate
    entry = x509.RevokedCertificateBuilder(made.leaf.certificate.serial_number, AT - timedelta(days=1)).build()
    builder = x509.CertificateRevocationListBuilder(issuer.certificate.subject, AT - timedelta(days=1), AT + timedelta(days=1))
    builder = builder.add_revoked_certificate(entry).add_extension(x509.CRLNumber(1), False)
    crl = builder.sign(issuer.key, hashes.SHA256()).public_bytes(Encoding.DER)
    return Case(made, [("revoked", 0)], more={"crls": [crl]})


def _unstapled() -> Case:
    made = hierarchy(leaf=_changed(x509.TLSFeature([x509.TLSFeatureType.status_request]), False))
    return Case(made, [("staple_missing", 0)], staple=Staple(True))


UNKNOWN = x509.UnrecognizedExtension(ObjectIdentifier("1.3.6.1.4.1.55738.666.1"), b"\x05\x00")
CODE_SIGNING = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING])
ANY_PURPOSE = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE])
PSS = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
ED25519 = ed25519.Ed25519PrivateKey.generate()
CLIENT: dict[type[x509.ExtensionType], tuple[x509.ExtensionType, bool] | None] = {
    x509.ExtendedKeyUsage: (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False)
}

CASES: dict[str, Callable[[], Case]] = {
    "good": lambda: Case(hierarchy(), []),
    "good, root sent too": lambda: Case(made := hierarchy(), [], chain=[*made.chain, made.root.der]),
    "good, without a name to judge": lambda: Case(hierarchy(), [], name=None),
    "good in its first second": lambda: Case(hierarchy(leaf={"not_before": AT}), [], at=AT),
    "good in its last second": lambda: Case(hierarchy(leaf={"not_after": AT}), [], at=AT + timedelta(microseconds=999_999)),
    "good for an address": lambda: Case(hierarchy(leaf={"subject": "A server", **_other_names()}), [], name="2001:db8:0::1"),
    "good for a name in Unicode": lambda: Case(
        hierarchy(leaf={"subject": "A server", **_other_names()}), [], name="bücher.example"
    ),
    "good for hosts of a domain": lambda: Case(hierarchy(leaf=_changed(hosts("*.example.com"), False)), []),
    "good client": lambda: Case(hierarchy(leaf={"changed": CLIENT}), [], name=None, purpose="client"),
    "good client without names": lambda: Case(
        hierarchy(leaf={"changed": CLIENT | {x509.SubjectAlternativeName: None}}), [], name=None, purpose="client"
    ),
    "client certificate of a server": lambda: Case(hierarchy(leaf={"changed": CLIENT}), [("wrong_purpose", 0)]),
    "leaf for every purpose": lambda: Case(hierarchy(leaf=_changed(ANY_PURPOSE, False)), [("wrong_purpose", 0)]),
    "intermediate for every purpose": lambda: Case(hierarchy(intermediate=_changed(ANY_PURPOSE, False)), []),
    "good without purposes": lambda: Case(hierarchy(leaf=_changed(None, False, x509.ExtendedKeyUsage)), []),
    "good RSA keys": lambda: Case(hierarchy(root={"key": rsa_key(2048)}, intermediate={"key": rsa_key(2048)}), []),
    "good PSS": lambda: Case(hierarchy(root={"key": rsa_key(2048)}, intermediate={"rsa_padding": PSS}), []),
    "good Ed25519": lambda: Case(hierarchy(root={"key": ED25519}), []),
    "good Ed448": lambda: Case(hierarchy(intermediate={"key": ed448.Ed448PrivateKey.generate()}), []),
    "root of version 1": lambda: _version_1(predating=True),
    "new root of version 1": lambda: _version_1(predating=False),
    "old root without subject key identifier": lambda: Case(_root_without_identifier(2010), []),
    "new root without subject key identifier": lambda: Case(_root_without_identifier(2024), [("non_conforming", None)]),
    "revoked": _revoked,
    "must be stapled": _unstapled,
    "cA FALSE written out": _written_out,
    "server gated cryptography": lambda: _server_gated(datetime(2010, 1, 1, tzinfo=UTC), []),
    "late server gated cryptography": lambda: _server_gated(datetime(2017, 1, 1, tzinfo=UTC), [("wrong_purpose", 1)]),
    "untrusted old root of version 1": _untrusted_version_1,
    "expired leaf": lambda: Case(hierarchy(leaf={"not_after": AT - timedelta(seconds=1)}), [("expired", 0)]),
    "expired intermediate": lambda: Case(hierarchy(intermediate={"not_after": AT - timedelta(days=1)}), [("expired", 1)]),
    "expired root": lambda: Case(hierarchy(root={"not_after": AT - timedelta(days=1)}), [("expired", None)]),
    "leaf not yet valid": lambda: Case(hierarchy(leaf={"not_before": AT + timedelta(seconds=1)}), [("not_yet_valid", 0)]),
    "root not yet valid": lambda: Case(hierarchy(root={"not_before": AT + timedelta(days=1)}), [("not_yet_valid", None)]),
    "self-signed leaf": _self_signed,
    "self-signed leaf of another name": lambda: Case(
        hierarchy(), [("self_signed", 0), ("name_mismatch", 0)], chain=[_alone().der], name="other.example"
    ),
    "leaf that has not signed itself": lambda: Case(
        hierarchy(), [("unknown_issuer", 0), ("bad_signature", 0)], chain=[_alone(signer=ec_key("somebody else")).der]
    ),
    "self-signed leaf that is trusted": lambda: Case(
        hierarchy(), [], chain=[leaf := make(HOST, extensions=leaf_extensions()).der], roots=[leaf]
    ),
    "root sent as the leaf": lambda: Case(made := hierarchy(), [("no_name", 0)], chain=[made.root.der]),
    "no intermediate": lambda: Case(made := hierarchy(), [("unknown_issuer", 0)], chain=made.chain[:1]),
    "no root": lambda: Case(hierarchy(), [("unknown_issuer", 1)], roots=[]),
    "another root": _unknown_root,
    "another host": lambda: Case(hierarchy(), [("name_mismatch", 0)], name="other.example.com"),
    "an address": lambda: Case(hierarchy(), [("name_mismatch", 0)], name="192.0.2.1"),
    "no alternative names": lambda: Case(hierarchy(leaf=_changed(None, False, x509.SubjectAlternativeName)), [("no_name", 0)]),
    "only a mailbox": lambda: Case(
        hierarchy(leaf=_changed(x509.SubjectAlternativeName([x509.RFC822Name("a@example.com")]), False)), [("no_name", 0)]
    ),
    "signed by somebody else": _swapped_signature,
    "intermediate signed by somebody else": lambda: Case(
        hierarchy(intermediate={"signer": ec_key("somebody else")}), [("bad_signature", 1)]
    ),
    "leaf as authority": lambda: Case(
        hierarchy(intermediate=_changed(x509.BasicConstraints(False, None), True)), [("not_a_ca", 1)]
    ),
    "authority without basic constraints": lambda: Case(
        hierarchy(intermediate=_changed(None, True, x509.BasicConstraints)), [("not_a_ca", 1)]
    ),
    "authority that may not sign": lambda: Case(hierarchy(intermediate=_changed(usage("crl_sign"), True)), [("not_a_ca", 1)]),
    "path length": _too_long,
    "path length of the root": lambda: Case(
        hierarchy(root=_changed(x509.BasicConstraints(True, 0), True)), [("path_too_long", None)]
    ),
    "depth": lambda: Case(hierarchy(), [("path_too_long", 0)], more={"max_depth": 0}),
    "depth enough": lambda: Case(hierarchy(), [], more={"max_depth": 1}),
    "host not permitted": lambda: Case(
        hierarchy(intermediate=_constraints(x509.DNSName("other.example"))), [("name_constraint", 0)]
    ),
    "host excluded": lambda: Case(
        hierarchy(root=_constraints(excluded=(x509.DNSName("example.com"),))), [("name_constraint", 0)]
    ),
    "host permitted": lambda: Case(hierarchy(intermediate=_constraints(x509.DNSName("example.com"))), []),
    "directory name not permitted": lambda: Case(
        hierarchy(intermediate=_constraints(x509.DirectoryName(name("Nobody")))), [("name_constraint", 0)]
    ),
    "purpose of the leaf": lambda: Case(hierarchy(leaf=_changed(CODE_SIGNING, False)), [("wrong_purpose", 0)]),
    "purpose of the intermediate": lambda: Case(hierarchy(intermediate=_changed(CODE_SIGNING, False)), [("wrong_purpose", 1)]),
    "key usage of the leaf": lambda: Case(hierarchy(leaf=_changed(usage("data_encipherment"), True)), [("wrong_purpose", 0)]),
    "server certificate of a client": lambda: Case(hierarchy(), [("wrong_purpose", 0)], purpose="client", name=None),
    "short RSA key in the leaf": lambda: Case(hierarchy(leaf={"key": rsa_key(1024)}), [("weak_key", 0)]),
    "short RSA key in the root": lambda: Case(hierarchy(root={"key": rsa_key(1024)}), [("weak_key", None)]),
    "DSA key": lambda: Case(_dsa_leaf(), [("weak_key", 0)]),
    "small curve": lambda: Case(hierarchy(leaf={"key": ec.generate_private_key(ec.SECP192R1())}), [("weak_key", 0)]),
    "SHA-1": _sha1,
    "unknown critical extension": lambda: Case(hierarchy(leaf=_changed(UNKNOWN, True)), [("unknown_critical_extension", 0)]),
    "unknown extension": lambda: Case(hierarchy(leaf=_changed(UNKNOWN, False)), []),
    "unknown critical extension of the root": lambda: Case(
        hierarchy(root=_changed(UNKNOWN, True)), [("unknown_critical_extension", None)]
    ),
    "negative serial number": _negative_serial,
    "time without seconds": _anomalous_time,
    "no authority key identifier": lambda: Case(
        hierarchy(leaf=_changed(None, False, x509.AuthorityKeyIdentifier)), [("non_conforming", 0)]
    ),
    "common name of another host": lambda: Case(hierarchy(leaf={"subject": "other.example.net"}), [("non_conforming", 0)]),
    "common name of nobody's host": lambda: Case(hierarchy(leaf={"subject": "A server of ours"}), []),
    "underscore": lambda: Case(
        hierarchy(leaf={"subject": "A server", **_changed(hosts("a_b.example.com"), False)}),
        [("non_conforming", 0)],
        name="a_b.example.com",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_each_problem_appears_when_and_only_when_it_should(case: str) -> None:
    made = CASES[case]()
    verdict = made.judge()
    assert _codes(verdict) == made.expected, verdict.problems
    assert verdict.valid == all(code == "non_conforming" for code, _ in made.expected)
    assert made.judge(strict=True).valid == (not made.expected)
    for problem in verdict.problems:
        assert problem.code in WEIGHTS
        assert problem.detail


@pytest.mark.parametrize(
    ("bits", "key_use", "allowed"),
    [
        (("digital_signature",), "signature", True),
        (("digital_signature",), "encipherment", False),
        (("key_encipherment",), "signature", False),
        (("key_encipherment",), "encipherment", True),
        (("digital_signature", "key_encipherment"), "signature", True),
        (("digital_signature", "key_encipherment"), "encipherment", True),
        (("key_agreement",), "signature", False),
        (("key_encipherment",), "", True),
    ],
)
def test_the_key_usage_allows_what_the_handshake_does(bits: tuple[str, ...], key_use: str, allowed: bool) -> None:
    made = hierarchy(leaf=_changed(usage(*bits), True))
    verdict = Judge([made.root.der]).judge(made.chain, at=AT, name=HOST, key_use=key_use)
    assert _codes(verdict) == ([] if allowed else [("wrong_purpose", 0)])


def test_without_a_key_usage_every_use_is_allowed() -> None:
    made = hierarchy(leaf=_changed(None, False, x509.KeyUsage))
    for key_use in ("signature", "encipherment", ""):
        assert Judge([made.root.der]).judge(made.chain, at=AT, name=HOST, key_use=key_use).valid


@pytest.mark.parametrize(("field", "valid"), [(b"", True), (b"\xa3\x03\x02\x01\x01", True), (b"\xa3\x03\x02\x01\x02", False)])
def test_rsassa_pss_has_one_trailer_field(field: bytes, valid: bool) -> None:
    """RFC 4055, section 3.1. The parameters of a signature with PSS, written again with a trailer field."""
    made = hierarchy(intermediate={"key": rsa_key(2048)}, leaf={"rsa_padding": PSS})
    whole = made.leaf.certificate
    algorithm = whole.public_bytes(Encoding.DER)[4 + len(whole.tbs_certificate_bytes) :]
    algorithm = algorithm[: 2 + algorithm[1]]
    kind, parameters = algorithm[2:13], algorithm[15:]
    other = tagged(0x30, kind + tagged(0x30, parameters + field))
    signed = whole.tbs_certificate_bytes.replace(algorithm, other)
    signed = tagged(0x30, signed[4:])
    signature = made.intermediate.key.sign(signed, PSS, hashes.SHA256())
    leaf = tagged(0x30, signed + other + tagged(0x03, b"\0" + signature))
    verdict = judge_chain([leaf, made.intermediate.der], roots=[made.root.der], at=AT, name=HOST)
    assert verdict.valid == valid, verdict.problems
    assert valid or _codes(verdict) == [("malformed", 0)]


def test_every_code_has_its_case() -> None:
    assert {code for case in CASES.values() for code, _ in case().expected} == WEIGHTS.keys()


def test_every_difference_from_cryptography_is_argued() -> None:
    found = {}
    for name_of_case, case in CASES.items():
        made = case()
        # It gives no verdict for a server without a name or with a name in Unicode, and reads no revocation lists.
        if (
            (made.name or "").isascii() is False
            or (made.name is None and made.purpose == "server")
            or "crls" in made.more
            or made.staple
        ):
            continue
        chain, ours = made.chain or made.made.chain, made.judge(strict=True).valid
        roots = [made.made.root.der] if made.roots is None else made.roots
        if is_valid(chain, roots, at=made.at, name=made.name, max_depth=made.more.get("max_depth")) != ours:
            found[name_of_case] = ours
    assert found == {case: row.ours for case, row in differences("own hierarchies").items()}


def test_reading_certificates_does_not_load_the_judge() -> None:
    program = "import sys, analyzer.x509, analyzer.x509.certificate; print('cryptography' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "False\n"


def test_what_the_package_offers() -> None:
    assert analyzer.x509.__all__ == ["Judge", "judge_chain"]
    with pytest.raises(AttributeError):
        analyzer.x509.nothing  # noqa: B018 - it must raise
