"""SYN, RST and FIN that somebody inserted, bytes behind the end, ports used again; and what is legal and looks like it."""

from dataclasses import replace
from typing import Any

import pytest
from conversations import ACK, CLIENT, FIN, PSH, RST, SECOND, SERVER, SYN, Segment, Tap, packetise, records, talk, timeless

MIDDLE = 12
"""The number of a segment in the middle of a talk."""


def whole(**options: Any) -> list[Segment]:
    return packetise(talk(), acks=True, **options)


def told(found: list[dict[str, Any]]) -> list[tuple[str, list[int]]]:
    """Codes and frames of the findings of this kind."""
    kinds = ("injected_segment", "data_after_end", "fragments_disagree")
    return [(one["code"], one["frames"]) for record in found for one in record["findings"] if one["code"] in kinds]


def calm(segments: list[Segment], apart: int = 1_000_000) -> list[dict[str, Any]]:
    """The records of segments about which there is nothing to be told."""
    tap = Tap()
    tap.feed(*segments, apart=apart)
    found = tap.records()
    assert told(found) == []
    return found


def inserted(where: int, side: int, flags: int, apart: int = 0, **changes: Any) -> tuple[list[dict[str, Any]], int]:
    """The records of a talk with one more segment of a side behind segment `where`, and the frame of that segment."""
    segments = whole()
    last = next(segment for segment in segments[where + 1 :] if segment.side == side)
    one = replace(last, flags=flags, payload=b"", **changes)
    tap = Tap()
    tap.feed(*segments[: where + 1], one)
    tap.at += apart
    tap.feed(*segments[where + 1 :])
    return tap.records(), where + 2


def without_findings(record: dict[str, Any]) -> dict[str, Any]:
    plain = timeless(record)
    plain["findings"] = [one for one in plain["findings"] if one["code"] != "injected_segment"]
    return plain


@pytest.mark.parametrize("side", [CLIENT, SERVER])
@pytest.mark.parametrize("flags", [RST, RST | ACK, FIN | ACK, SYN])
@pytest.mark.parametrize("apart", [0, 10 * SECOND])
def test_what_is_inserted_costs_nothing_and_is_told(side: int, flags: int, apart: int):
    if flags == SYN:
        found, frame = inserted(MIDDLE, side, flags, apart, sequence=77, acknowledgement=0)
    else:
        found, frame = inserted(MIDDLE, side, flags, apart)
    assert told(found) == [("injected_segment", [frame])]
    [record] = found
    [expected] = records(whole())
    assert without_findings(record) == without_findings(expected)


@pytest.mark.parametrize("side", [CLIENT, SERVER])
def test_a_syn_ack_in_the_middle_with_another_number(side: int):
    found, frame = inserted(MIDDLE, side, SYN | ACK, sequence=77, acknowledgement=88)
    assert told(found) == [("injected_segment", [frame])]
    assert len(found) == 1


def test_a_reset_with_a_guessed_number_is_told_too():
    for sequence in (5, 0x7FFF0000):
        found, frame = inserted(MIDDLE, SERVER, RST, sequence=sequence)
        assert told(found) == [("injected_segment", [frame])]


def test_bytes_behind_the_end_are_no_part_of_the_stream():
    segments = whole()
    end = next(one for one in reversed(segments) if one.side == CLIENT and one.flags & FIN)
    for ahead in (1, 700):
        extra = replace(end, sequence=end.sequence + ahead, flags=PSH | ACK, payload=b"\x17\3\3\0\x40" + bytes(64))
        for before in (len(segments) - 2, len(segments)):
            found = records([*segments[:before], extra, *segments[before:]])
            assert [code for code, _ in told(found)] == ["data_after_end"]
            assert found[0]["gaps"] == []


def test_a_port_used_again_without_syn_is_another_connection():
    for apart in (0, 30 * SECOND):
        tap = Tap()
        tap.feed(*whole())
        tap.at += apart
        tap.feed(*packetise(talk("TLSv1_2"), isns=(7_000_000, 8_000_000), syn=False))
        found = tap.records()
        assert [(record["version"], record["gaps"]) for record in found] == [("TLS 1.3", []), ("TLS 1.2", [])]
        assert told(found) == []


def test_a_new_connection_on_the_same_ports_needs_no_end_of_the_old_one():
    first, second = packetise(talk(), fin=False, acks=True), packetise(talk("TLSv1_2"), isns=(77_000, 88_000))
    for later in (second, [second[0], *second[2:]], second[1:], [second[0], second[0], *second[1:]]):
        found = calm(first + later)
        assert [record["version"] for record in found] == ["TLS 1.3", "TLS 1.2"]
        assert found[1]["first_frame"] == len(first) + 1


def test_a_refused_port_is_tried_again():
    segments = whole()
    refusal = Segment(SERVER, 0, 1001, RST | ACK)
    again = replace(segments[0], sequence=500)
    assert len(calm([again, replace(refusal, acknowledgement=501), *segments])) == 1


def test_data_in_the_syn_of_a_new_connection_is_kept():
    first, second = packetise(talk(), fin=False), packetise(talk("TLSv1_2"), isns=(77_000, 88_000))
    hello = next(one for one in second if one.payload)
    opening = replace(second[0], payload=hello.payload)
    answer = replace(second[1], acknowledgement=second[1].acknowledgement + len(hello.payload))
    found = calm([*first, opening, answer, *(one for one in second[2:] if one is not hello)])
    assert [record["version"] for record in found] == ["TLS 1.3", "TLS 1.2"]
    assert found[1]["gaps"] == []


def test_what_is_legal_is_calm():
    segments = whole()
    [expected] = records(segments)
    probe = replace(segments[MIDDLE], sequence=segments[MIDDLE].sequence - 1, payload=b"", flags=ACK)
    data = [one for one in segments if one.payload]
    ends = [one for one in segments if one.flags & FIN]
    reset = replace(segments[-1], sequence=segments[-1].sequence, flags=RST)
    for listed in (
        [*segments[:MIDDLE], probe, replace(probe, payload=b"\0"), *segments[MIDDLE:]],
        [*segments[:-1], data[-1], *ends, segments[-1]],  # the end is sent again
        [*segments, reset, replace(reset, side=SERVER, sequence=segments[-1].acknowledgement)],
        [segments[0], segments[0], segments[1], segments[1], *segments[2:]],
    ):
        [record] = calm(listed)
        assert timeless(record) == timeless(expected)


def test_a_client_that_resets_while_the_answer_is_under_way_is_calm():
    segments = packetise(talk(), fin=False)
    first = next(number for number, one in enumerate(segments) if one.side == SERVER and number > MIDDLE)
    client = next(one for one in reversed(segments[:first]) if one.side == CLIENT)
    reset = replace(client, sequence=client.sequence + len(client.payload), payload=b"", flags=RST)
    calm([*segments[: first + 1], reset, *(one for one in segments[first + 1 :] if one.side == SERVER)])


def test_simultaneous_open():
    segments = whole()
    client, server = segments[0], segments[1]
    both = [
        client,
        replace(server, flags=SYN, acknowledgement=0),
        replace(client, flags=SYN | ACK, acknowledgement=900_001),
        server,
    ]
    assert len(calm([*both, *segments[2:]])) == 1
