"""Each filter of filters.txt finds the frames that Wireshark finds: in some captures here, in all by `compare_filters.py`."""

import os
from pathlib import Path

import pytest
from filters.compare_filters import differences, exceptions, filters, keys_beside, own_frames
from filters.filter_oracle import NEWER, Sharkd, newer_frames

from analyzer.filters.compiled_filter import compile_filter
from analyzer.filters.field_table import field_table

CAPTURES = (
    "demo.pcapng",
    "vlan/vlan.pcap",
    "ipv6/ipv6.pcapng",
    "http-connect/http-connect.pcapng",
    "tls12-renegotiation/*.pcapng",
)
OTHER_IN_4_0 = set((Path(__file__).parent / "other_in_4_0.txt").read_text(encoding="utf-8").splitlines())
"""Filters that version 4.0 refuses, or understands otherwise than 4.6."""


def test_the_list_is_long_enough_and_has_no_filter_twice():
    assert len(filters()) >= 400
    assert len(set(filters())) == len(filters())
    assert set(filters()) >= OTHER_IN_4_0
    assert all(row["reason"] for row in exceptions())


@pytest.mark.parametrize("text", filters())
def test_a_filter_of_the_list_is_one(text):
    assert compile_filter(text, field_table()).fields


@pytest.mark.peer("tshark", "sharkd")
@pytest.mark.parametrize("capture", CAPTURES)
def test_wireshark_finds_the_same_frames(repository, capture):
    (path,) = (repository / "captures").glob(capture)
    texts = [text for text in filters() if text not in OTHER_IN_4_0]
    program = Sharkd()
    theirs = program.frames(path, texts)
    program.close()
    assert differences(path, own_frames(path, texts), theirs) == {}


@pytest.mark.skipif(NEWER is None, reason="ANALYZER_TSHARK names no newer tshark")
@pytest.mark.parametrize("capture", sorted((Path(__file__).parents[2] / "captures").glob("**/*.pcap*")), ids=os.path.basename)
def test_the_newer_wireshark_finds_the_same_frames(capture):
    keys = keys_beside(capture)
    options = ["-o", f"tls.keylog_file:{keys}"] if keys is not None else []
    theirs = newer_frames(capture, filters(), NEWER, *options)
    assert differences(capture, own_frames(capture, filters(), keys), theirs) == {}
