"""Redaction inside encodings: what is encoded is found, and the rest of a text is not touched."""

import base64
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.report.encoded_text import DEPTH, MASK, redact_encoded

SECRET = "www.secret.example"


def redact(text: str) -> str:
    """A redaction of one word."""
    return text.replace(SECRET, "name-1")


def base64_of(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def every_byte(text: str) -> str:
    return "".join(f"%{byte:02x}" for byte in text.encode())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (SECRET, "name-1"),
        (f"a={every_byte(SECRET)}&b=1", "a=name-1&b=1"),
        (f"to={quote('https://' + SECRET, safe='')}", "to=https%3A%2F%2Fname-1"),
        (SECRET.encode().hex(), b"name-1".hex()),
        (SECRET.encode().hex().upper(), b"name-1".hex()),
        (f"<{base64_of(SECRET)}>", f"<{base64_of('name-1')}>"),
        (base64_of(SECRET).rstrip("="), base64_of("name-1")),
        (f"/x/{base64_of(SECRET)}", MASK),
        (quote(base64_of(every_byte(SECRET)), safe=""), quote(base64_of("name-1"), safe="")),
    ],
)
def test_encodings(text: str, expected: str) -> None:
    assert redact_encoded(text, redact) == expected


def test_depth_is_bounded() -> None:
    text = SECRET
    for _ in range(DEPTH + 3):
        text = every_byte(text)
    assert redact_encoded(text, redact) == text


@given(st.text())
def test_other_texts_stay(text: str) -> None:
    assert redact_encoded(text, lambda one: one) == text


@given(st.binary(max_size=40))
def test_digests_and_dumps_stay(data: bytes) -> None:
    for text in (data.hex(), base64.b64encode(data).decode(), quote(data)):
        assert redact_encoded(text, redact) == text
