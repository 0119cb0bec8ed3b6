"""Handshake bytes that the capture lacks: what is behind them is read where messages begin, and nothing false is said."""

import pytest
from quic_captures import NAMES, frames_of, keys_of, records_of

from analyzer.tls.quic.crypto_levels import message_start

FINISHED = b"\x14\0\0\x20" + bytes(range(32))
VERIFY = b"\x0f\0\0\x06\4\3\0\2ab"


@pytest.mark.parametrize("before", [b"", b"\x01", b"\x0b\0\0\x01", b"\0" * 40, b"\x14\0\0\x20" + b"x" * 30, b"\x0b\0\1\0" * 9])
def test_messages_behind_a_hole_begin_where_they_follow_each_other_up_to_the_end(before: bytes) -> None:
    assert message_start(before + VERIFY + FINISHED) == len(before)
    assert message_start(before) == len(before)


def test_the_search_takes_one_look_at_each_byte() -> None:
    assert message_start(b"\x14\0\0\1x" * 50_000) == 0
    assert message_start(b"\x14\0\0\1x" * 50_000 + b"\1\2\3") == 250_003


def test_four_bytes_at_the_end_of_a_cut_message_are_no_empty_one() -> None:
    assert message_start(b"certificate\x0b\0\0\0") == 15


@pytest.mark.parametrize("name", NAMES)
def test_a_lost_datagram_of_the_first_flights_breaks_no_rule(name: str) -> None:
    frames, keys = frames_of(name), keys_of(name)
    whole = {one["server_name"] for one in records_of(list(frames), keys)}
    for lost in range(1, 9):
        for record in records_of([*frames[:lost], *frames[lost + 1 :]], keys):
            codes = {one["code"] for one in record["findings"]}
            assert not codes & {"protocol_violation", "plaintext_record", "message_missing", "bad_transport_parameter"}, lost
            assert record["server_name"] in whole
            assert "failed" not in str(record["authenticity"])
            assert record["decryption"]["failed"] == 0 or not record["decryption"]["records"], lost
            problems = [one for message in record["handshake"] for one in message.get("problems") or ()]
            assert all("not in the capture" in str(one) for one in problems)


def test_bytes_of_one_level_do_not_fill_a_hole_of_another() -> None:
    frames, keys = frames_of("quic-retry"), keys_of("quic-retry")
    (record,) = records_of([*frames[:4], *frames[5:]], keys)
    cut = next(one for one in record["handshake"] if one["type"] == "certificate")
    assert "184 of 1033 bytes" in str(cut["problems"])
    assert "new_session_ticket" in [one["type"] for one in record["handshake"]]


@pytest.mark.parametrize("name", ["chromium-aioquic-http3", "aioquic-caddy-http3"])
def test_packets_that_waited_for_handshake_bytes_change_nothing_of_the_packet_that_has_these(name: str) -> None:
    frames, keys = list(frames_of(name)), keys_of(name)
    (plain,) = records_of(frames, keys)
    for place in range(1, 8):
        (record,) = records_of([*frames[:place], frames[place + 1], frames[place], *frames[place + 2 :]], keys)
        assert [one["code"] for one in record["findings"]] == [one["code"] for one in plain["findings"]], place
        assert record["decryption"] == plain["decryption"]
        assert record["authenticity"] == plain["authenticity"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("place", [4, 11, 19])
def test_every_twentieth_packet_missing_leaves_all_others_opened(name: str, place: int) -> None:
    frames, keys = frames_of(name), keys_of(name)
    whole = records_of(list(frames), keys)
    records = records_of([one for number, one in enumerate(frames) if number % 20 != place], keys)
    assert len(records) == len(whole)
    for record in records:
        assert record["decryption"]["status"] == "decrypted"
        assert (record["decryption"]["failed"], record["quic"]["unopened"]) == (0, 0)
        assert [one["code"] for one in record["findings"] if one["severity"] in ("medium", "high")] == []
