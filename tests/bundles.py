"""Small bundles and keys for tests of what proves a report."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import authorities
import typst
from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

from analyzer.report.bundle import BundleFile, Written, write_bundle
from analyzer.report.signing import Signer, read_signer

PASSWORD = b"correct horse"
CAPTURE = b"not a capture, but an input"

FACTS: dict[str, Any] = {
    "tool": {"name": "analyzer", "version": "0", "build": "compiled"},
    "command": ["report", "a.pcap"],
    "options": {"language": "en"},
    "issued_at": None,
    "evidence": {
        "inputs": [
            {
                "path": "a.pcap",
                "size": len(CAPTURE),
                "sha256": hashlib.sha256(CAPTURE).hexdigest(),
                "sha256_after": hashlib.sha256(CAPTURE).hexdigest(),
                "unchanged": True,
            }
        ],
        "key_logs": [{"path": "keys.log", "size": 0, "sha256": hashlib.sha256(b"").hexdigest()}],
        "trust": [{"store": "mozilla", "date": "2026-10-19", "roots": 117}],
    },
}


@cache
def pdf() -> bytes:
    """A PDF/A-2b file."""
    return typst.compile(b"= Report\nOne page.", pdf_standards=["a-2b"])


@cache
def root() -> x509.Certificate:
    usage = authorities.key_usage("key_cert_sign", "crl_sign")
    return authorities.issue("Root", "Root", x509.BasicConstraints(ca=True, path_length=None), usage, serial=1)


@cache
def certificate(kind: str) -> x509.Certificate:
    return authorities.issue(f"Examiner {kind}", "Root", kind=kind)


def key_file(kind: str, certified: bool, password: bytes | None = None) -> bytes:
    """A private key in PEM: of `ed25519`, `rsa` or `ec`, with its certificate behind it."""
    encryption = NoEncryption() if password is None else BestAvailableEncryption(password)
    key = authorities.key(f"Examiner {kind}", kind).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
    return key + (certificate(kind).public_bytes(Encoding.PEM) if certified else b"")


def signer(kind: str, certified: bool) -> Signer:
    return read_signer(key_file(kind, certified))


def bundle(folder: Path, signed_by: Signer | None = None, facts: dict[str, Any] | None = None) -> Written:
    """Write a bundle with three files and a PDF."""
    files = [
        BundleFile("report.json", b'{"a": [1, 2]}\n', "application/json"),
        BundleFile("report.html", b"<!doctype html><title>x</title>\n", "text/html"),
        BundleFile("sessions.jsonl", b'{"id": 0}\n{"id": 1}\n', "application/jsonl"),
        BundleFile("report.pdf", pdf(), "application/pdf"),
    ]
    return write_bundle(str(folder), FACTS if facts is None else facts, files, signer=signed_by)


def contents(folder: Path) -> dict[str, bytes]:
    """The bytes of all files by name."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}
