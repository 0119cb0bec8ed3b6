"""Numbered pseudonyms: of hashes, also shortened ones, and of words."""

from analyzer.report.numbered_pseudonyms import NumberedPseudonyms

DIGEST = "0123456789abcdef" * 4


def test_hashes() -> None:
    known = NumberedPseudonyms("certificate")
    assert [known.give(DIGEST), known.give("ff" * 32), known.give(DIGEST.upper())] == [
        "certificate-1", "certificate-2", "certificate-1",
    ]  # fmt: skip
    text = f"{DIGEST}, {DIGEST[:16]}…, {DIGEST[:4]}, 01:23:45:67:89:AB:CD:EF, {'ee' * 32}"
    assert known.replace(text, False) == f"certificate-1, certificate-1…, {DIGEST[:4]}, certificate-1, {'ee' * 32}"
    assert known.replace("ee" * 32, True) == "certificate-3"
    assert known.replace("dd" * 16, True) == "dd" * 16


def test_words() -> None:
    known = NumberedPseudonyms("user")
    assert known.give("alice") == "user-1"
    assert known.give("") == ""
    assert known.replace("/home/alice/x, malice, user-1", False) == "/home/user-1/x, malice, user-1"
    assert len(known) == 1
