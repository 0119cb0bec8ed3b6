"""A verdict in a few words: what is an alarm is red, and nothing else."""

from typing import Any

import pytest

from analyzer.text.chain_text import chain_text, note_title


def chain(verdict: str, problems: tuple[str, ...] = (), notes: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"verdict": verdict, "problems": [{"code": code} for code in problems], "notes": [{"code": code} for code in notes]}


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (chain("absent"), ("", "")),
        (chain("valid"), ("valid", "green")),
        (chain("valid", ("non_conforming", "non_conforming")), ("valid, but non conforming", "green")),
        (chain("invalid", ("expired", "expired")), ("expired", "red")),
        (chain("invalid", ("non_conforming",)), ("non conforming", "yellow")),
        (chain("invalid", ("unknown_issuer",)), ("unknown issuer", "red")),
        (chain("invalid", ("unknown_issuer",), ("younger_roots",)), ("unknown issuer (the roots are years younger)", "yellow")),
        (
            chain("invalid", ("expired", "unknown_issuer"), ("younger_roots",)),
            ("expired, unknown issuer (the roots are years younger)", "red"),
        ),
    ],
)
def test_the_verdict_in_words(given: dict[str, Any], wanted: tuple[str, str]) -> None:
    assert chain_text(given) == wanted


def test_notes_have_titles() -> None:
    assert note_title("missing_intermediate") == "missing intermediate"
