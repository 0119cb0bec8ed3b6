"""Certificates in which all text is hostile: none of it reaches a terminal, a table cell, or a file name."""

import csv
import io
import json
from pathlib import Path

import pytest
from conversations import packetise
from cryptography import x509
from flights import flights
from hierarchy import make

from .conftest import Run, pcap

HOSTILE = "=cmd|'/C calc'!A0\x1b]0;owned\x07\u202egpj.exe\n../../etc/passwd"


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOSTILE[:64])])
    text = HOSTILE.encode("ascii", "replace").decode()
    url = x509.UniformResourceIdentifier(text)
    made = make(
        "x",
        subject_name=name,
        extensions=[
            (x509.SubjectAlternativeName([x509.DNSName(text), x509.RFC822Name(text), url]), False),
            (x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier("1.2.3"), [text])]), False),
            (x509.CRLDistributionPoints([x509.DistributionPoint([url], None, None, None)]), True),
        ],
    )
    said = flights([made.der, b"\x1b]0;junk\x07" * 9], "a\x1b[2Jb\u202e.example", staple=HOSTILE.encode())
    path = tmp_path_factory.mktemp("hostile") / "hostile.pcap"
    path.write_bytes(pcap(*(segment.frame() for segment in packetise(said))))
    return path


@pytest.mark.parametrize(
    "arguments",
    [
        ("certificates",), ("certificates", "--long"), ("certificates", "--format", "csv"), ("summary",), ("sessions",),
        ("sessions", "--format", "csv"), ("show", 0),
    ],
)  # fmt: skip
def test_text_is_harmless(run: Run, capture: Path, arguments: tuple[object, ...]):
    command, *options = arguments
    ran = run(command, capture, *options)
    text = ran.out.decode()
    assert ran.status == 0
    assert all(character.isprintable() or character in "\r\n" for character in text)
    assert "\\x1b" in text


def test_no_cell_is_a_formula(run: Run, capture: Path):
    for row in csv.reader(io.StringIO(run("certificates", capture, "--format", "csv").out.decode())):
        assert not any(cell.startswith(("=", "+", "-", "@")) for cell in row)


def test_json_escapes_it_and_file_names_are_chosen_by_the_program(run: Run, capture: Path, tmp_path: Path):
    ran = run("certificates", capture, "--format", "json", "--pem", tmp_path / "pem")
    records = [json.loads(line) for line in ran.out.splitlines()]
    assert b"\x1b" not in ran.out
    assert sorted(path.name for path in (tmp_path / "pem").iterdir()) == sorted(f"{one['sha256']}.pem" for one in records)
    assert {path.name for path in tmp_path.iterdir()} == {"pem"}
