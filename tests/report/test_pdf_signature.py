"""Signatures in PDF files: poppler accepts them, every flipped bit is noticed, and nothing else of the file changes."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from bundles import certificate, pdf, signer

from analyzer.report.pdf_signature import PdfError, check_pdf, embed_signature
from analyzer.report.signing import SigningError, signing_time

AT = signing_time("2026-11-28T12:30:15Z")


@pytest.mark.peer("pdfsig")
@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_poppler_accepts_the_signature(tmp_path: Path, kind: str):
    (tmp_path / "signed.pdf").write_bytes(signer(kind, True).sign_pdf(pdf(), AT))
    said = subprocess.run(["pdfsig", "-nocert", "signed.pdf"], cwd=tmp_path, capture_output=True, check=False).stdout.decode()
    assert "Signature is Valid." in said
    assert "Total document signed" in said
    assert "ETSI.CAdES.detached" in said


@pytest.mark.peer("qpdf")
def test_the_signed_file_is_a_whole_pdf(tmp_path: Path):
    (tmp_path / "signed.pdf").write_bytes(signer("rsa", True).sign_pdf(pdf(), None))
    done = subprocess.run(["qpdf", "--check", "signed.pdf"], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_the_bytes_before_the_signature_stay_and_it_is_the_same_every_time(kind: str):
    one, two = (signer(kind, True).sign_pdf(pdf(), None) for _ in range(2))
    assert one == two
    assert one.startswith(pdf())
    assert b"/M (" not in one[len(pdf()) :]
    assert b"20261128123015Z)" in signer(kind, True).sign_pdf(pdf(), AT)


def test_the_certificate_is_named(tmp_path: Path):
    signed_by = check_pdf(signer("rsa", True).sign_pdf(pdf(), None))
    assert signed_by is not None
    assert signed_by.certificate == certificate("rsa")
    assert check_pdf(pdf()) is None


def flip(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def test_a_flipped_bit_anywhere_under_the_signature_is_noticed():
    signed = signer("ec", True).sign_pdf(pdf(), None)
    start = signed.rindex(b"/Contents <")
    places = [*range(0, start, 997), start - 5, len(signed) - 2, len(signed) - 40]
    for at in places:
        try:
            assert check_pdf(flip(signed, at)) is None, at
        except PdfError:
            continue


@pytest.mark.parametrize(
    "change",
    [lambda data: data[:-1], lambda data: data + b"\n%%EOF\n", lambda data: data + pdf(), lambda data: data[: len(data) // 2]],
    ids=["cut", "more", "another file", "half"],
)
def test_what_is_added_or_cut_is_noticed(change: Callable[[bytes], bytes]):
    signed = signer("ec", True).sign_pdf(pdf(), None)
    try:
        assert check_pdf(change(signed)) is None
    except PdfError:
        return


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7\n", b"%PDF-1.7\n" + b"[" * 50_000, b"\0" * 1000, pdf()[:500]])
def test_a_hostile_file_is_an_error(data: bytes):
    with pytest.raises(PdfError):
        check_pdf(data)
    with pytest.raises(PdfError):
        embed_signature(data, "sha256", lambda digest: digest, None)


def test_a_signed_file_is_not_signed_again():
    with pytest.raises(SigningError, match="signed already"):
        signer("rsa", True).sign_pdf(signer("ec", True).sign_pdf(pdf(), None), None)


def test_a_key_alone_signs_no_pdf():
    with pytest.raises(SigningError, match="certificate"):
        signer("ed25519", False).sign_pdf(pdf(), None)
