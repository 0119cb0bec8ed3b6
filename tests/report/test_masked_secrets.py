"""Masks of cookies and credentials: values go, names and schemes stay, and what was masked once is masked everywhere."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.report.masked_secrets import MaskedSecrets

BASIC = base64.b64encode(b"joe:open-sesame").decode()


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("Authorization", f"Basic {BASIC}", "Basic [redacted]"),
        ("proxy-authorization", 'Digest username="joe", response="00"', "Digest [redacted]"),
        ("Authorization", "token", "[redacted]"),
        ("X-API-Key", "k-1", "[redacted]"),
        ("Cookie", "a=1; b=2", "a=[redacted]; b=[redacted]"),
        ("Cookie", "a=; b", "a=;[redacted]"),
        ("Set-Cookie", "a=1=2; Path=/; Secure", "a=[redacted]; Path=/; Secure"),
        ("Accept", "text/html", "text/html"),
        ("WWW-Authenticate", 'Basic realm="x"', 'Basic realm="x"'),
        ("Referer", "https://joe:pw@h.example/?access_token=t&x=1#id_token=u", "https://[redacted]@h.example/"
         "?access_token=[redacted]&x=1#id_token=[redacted]"),
    ],
)  # fmt: skip
def test_fields(name: str, value: str, expected: str) -> None:
    assert MaskedSecrets(cookies=True, credentials=True).field(name, value) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/login?user=joe&password=x%20y&next=/", "/login?user=joe&password=[redacted]&next=/"),
        ("/x?monkey=1&keyboard=2&code=3", "/x?monkey=1&keyboard=2&code=[redacted]"),
        ("//joe@h.example/", "//[redacted]@h.example/"),
        ("Authorization: Bearer abc", "Authorization: Bearer [redacted]"),
        ("Cookie: a=1; b=2", "Cookie: a=[redacted]; b=[redacted]"),
        ("the cookie was sent", "the cookie was sent"),
    ],
)
def test_texts(text: str, expected: str) -> None:
    assert MaskedSecrets(cookies=True, credentials=True).replace(text) == expected


def test_what_was_masked_is_masked_everywhere() -> None:
    secrets = MaskedSecrets(cookies=True, credentials=True)
    secrets.field("Authorization", f"Basic {BASIC}")
    secrets.field("Cookie", "visit=0123456789; t=1")
    assert secrets.replace(f"{BASIC}, open-sesame, joe:open-sesame; 0123456789 x1 10") == (
        "[redacted], [redacted], [redacted]; [redacted] x1 10"
    )  # fmt: skip
    assert len(secrets) == 4


def test_only_what_is_asked_for() -> None:
    cookies = MaskedSecrets(cookies=True, credentials=False)
    assert cookies.field("Authorization", "Basic x") == "Basic x"
    credentials = MaskedSecrets(cookies=False, credentials=True)
    assert credentials.field("Cookie", "visit=1") == "visit=1"


@given(st.text(), st.text(), st.text())
def test_any_field_is_read(name: str, value: str, text: str) -> None:
    secrets = MaskedSecrets(cookies=True, credentials=True)
    for known in (name, "Authorization", "Cookie", "Set-Cookie"):
        assert isinstance(secrets.field(known, value), str)
    assert isinstance(secrets.replace(text), str)
