"""Joins texts with the marks of the language in which is spoken: commas, semicolons, colons and parentheses.

Chinese has marks of its own as wide as its characters (GB/T 15834-2011), and one of them, the pause mark, stands only between
the items of a list. So the code never writes a mark between two texts for people itself: which one it is stands in the
catalogue.
"""

from collections.abc import Iterable

from analyzer.text.language import say


def listing(items: Iterable[str]) -> str:
    """Return the items of a list, such as names or numbers: `x25519, secp256r1`."""
    return say(", ").join(items)


def clauses(*parts: str) -> str:
    """Return parts of a sentence, without the empty ones, with commas between them: `3 records, 327 bytes`."""
    text = ""
    for part in filter(None, parts):
        text = say("{first}, {second}", first=text, second=part) if text else part
    return text


def apart(parts: Iterable[str]) -> str:
    """Return sentences with semicolons between them."""
    return say("; ").join(parts)


def beside(text: str, more: str) -> str:
    """Return a text with more in parentheses behind it: `ClientHello (512 bytes)`; without parentheses if there is no more."""
    return say("{text} ({more})", text=text, more=more) if more else text


def labelled(label: str, text: str) -> str:
    """Return a label, a colon, and the text: `Frame 22: 571 bytes`."""
    return say("{label}: {text}", label=label, text=text)
