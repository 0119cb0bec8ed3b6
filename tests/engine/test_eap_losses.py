"""Losses in EAP as real programs send it: nothing is said of a peer that the capture only lacks."""

from pathlib import Path

import pytest
from eap_captures import OVER_PORTS, OVER_RADIUS, captured, records, severe


@pytest.mark.parametrize("name", [OVER_RADIUS, OVER_PORTS])
def test_a_lost_fragment(name: str, tmp_path: Path):
    """The first fragment of hostapd has four bytes of TLS less than the others, as it says the length of the flight too."""
    packets = captured(name)
    for lost in range(len(packets)):
        assert severe(records(tmp_path, packets[:lost] + packets[lost + 1 :], name)) == [], lost


def test_a_lost_fragment_has_the_right_size(tmp_path: Path):
    packets = captured(OVER_RADIUS)
    gaps = [records(tmp_path, packets[:lost] + packets[lost + 1 :], OVER_RADIUS)[0]["gaps"] for lost in (5, 7)]
    assert [[gap["length"] for gap in one] for one in gaps] == [[599], [599]]


@pytest.mark.parametrize(("first", "end"), [(24, 32), (25, 33), (46, 54), (72, 79), (72, 80)])
def test_the_end_of_a_conversation_with_the_beginning_of_the_next(first: int, end: int, tmp_path: Path):
    """A hello of another random, or identifiers that jump, are of another conversation, and so is its user."""
    packets = captured(OVER_PORTS)
    whole = records(tmp_path, packets, OVER_PORTS)
    found = records(tmp_path, packets[:first] + packets[end:], OVER_PORTS)
    assert severe(found) == []
    assert len(found) == len(whole)
    users = [one["before"] and one["before"][0]["user"] for one in found]
    assert users.count(None) == 1
    assert not {one["outcome"]["result"] for one in found} & {"failed", "abandoned"}


def test_success_of_which_the_flight_before_is_missing(tmp_path: Path):
    packets = captured(OVER_PORTS)
    (found, *_) = records(tmp_path, packets[:17] + packets[25:], OVER_PORTS)
    assert found["outcome"]["result"] == "unknown"


def test_a_start_behind_the_hello_that_answers_it(tmp_path: Path):
    packets = captured(OVER_RADIUS)
    for start in (1, 19, 37):
        other = [*packets[:start], packets[start + 1], packets[start], *packets[start + 2 :]]
        found = records(tmp_path, other, OVER_RADIUS)
        assert "abandoned" not in {one["outcome"]["result"] for one in found}


def test_a_start_that_comes_two_places_later_begins_no_session(tmp_path: Path):
    packets = captured(OVER_PORTS)
    found = records(tmp_path, [*packets[:9], *packets[10:12], packets[9], *packets[12:]], OVER_PORTS)
    assert [record["decryption"]["status"] for record in found] == ["decrypted"] * 4


@pytest.mark.parametrize("end", [52, 53])
def test_the_next_conversation_shows_that_its_beginning_is_missing(end: int, tmp_path: Path):
    """A server asks for a name first. Where that is missing too, nobody knows that the client did not answer."""
    packets = captured(OVER_PORTS)
    found = records(tmp_path, packets[:38] + packets[end:], OVER_PORTS)
    assert found[1]["outcome"]["result"] == "unknown"


@pytest.mark.parametrize("late", [8, 9, 11, 27, 29, 40, 44, 45, 66, 67, 88, 89, 104])
def test_a_packet_that_comes_three_places_later_begins_no_session(late: int, tmp_path: Path):
    packets = captured(OVER_RADIUS)
    other = [*packets[:late], *packets[late + 1 : late + 4], packets[late], *packets[late + 4 :]]
    assert len(records(tmp_path, other, OVER_RADIUS)) == 6


@pytest.mark.parametrize("behind", [3, 5, 8])
def test_copies_behind_the_end_begin_no_session(behind: int, tmp_path: Path):
    """Also those that the supplicant sent to the group address."""
    packets = captured(OVER_PORTS)
    copies = [None] * behind + packets
    both = [one for pair in zip([*packets, *[None] * behind], copies, strict=True) for one in pair if one is not None]
    found = records(tmp_path, [(packets[0][0] + place, data) for place, (_, data) in enumerate(both)], OVER_PORTS)
    assert [record["decryption"]["status"] for record in found] == ["decrypted"] * 4
