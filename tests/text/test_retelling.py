from time import process_time

import pytest

from analyzer.text.language import retelling
from analyzer.text.retelling import DEEPEST, LONGEST, Retelling, Untold

SMALL = Retelling(
    [
        ("closed", "关闭"),
        ("the door of {a} is {b}", "{a}的门{b}"),
        ('the door "{a}" is {b}', "门“{a}”{b}"),
        ("{n} doors", "{n} 扇门"),
        ("{a} says {b}", "{a}说{b}"),
    ]
)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("closed", "关闭"),
        ("the door of Bob is closed", "Bob的门关闭"),
        ("the door of is is closed", "is的门关闭"),
        ('the door "closed" is closed', "门“closed”关闭"),
        ("7 doors", "7 扇门"),
        ("no doors", "no doors"),
        ("Bob says the door of Eve is closed", "Bob说Eve的门关闭"),
        ("the door of  is closed", "the door of  is closed"),
        ("", ""),
    ],
)
def test_a_sentence_is_told_with_its_values(text: str, told: str):
    assert "".join(SMALL.tell(text)) == told


def test_what_no_form_has_is_marked():
    assert SMALL.tell("the door of Bob is ajar") == ["Bob", "的门", "ajar"]
    assert [isinstance(part, Untold) for part in SMALL.tell("the door of Bob is closed")] == [True, False, False]


def test_an_error_is_told_by_its_colon_where_that_is_asked():
    assert "".join(SMALL.tell("a.pcap: closed", by_colon=True)) == "a.pcap：关闭"
    assert SMALL.tell("a.pcap: closed") == [Untold("a.pcap: closed")]
    assert SMALL.tell("a.pcap: ajar", by_colon=True) == ["a.pcap: ajar"]
    assert SMALL.tell("closed: ", by_colon=True) == ["closed: "]


def test_depth_and_length_are_limited():
    assert "".join(SMALL.tell("a says " * (DEEPEST + 2) + "closed")).endswith("a says closed")
    assert SMALL.tell("the door of " + "x" * LONGEST + " is closed") == ["the door of " + "x" * LONGEST + " is closed"]


def test_long_texts_cost_little():
    hostile = ["a of b is for c, and not for d " * 32, "has " * 249, "; " * 499, ": " * 499]
    began = process_time()
    for text in hostile * 50:
        retelling("zh").tell(text[:LONGEST], by_colon=True)
    assert process_time() - began < 10, "200 texts: some milliseconds each, also on a slow machine"
