"""The URL of an exchange is what was asked for, and nothing more."""

import pytest

from analyzer.application.request_target import content_type, media_type, target_of


@pytest.mark.parametrize(
    ("parts", "target"),
    [
        (("https", "www.example", "/x"), "https://www.example/x"),
        ((None, "www.example:443", None), "www.example:443"),
        (("https", None, "/"), "/"),
        (("https", "www.example", "*"), "*"),
        (("http", "", "/x"), "/x"),
        ((None, "www.example", "/x"), "//www.example/x"),
        ((None, None, None), None),
    ],
)
def test_a_target(parts: tuple[str | None, str | None, str | None], target: str | None):
    assert target_of(*parts) == target


def test_the_first_content_type_counts():
    assert content_type([("A", "b"), ("content-TYPE", "text/html"), ("Content-Type", "text/plain")]) == "text/html"
    assert content_type([]) is None
    assert content_type(None) is None


@pytest.mark.parametrize(
    ("declared", "kind"), [("Text/HTML; charset=utf-8", "text/html"), ("image/png", "image/png"), ("", ""), (None, None)]
)
def test_a_media_type_has_no_parameters(declared: str | None, kind: str | None):
    assert media_type(declared) == kind
