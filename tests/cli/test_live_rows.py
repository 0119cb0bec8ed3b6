"""The lines of `analyzer live` for people."""

from typing import Any

import pytest

from analyzer.cli.live_rows import exchange_text, quic_text

ASKED = {"method": "GET", "scheme": "https", "authority": "www.example", "path": "/a\x1b"}


@pytest.mark.parametrize(
    ("request_", "response", "text"),
    [
        (ASKED, {"status": 200, "body_length": 10}, "GET https://www.example/a\\x1b  200, 10 bytes"),
        (ASKED, None, "GET https://www.example/a\\x1b  no answer seen"),
        (None, {"status": 200, "body_length": None}, "no request seen  200"),
        ({"method": "GET", "scheme": "https", "authority": None, "path": "/"}, {"status": 404}, "GET /  404"),
        (
            {"method": "CONNECT", "scheme": None, "authority": "a.example:443", "path": None},
            None,
            "CONNECT a.example:443  no answer seen",
        ),
    ],
)
def test_an_exchange_as_a_line(request_: dict[str, Any] | None, response: dict[str, Any] | None, text: str):
    assert exchange_text({"request": request_, "response": response}) == text


def test_a_row_of_quic_says_its_version():
    assert quic_text({"versions": ["QUIC 1", "QUIC 2"]}) == "QUIC 2"
    assert quic_text({"versions": []}) == quic_text(None) == ""
