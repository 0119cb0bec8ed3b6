import random

import pytest

from analyzer.application.data_kinds import binary_at, is_plain, kind_by_signature


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "PNG image"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "JPEG image"),
        (b"RIFF\x24\x00\x00\x00WEBPVP8 ", "WebP image"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", "PDF document"),
        (b"PK\x03\x04\x14\x00", "ZIP archive"),
        (b"\x1f\x8b\x08\x00", "gzip data"),
        (b"MZ\x90\x00", "Windows program"),
        (b"\x00\x00\x00\x20ftypavif", "AVIF image"),
        (b"\x16\x03\x01\x02\x00\x01", "TLS records"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/2 frames"),
        (b"0\x82\x03\x0a0\x82", "ASN.1 data in DER"),
        (b"hello", None),
        (b"", None),
    ],
)
def test_a_signature_has_a_name(head: bytes, kind: str | None):
    assert kind_by_signature(head) == kind


@pytest.mark.parametrize(
    "text",
    [
        b"plain\r\n\ttext\f\n",
        "größer als 5 €, 大きい, مرحبا\n".encode() * 200,
        b"a log with one \x1b[31mred\x1b[0m word among a good number of others, and a bell\x07\n" * 50,
        b"Gr\xfc\xdfe in Latin-1, in a sentence that has a few more letters than this one word\n" * 20,
        "half a character at the end: €".encode()[:-1],
        "€ without its first byte, from the record before".encode()[1:],
        b"",
    ],
)
def test_text_is_text(text: bytes):
    assert binary_at(text) == -1


def test_binary_data_begins_at_the_beginning_of_its_line():
    noise = random.Random(1).randbytes(5000)
    assert binary_at(noise) == 0
    assert binary_at(b"name: value\r\n\r\nPK\x03\x04" + noise) == 15
    assert binary_at(b"a line\n" + b"x" * 3000 + noise) == 3008, "or later, in a long line of text"
    assert binary_at(b"\x89PNG\r\n\x1a\n" + noise, begins=True) == 0
    assert binary_at(b"%PDF-1.4\n%", begins=True) == 0
    assert binary_at(b"a line\n" * 1000 + noise) == 7000


def test_every_place_of_a_nul_is_found_in_no_more_than_linear_time():
    assert binary_at(b"\x00 and some text that is long enough for one byte of no text\n" * 20_000) == -1


def test_plain():
    assert is_plain(b"text\r\n\t")
    assert not is_plain(b"text\x1b")
    assert not is_plain("é".encode())
