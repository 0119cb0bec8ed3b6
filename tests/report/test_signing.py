"""Signatures over manifests: which keys are taken, what is refused, and that openssl accepts them."""

import json
import subprocess
from pathlib import Path
from typing import Any

import authorities
import pytest
from bundles import PASSWORD, certificate, key_file, root, signer
from cryptography.hazmat.primitives.asymmetric import ec, rsa, x25519
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates

from analyzer.report.signing import (
    CertifiedSigner,
    Ed25519Signer,
    SigningError,
    check_ed25519,
    fingerprint,
    read_signer,
    signing_time,
)

MANIFEST = b'{"format": "analyzer bundle"}\n'


def private(kind: str) -> Any:
    return authorities.key(f"Examiner {kind}", kind)


def pkcs12(kind: str, password: bytes | None) -> bytes:
    encryption = NoEncryption() if password is None else BestAvailableEncryption(password)
    return serialize_key_and_certificates(b"me", private(kind), certificate(kind), [root()], encryption)


def openssh() -> bytes:
    data: bytes = private("ed25519").private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    return data


@pytest.mark.parametrize(
    ("form", "password"), [("pem", None), ("pem", PASSWORD), ("openssh", None), ("der", None), ("der", PASSWORD)]
)
def test_an_ed25519_key_signs_alone(form: str, password: bytes | None):
    data = key_file("ed25519", False, password) if form == "pem" else openssh()
    if form == "der":
        encryption = NoEncryption() if password is None else BestAvailableEncryption(password)
        data = private("ed25519").private_bytes(Encoding.DER, PrivateFormat.PKCS8, encryption)
    made = read_signer(data, password)
    assert isinstance(made, Ed25519Signer)
    signature = made.sign(MANIFEST, None)
    assert fingerprint(check_ed25519(MANIFEST, signature)) == made.key_sha256
    assert signature == made.sign(MANIFEST, None)
    if password is not None:
        with pytest.raises(SigningError, match="--sign-password-file"):
            read_signer(data, None)
        with pytest.raises(SigningError, match="password"):
            read_signer(data, b"wrong")


@pytest.mark.peer("openssl")
def test_openssl_checks_an_ed25519_signature(tmp_path: Path):
    signature = json.loads(signer("ed25519", False).sign(MANIFEST, None))
    (tmp_path / "manifest").write_bytes(MANIFEST)
    (tmp_path / "sig").write_bytes(bytes.fromhex(signature["signature"]))
    (tmp_path / "key").write_bytes(key_file("ed25519", False))
    words = ["openssl", "pkeyutl", "-verify", "-rawin", "-inkey", "key", "-in", "manifest", "-sigfile", "sig"]
    assert b"Verified Successfully" in subprocess.run(words, cwd=tmp_path, capture_output=True, check=True).stdout


@pytest.mark.peer("openssl")
@pytest.mark.parametrize("issued_at", [None, "2024-06-01T12:00:00Z"])
@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_openssl_checks_a_cms_signature(tmp_path: Path, kind: str, issued_at: str | None):
    at = signing_time(issued_at)
    (tmp_path / "manifest").write_bytes(MANIFEST)
    (tmp_path / "p7s").write_bytes(signer(kind, True).sign(MANIFEST, at))
    (tmp_path / "root.pem").write_bytes(root().public_bytes(Encoding.PEM))
    words = ["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", "p7s", "-content", "manifest", "-cades"]
    words += ["-CAfile", "root.pem", "-purpose", "any", "-attime", str(int(authorities.AT.timestamp())), "-out", "/dev/null"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, check=False)
    assert (done.returncode, b"successful" in done.stderr) == (0, True), done.stderr
    printed = subprocess.run(
        ["openssl", "cms", "-cmsout", "-print", "-noout", "-inform", "DER", "-in", "p7s"], cwd=tmp_path, capture_output=True
    ).stdout
    assert (b"signingTime" in printed) == (at is not None)
    (tmp_path / "manifest").write_bytes(MANIFEST.replace(b"bundle", b"bundel"))
    assert subprocess.run(words, cwd=tmp_path, capture_output=True, check=False).returncode != 0


@pytest.mark.parametrize("password", [None, PASSWORD])
@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_a_key_with_its_certificate_signs(kind: str, password: bytes | None):
    for data in (key_file(kind, True, password), pkcs12(kind, password)):
        made = read_signer(data, password)
        assert isinstance(made, CertifiedSigner)
        assert made.sign(MANIFEST, None) == made.sign(MANIFEST, None)
        assert made.certificate_sha256 is not None
        if password is not None:
            with pytest.raises(SigningError, match="--sign-password-file"):
                read_signer(data, None)
            with pytest.raises(SigningError, match="password"):
                read_signer(data, b"wrong")


def pem(key: Any) -> bytes:
    data: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return data


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no private key"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "cannot be read"),
        (b"-----BEGIN PRIVATE KEY-----\n", "no private key"),
        (b"\x30\x03\x02\x01\x00", "PKCS #12"),
        (b"\x30" + bytes(2 << 20), "no file with a key"),
        (key_file("rsa", False), "certificate of the key is missing"),
        (key_file("ec", False), "certificate of the key is missing"),
        (key_file("rsa", False) + certificate("ec").public_bytes(Encoding.PEM), "no certificate in the file belongs"),
        (certificate("ec").public_bytes(Encoding.PEM), "no private key"),
        (pem(rsa.generate_private_key(65537, 1024)), "too short"),
        (pem(x25519.X25519PrivateKey.generate()), "none of Ed25519"),
        (pem(ec.generate_private_key(ec.SECP256R1())) + b"-----BEGIN CERTIFICATE-----\nAAAA\n", "cannot be read"),
    ],
    ids=range(12),
)
def test_a_key_that_cannot_sign_is_refused_with_the_reason(data: bytes, why: str):
    with pytest.raises(SigningError, match=why) as caught:
        read_signer(data)
    assert "\n" not in str(caught.value)


def test_every_flipped_bit_of_manifest_and_signature_is_noticed():
    signature = signer("ed25519", False).sign(MANIFEST, None)
    check_ed25519(MANIFEST, signature)
    for at in range(len(signature)):
        for bit in (0, 5):
            changed = bytearray(signature)
            changed[at] ^= 1 << bit
            with pytest.raises(SigningError):
                check_ed25519(MANIFEST, bytes(changed))
    for at in range(len(MANIFEST)):
        changed = bytearray(MANIFEST)
        changed[at] ^= 1
        with pytest.raises(SigningError):
            check_ed25519(bytes(changed), signature)


@pytest.mark.parametrize("data", [b"", b"[" * 4000, b"{}", b"\xff", b"1" * 4000, b"null", b"x" * 5000])
def test_a_hostile_signature_file_is_an_error(data: bytes):
    with pytest.raises(SigningError):
        check_ed25519(MANIFEST, data)


def test_a_signature_of_another_key_with_swapped_names_is_noticed():
    mine = json.loads(signer("ed25519", False).sign(MANIFEST, None))
    other = json.loads(Ed25519Signer(authorities.key("other", "ed25519")).sign(MANIFEST, None))
    swapped = {**mine, "signature": other["signature"]}
    with pytest.raises(SigningError):
        check_ed25519(MANIFEST, json.dumps(swapped, sort_keys=True, separators=(",", ":")).encode() + b"\n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, None),
        ("2026-11-28T12:30:15Z", "2026-11-28T12:30:15+00:00"),
        ("2026-11-28T12:30:15.123456789Z", "2026-11-28T12:30:15+00:00"),
        ("2026-11-28T12:30:15.5+02:00", "2026-11-28T10:30:15+00:00"),
        ("2026-11-28", "2026-11-28T00:00:00+00:00"),
    ],
)
def test_the_time_of_issue_is_read(text: str | None, expected: str | None):
    at = signing_time(text)
    assert (None if at is None else at.isoformat()) == expected


def test_a_time_that_is_none_is_an_error():
    with pytest.raises(SigningError):
        signing_time("yesterday")
