"""Hostile and lossy conversations of EAP: nothing is claimed that the capture does not show, nobody is blamed for a loss."""

import random
from itertools import chain, pairwise

import orjson
import pytest
from conversations import START
from eap_talks import (
    FAILURE,
    PEAP,
    REQUEST,
    SUCCESS,
    SUPPLICANT,
    TLS,
    capture,
    eap,
    packets,
    port_frame,
    radius,
    radius_datagrams,
    udp_frame,
)
from keyed import page, talk_of

from analyzer.capture.capture_writer import PcapngWriter
from analyzer.cli.main import main

TALK = talk_of(page("/", b"inside" * 200), version="TLSv1_2", close=False)
TALK_13 = talk_of([(1, b"\0")], version="TLSv1_3", close=False)
PACKETS = list(packets(TALK, PEAP, 300))
FRAMES = [port_frame(packet) for packet in PACKETS]
BLAMES = {"protocol_violation", "plaintext_record", "message_problem", "out_of_order"}


def records(folder, frames, talk=TALK, processes=1):
    path, out = folder / "eap.pcapng", folder / "sessions.json"
    path.write_bytes(capture(frames, talk))
    assert main(["sessions", str(path), "--json", "-o", str(out), "-j", str(processes)]) == 0
    return sorted(map(orjson.loads, out.read_bytes().splitlines()), key=lambda record: record["id"])


def codes(record):
    return {finding["code"] for finding in record["findings"]}


def with_total(packet, total):
    """The packet with another length of its flight, None for none, where it says one."""
    if packet[0] not in (1, 2) or len(packet) < 10 or packet[4] != PEAP or not packet[5] & 0x80:
        return packet
    if total is not None:
        return packet[:6] + total.to_bytes(4, "big") + packet[10:]
    body = packet[4:5] + bytes([packet[5] & 0x7F]) + packet[10:]
    return packet[:2] + (4 + len(body)).to_bytes(2, "big") + body


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_a_lost_packet_is_no_fault_of_a_peer(tmp_path, version):
    talk = TALK if version == "TLSv1_2" else TALK_13
    frames = [port_frame(packet) for packet in packets(talk, PEAP, 300)]
    for lost in range(len(frames)):
        [record] = records(tmp_path, frames[:lost] + frames[lost + 1 :], talk)
        assert not codes(record) & BLAMES, lost
        assert record["established"] is not False, lost
        assert "failed" not in record["authenticity"]["finished"].values()
        assert "absent" not in record["authenticity"]["finished"].values()
        if record["decryption"]["status"] == "partial":
            assert record["gaps"], lost


def test_a_lost_flight_is_a_gap_of_unknown_size(tmp_path, capsys):
    frames = [frame for number, frame in enumerate(FRAMES) if number != 8]
    [record] = records(tmp_path, frames)
    assert [(gap["from"], gap["length"]) for gap in record["gaps"]] == [("server", None)]
    for command, words in (("show", "unknown number of bytes"), ("summary", "unknown number of bytes")):
        assert main([command, str(tmp_path / "eap.pcapng"), *(["0"] if command == "show" else [])]) == 0
        assert words in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("total", [None, 0, 5, 700, 0xFFFFFFFF], ids=["none", "zero", "small", "large", "huge"])
def test_a_length_that_lies_is_no_loss(tmp_path, total):
    [record] = records(tmp_path, [port_frame(with_total(packet, total)) for packet in PACKETS])
    assert (record["decryption"]["status"], record["gaps"], record["established"]) == ("decrypted", [], True)


@pytest.mark.parametrize("talk", [TALK, TALK_13], ids=["1.2", "1.3"])
@pytest.mark.parametrize("seed", range(4))
def test_losses_copies_and_other_orders_are_no_fault_of_a_peer(tmp_path, talk, seed):
    chance = random.Random(seed)
    for _ in range(4):
        frames = [port_frame(packet) for packet in packets(talk, chance.choice([TLS, PEAP]), chance.choice([90, 200, 700]))]
        for _ in range(chance.randrange(1, 5)):
            place = chance.randrange(4, len(frames))
            if chance.random() < 0.5:
                del frames[place : place + chance.randrange(1, 4)]
            else:
                frames.insert(min(len(frames), place + chance.randrange(4)), frames[place])
            if len(frames) < 6:
                break
        for record in records(tmp_path, frames, talk):
            assert not codes(record) & BLAMES
            assert record["decryption"]["status"] != "partial" or record["gaps"]


def test_a_fragment_that_comes_too_late_is_left_out(tmp_path):
    late = next(number for number, packet in enumerate(PACKETS) if number > 10 and packet[0] == REQUEST)
    frames = [*FRAMES[:late], FRAMES[late + 1], FRAMES[late + 2], FRAMES[late], *FRAMES[late + 3 :]]
    [record] = records(tmp_path, frames)
    assert [gap["length"] for gap in record["gaps"]] == [300]
    assert not codes(record) & BLAMES


def test_a_lost_state_of_radius_makes_no_other_session(tmp_path):
    frames = [udp_frame(*one) for one in radius_datagrams(packets(TALK, PEAP, 300), b"one")]
    for lost in range(1, len(frames) - 2):  # without the last request, nobody knows whom the answer is for
        [record] = records(tmp_path, frames[:lost] + frames[lost + 1 :])
        assert not codes(record) & BLAMES, lost
        assert record["before"] is None or record["before"][0]["details"]["result"] == "success"


def test_identifiers_that_jump_about_are_no_loss(tmp_path):
    frames = [port_frame(bytes([packet[0], packet[1] * 171 & 255]) + packet[2:]) for packet in PACKETS]
    [record] = records(tmp_path, frames)
    assert (record["decryption"]["status"], record["gaps"]) == ("decrypted", [])


@pytest.mark.parametrize("behind", [1, 2, 4])
def test_copies_that_come_late_are_ignored(tmp_path, behind):
    late = [None] * behind + FRAMES
    frames = [frame for pair in zip([*FRAMES, *[None] * behind], late, strict=True) for frame in pair if frame]
    [record] = records(tmp_path, frames)
    assert (record["decryption"]["status"], record["gaps"], record["established"]) == ("decrypted", [], True)


@pytest.mark.parametrize("size", [1, 4])
def test_tiny_fragments(tmp_path, size):
    [record] = records(tmp_path, [port_frame(packet) for packet in packets(TALK_13, PEAP, size)], TALK_13)
    assert (record["decryption"]["status"], record["gaps"]) == ("decrypted", [])
    assert record["authenticity"]["finished"] == {"client": "verified", "server": "verified"}
    assert record["before"][0]["details"]["method"] == "PEAP"


def test_failure_ends_what_nobody_answered(tmp_path):
    last = next(number for number, packet in enumerate(PACKETS) if number > 3 and packet[0] == REQUEST)
    [record] = records(tmp_path, [*FRAMES[: last + 1], port_frame(eap(FAILURE, PACKETS[last][1]))])
    outcome = record["outcome"]
    assert (outcome["result"], outcome["ended_by"], outcome["cause"]) == ("failed", "client", "peer_silent")
    assert record["gaps"] == []


@pytest.mark.parametrize(("n_packets", "by"), [(5, "client"), (4, "server")])
@pytest.mark.parametrize("seconds", [1, 400], ids=["end", "idle"])
def test_who_does_not_go_on(tmp_path, n_packets, by, seconds):
    """At the end of the capture nobody knows whether somebody goes on."""
    path, out = tmp_path / "eap.pcapng", tmp_path / "sessions.json"
    with path.open("wb") as file:
        writer = PcapngWriter(file)
        writer.write_interface(1)
        for number, frame in enumerate([*FRAMES[:n_packets], udp_frame(True, b"other")]):
            writer.write_frame(START + number * 1_000_000 + (number == n_packets) * seconds * 1_000_000_000, frame)
        other = port_frame(eap(REQUEST, 1, 1)).replace(SUPPLICANT, b"\2\0\0\0\0\1")
        writer.write_frame(START + (seconds + 1) * 1_000_000_000, other)
    assert main(["sessions", str(path), "--json", "-o", str(out)]) == 0
    outcome = orjson.loads(out.read_bytes())["outcome"]
    idle = ("abandoned", by, "peer_silent")
    assert (outcome["result"], outcome["ended_by"], outcome["cause"]) == (
        idle if seconds > 1 else ("unknown", None, "capture_incomplete")
    )


def test_failure_can_be_the_answer(tmp_path):
    hello = next(number for number, packet in enumerate(PACKETS) if packet[0] == 2 and packet[4] == PEAP)
    [record] = records(tmp_path, [*FRAMES[: hello + 1], port_frame(eap(FAILURE, PACKETS[hello][1]))])
    outcome = record["outcome"]
    assert (outcome["result"], outcome["ended_by"], outcome["cause"]) == ("failed", "server", "closed_without_alert")
    assert outcome["certainty"] == "likely"  # nothing protects it


def test_a_long_name_is_cut(tmp_path):
    name = eap(2, PACKETS[1][1], 1, b"a" * 60_000)
    [record] = records(tmp_path, [FRAMES[0], port_frame(name), *FRAMES[2:]])
    assert len(record["before"][0]["user"]) == 255


def test_a_length_beyond_the_frame_is_thrown_away(tmp_path):
    """Who receives such a packet does the same (RFC 3748 section 4.1), so it says nothing about the capture."""
    broken = PACKETS[4][:2] + b"\xff\xff" + PACKETS[4][4:]
    [record] = records(tmp_path, [*FRAMES[:4], port_frame(broken), *FRAMES[4:]])
    assert (record["decryption"]["status"], record["gaps"]) == ("decrypted", [])


def test_requests_of_radius_that_come_again(tmp_path):
    frames = [udp_frame(*one) for one in radius_datagrams(packets(TALK, PEAP, 600), b"one")]
    again = [*chain.from_iterable((asks, answer, asks) for asks, answer in list(pairwise(frames))[::2]), frames[-2]]
    [record] = records(tmp_path, again)
    assert (record["decryption"]["status"], record["before"][0]["details"]["result"]) == ("decrypted", "success")


@pytest.mark.parametrize(
    ("code", "packet", "result"),
    [(3, b"", "failure"), (2, eap(FAILURE, 9), None), (3, eap(SUCCESS, 9), None)],
    ids=["reject", "accept-failure", "reject-success"],
)
def test_radius_and_eap_must_agree(tmp_path, code, packet, result):
    datagrams = list(radius_datagrams(packets(TALK, PEAP, 600), b"one"))
    last = datagrams[-1][1]
    packet = packet and packet[:1] + last[last.rindex(b"\x4f\x06\x03") + 3 :][:1] + packet[2:]
    frames = [udp_frame(*one) for one in datagrams[:-1]]
    [record] = records(tmp_path, [*frames, udp_frame(False, radius(code, last[1], packet))])
    assert record["before"][0]["details"].get("result") == result


def test_a_server_that_gives_all_the_same_state(tmp_path):
    talks = [[(asks, data.replace(b"one", b"xyz").replace(b"two", b"xyz").replace(b"53-0A", station))
              for asks, data in radius_datagrams(packets(TALK, kind, 600), b"one", first)]
             for kind, first, station in ((PEAP, 0, b"53-0A"), (TLS, 100, b"53-0B"))]  # fmt: skip
    frames = [udp_frame(*one) for pair in zip(*talks, strict=True) for one in pair]
    found = records(tmp_path, frames)
    assert [record["decryption"]["status"] for record in found] == ["decrypted", "decrypted"]


def test_the_same_conversation_at_two_places(tmp_path):
    frames = [udp_frame(*one) for one in radius_datagrams(packets(TALK, PEAP, 600), b"one")]
    behind = [frame.replace(b"\xc0\0\2\1", b"\xc0\0\2\3") for frame in frames]
    pairs = list(zip(frames, behind, strict=True))
    path = [one for index, pair in enumerate(pairs) for one in (pair if index % 2 == 0 else pair[::-1])]
    found = records(tmp_path, path)
    assert ["twin_session" in codes(record) for record in found] == [False, True]
    assert found == records(tmp_path, path, processes=2)


def test_any_bytes_may_be_missing_anywhere(tmp_path):
    """The beginning of a conversation is cut at each place."""
    for first in range(len(FRAMES)):
        for record in records(tmp_path, FRAMES[first:]):
            assert not codes(record) & BLAMES, first
