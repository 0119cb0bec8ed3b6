"""Certificates as `cryptography` reads them, wherever it can, and as the captures with known answers have them."""

import base64
import gzip
import ipaddress
import json
import os
import subprocess
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from analyzer.x509.certificate import certificate
from analyzer.x509.der import encode_object_identifier
from analyzer.x509.public_key import PublicKey

CORPUS = Path(os.environ["ANALYZER_CORPUS"])

PRIME_FIELD = encode_object_identifier("1.2.840.10045.1.1")
"""Part of a key with explicit curve parameters."""


def same_as_cryptography(der: bytes) -> int:
    """Compare every field that `cryptography` can read. Return their number."""
    read = certificate(der)
    with warnings.catch_warnings(action="ignore"):
        try:
            theirs = x509.load_der_x509_certificate(der)
        except ValueError:
            return 0
        compared = 0
        for field, value in fields_by_cryptography(theirs):
            ours = getattr(read, field)
            assert ours == value, (field, der.hex())
            compared += 1
    return compared


def fields_by_cryptography(theirs: x509.Certificate) -> Iterator[tuple[str, object]]:
    yield "signature_algorithm", theirs.signature_algorithm_oid._name.replace("ML-DSA", "ml-dsa")
    yield "not_before", theirs.not_valid_before_utc.strftime("%Y-%m-%dT%H:%M:%SZ")
    yield "not_after", theirs.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ")
    serial = f"{abs(theirs.serial_number):x}"
    yield "serial", "-" * (theirs.serial_number < 0) + "0" * (len(serial) % 2) + serial
    try:
        yield "subject", theirs.subject.rfc4514_string()
        yield "issuer", theirs.issuer.rfc4514_string()
    except ValueError:
        pass
    try:
        their_key = theirs.public_key()
        if isinstance(their_key, rsa.RSAPublicKey):
            yield "public_key", PublicKey("rsa", bits=their_key.key_size)
        elif isinstance(their_key, dsa.DSAPublicKey):
            yield "public_key", PublicKey("dsa", bits=their_key.key_size)
        elif isinstance(their_key, ec.EllipticCurvePublicKey) and PRIME_FIELD not in theirs.tbs_certificate_bytes:
            yield "public_key", PublicKey("ec", curve=their_key.curve.name)
        elif isinstance(their_key, ed25519.Ed25519PublicKey):
            yield "public_key", PublicKey("ed25519")
    except (ValueError, UnsupportedAlgorithm):
        pass
    try:
        names = theirs.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        yield "subject_alt_names", tuple(map(alternative_name, names))
    except x509.ExtensionNotFound:
        yield "subject_alt_names", ()
    except (ValueError, TypeError, x509.DuplicateExtension):
        pass


def alternative_name(theirs: x509.GeneralName) -> str:
    match theirs:
        case x509.DNSName(value=value):
            return f"DNS:{value}" if value.replace(".", "").isdigit() else value
        case x509.IPAddress(value=value):
            if isinstance(value, ipaddress.IPv4Network | ipaddress.IPv6Network):
                raise TypeError("a network is no alternative name")
            return str(value)
        case x509.RFC822Name(value=value):
            return f"email:{value}"
        case x509.UniformResourceIdentifier(value=value):
            return f"URI:{value}"
        case x509.DirectoryName(value=value):
            return f"dirName:{value.rfc4514_string()}"
        case x509.OtherName(type_id=type_id):
            return f"otherName:{type_id.dotted_string}"
    raise AssertionError(theirs)


def test_agrees_with_cryptography_on_its_own() -> None:
    issuer = ec.generate_private_key(ec.SECP384R1())
    for subject in (issuer, ec.generate_private_key(ec.SECP521R1()), ed25519.Ed25519PrivateKey.generate()):
        names = [x509.DNSName("a.example"), x509.IPAddress(ipaddress.ip_address("2001:db8::a")), x509.RFC822Name("x@a.example")]
        made = (
            x509.CertificateBuilder()
            .subject_name(x509.Name.from_rfc4514_string(r"CN=A\, B+UID=7,O=Größe,DC=example"))
            .issuer_name(x509.Name([]))
            .serial_number(x509.random_serial_number())
            .not_valid_before(datetime(1999, 12, 31, 23, 59, 59, tzinfo=UTC))
            .not_valid_after(datetime(2099, 1, 1, tzinfo=UTC))
            .public_key(subject.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .sign(issuer, hashes.SHA256())
        )
        assert same_as_cryptography(made.public_bytes(Encoding.DER)) == 8


@pytest.mark.corpus
def test_limbo() -> None:
    with gzip.open(CORPUS / "x509-limbo" / "limbo.json.gz", "rt") as file:
        cases = json.load(file)["testcases"]
    pems = {
        pem for case in cases for pem in (case["peer_certificate"], *case["untrusted_intermediates"], *case["trusted_certs"])
    }
    certificates = [base64.b64decode("".join(line for line in pem.splitlines() if "-----" not in line)) for pem in pems]
    assert sum(map(same_as_cryptography, certificates)) > 7 * len(certificates)
    for der in certificates:
        assert certificate(der).subject is not None


ANOMALOUS_CAPTURES = (
    "ja4/badcurveball.pcap",
    "zeek/tls/CVE-2015-3194.pcap",
    "zeek/tls/cert-no-cn.pcap",
    "zeek/tls/ml-dsa-44-cert.pcap",
    "zeek/tls/x509-generalizedtime.pcap",
)


def expected_certificates() -> dict[str, dict[str, dict[str, object]]]:
    """Return, for some captures, a dict from SHA-256 to the expected values. First the unusual ones, then those with most new
    ones."""
    by_capture: dict[str, dict[str, dict[str, object]]] = {}
    for path in sorted((CORPUS / "expected").rglob("*.jsonl")):
        sessions = [json.loads(line) for line in path.read_text().splitlines()]
        by_capture[str(path.relative_to(CORPUS / "expected"))[:-6]] = {
            one["sha256"]: one for session in sessions for side in session.get("certificates", {}).values() for one in side
        }
    chosen: dict[str, dict[str, dict[str, object]]] = {}
    seen: set[str] = set()
    for capture, found in sorted(by_capture.items(), key=lambda item: (item[0] not in ANOMALOUS_CAPTURES, -len(item[1]))):
        if found.keys() - seen and len(chosen) < 25:
            chosen[capture] = found
            seen |= found.keys()
    return chosen


def certificates_by_tshark(capture: str) -> set[bytes]:
    field = "tls.handshake.certificate"
    command = ["tshark", "-r", str(CORPUS / capture), "-Y", field, "-T", "fields", "-e", field]
    printed = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return {bytes.fromhex(octets) for line in printed.splitlines() for octets in line.split(",") if octets}


@pytest.mark.corpus
@pytest.mark.peer("tshark")
def test_captures_with_known_answers() -> None:
    expected = expected_certificates()
    known = {sha256: one for found in expected.values() for sha256, one in found.items()}
    with ThreadPoolExecutor(2) as pool:
        found = set().union(*pool.map(certificates_by_tshark, expected))
    compared = 0
    for der in found:
        read = certificate(der)
        same_as_cryptography(der)
        one = known.get(read.sha256)
        if one is None:
            continue
        compared += 1
        assert int(read.serial or "", 16) == int(str(one.get("serial", read.serial)), 16)
        for field in ("not_before", "not_after"):
            if field in one:
                assert getattr(read, field) == str(one[field]).replace("Z", "Z")
        if "public_key" in one:
            assert read.public_key is not None
            assert read.public_key.record() == one["public_key"]
    assert compared > 0.8 * len(known)
