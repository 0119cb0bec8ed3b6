"""-T fields prints what tshark prints: single fields, and the command lines of field_invocations.txt."""

import os
from pathlib import Path

import pytest
from filters.compare_fields import differences as field_differences
from filters.compare_fields import exceptions, names_known_to
from filters.compare_filters import keys_beside
from filters.compare_invocations import differences, invocations
from filters.filter_oracle import NEWER


def test_the_list_is_long_enough_and_has_no_line_twice():
    assert len(invocations()) >= 60
    assert len(set(invocations())) == len(invocations())
    assert all(row["reason"] for row in exceptions())


@pytest.mark.peer("tshark")
def test_command_lines_print_what_tshark_prints():
    assert differences([one for one in invocations() if not one.newer and one.has_capture], "tshark") == {}


@pytest.mark.skipif(NEWER is None, reason="ANALYZER_TSHARK names no newer tshark")
def test_command_lines_print_what_the_newer_tshark_prints():
    assert differences([one for one in invocations() if one.has_capture], NEWER) == {}


@pytest.mark.skipif(NEWER is None, reason="ANALYZER_TSHARK names no newer tshark")
@pytest.mark.parametrize("capture", sorted((Path(__file__).parents[2] / "captures").glob("**/*.pcap*")), ids=os.path.basename)
def test_each_field_has_the_text_of_the_newer_tshark(capture):
    assert field_differences(capture, names_known_to(NEWER), NEWER, keys_beside(capture)) == {}
