"""Making a bundle again: from the same inputs, from inputs that moved, and what is refused of a strange manifest."""

import pytest

from analyzer.report.reproduction import content_words

SAME = ["report", "a.pcap", "-k", "keys", "--case", "7"]


@pytest.mark.parametrize(
    "words",
    [
        SAME,
        [*SAME, "-o", "x.html", "--output", "y.json", "-oz.md", "--output=w.md"],
        [*SAME, "--bundle", "dir", "--sign", "key", "--sign-password-file", "password"],
        [*SAME, "--bundle=dir", "--sign=key", "--sign-password-file=password"],
        ["report", "--force", "-j", "4", "a.pcap", "-j2", "--jobs=3", "-k", "keys", "--color", "never", "--case", "7"],
    ],
)
def test_words_that_do_not_decide_the_content_are_left_out(words: list[str]):
    assert content_words(words) == SAME
