"""TLS in EAP over 802.1X and RADIUS: fragments, what comes again or is lost, and many conversations at once."""

from pathlib import Path

import orjson
import pytest
from eap_talks import (
    AUTHENTICATOR,
    FAILURE,
    PEAP,
    SUPPLICANT,
    TEAP,
    TLS,
    TTLS,
    capture,
    packets,
    port_frame,
    radius_datagrams,
    udp_frame,
)
from keyed import page, talk_of

from analyzer.capture.capture_reader import CaptureReader
from analyzer.capture.frame import Frame
from analyzer.cli.main import main
from analyzer.engine.eap_sessions import MAX_CONVERSATIONS, EapSessions
from analyzer.engine.engine import Engine
from analyzer.packet.addresses import endpoints
from analyzer.tls.events import SessionEnded
from analyzer.tls.limits import MAX_PENDING_TIME

SPOKEN = {
    "wpa-supplicant-hostapd": [
        ("EAP-TLS", "alice@example.org", "TLS 1.3"),
        ("EAP-TLS", "alice@example.org", "TLS 1.2"),
        ("PEAP", "bob", "TLS 1.3"),
        ("PEAP", "bob", "TLS 1.2"),
    ],
    "eapol-test-radius": [
        (method, user, version)
        for method, user in (("EAP-TLS", "alice@example.org"), ("PEAP", "bob"), ("EAP-TTLS", "carol"))
        for version in ("TLS 1.2", "TLS 1.3")
    ],
}
HELLOS = {"wpa-supplicant-hostapd": [11, 33, 55, 79], "eapol-test-radius": [3, 21, 39, 61, 83, 99]}

TALK = talk_of(page("/", b"inside" * 200), version="TLSv1_2", close=False)
TALK_13 = talk_of([(1, b"\0")], version="TLSv1_3", close=False)


def records(folder, frames, talk=TALK, link_type=1, processes=1):
    path, out = folder / "eap.pcapng", folder / "sessions.json"
    path.write_bytes(capture(frames, talk, link_type))
    assert main(["sessions", str(path), "--json", "-o", str(out), "-j", str(processes)]) == 0
    return sorted(map(orjson.loads, out.read_bytes().splitlines()), key=lambda record: record["id"])


@pytest.mark.parametrize("group", [False, True], ids=["own", "group"])
@pytest.mark.parametrize(
    ("kind", "name", "version"),
    [(TLS, "EAP-TLS", None), (TTLS, "EAP-TTLS", None), (PEAP, "PEAP", 1), (TEAP, "TEAP", 1)],
    ids=["tls", "ttls", "peap", "teap"],
)
def test_a_conversation_on_a_port_is_a_session(tmp_path, kind, name, version, group):
    [record] = records(tmp_path, [port_frame(packet, group) for packet in packets(TALK, kind, size=300)])
    assert record["protocol"] == "tls"
    assert record["client"] == {"address": "02:00:5e:00:53:0a", "port": None}
    assert record["server"] == {"address": "02:00:5e:00:53:01", "port": None}
    [before] = record["before"]
    assert (before["protocol"], before["user"]) == ("eap", "alice@example.org")
    assert (before["details"]["method"], before["details"].get("method_version")) == (name, version)
    assert (before["details"]["over"], before["details"]["result"]) == ("802.1X", "success")
    assert (record["established"], record["decryption"]["status"], record["gaps"]) == (True, "decrypted", [])
    assert record["outcome"]["result"] == "established"
    assert [finding["code"] for finding in record["findings"] if finding["severity"] != "info"] == []


def test_tls_13_ends_with_a_byte_of_data(tmp_path):
    [record] = records(tmp_path, [port_frame(packet) for packet in packets(TALK_13)], TALK_13)
    assert (record["version"], record["decryption"]["bytes"]) == ("TLS 1.3", {"client": 0, "server": 1})


def test_a_conversation_can_fail_behind_tls(tmp_path):
    [record] = records(tmp_path, [port_frame(packet) for packet in packets(TALK, PEAP, end=FAILURE)])
    assert (record["established"], record["before"][0]["details"]["result"]) == (True, "failure")


def test_packets_that_come_again_are_ignored(tmp_path):
    frames = [port_frame(packet) for packet in packets(TALK, size=300, first=250)]
    [once] = records(tmp_path, frames)
    [twice] = records(tmp_path, [frame for frame in frames for _ in range(2)])
    assert [message["type"] for message in twice["handshake"]] == [message["type"] for message in once["handshake"]]
    assert (twice["decryption"], twice["gaps"]) == (once["decryption"], [])


def test_each_fragment_may_say_the_length(tmp_path):
    [record] = records(tmp_path, [port_frame(packet) for packet in packets(TALK, size=300, every_length=True)])
    assert (record["decryption"]["status"], record["gaps"]) == ("decrypted", [])


@pytest.mark.parametrize("lost", [8, 10])
def test_a_lost_fragment_is_a_gap_of_its_length(tmp_path, lost):
    frames = [port_frame(packet) for packet in packets(TALK, size=100)]
    [record] = records(tmp_path, [frame for number, frame in enumerate(frames) if number not in (lost, lost + 1)])
    sides = {(gap["from"], gap["length"]) for gap in record["gaps"]}
    assert sides
    assert {length for _, length in sides} == {100}
    assert record["handshake"][-1]["type"] == "finished"


def test_conversations_follow_each_other(tmp_path):
    frames = [port_frame(packet) for packet in packets(TALK)]
    found = records(tmp_path, [*frames, *frames])
    assert [record["first_frame"] for record in found] == [1, 1 + len(frames)]
    assert [record["last_frame"] for record in found] == [len(frames), 2 * len(frames)]


def test_a_capture_that_begins_late(tmp_path):
    frames = [port_frame(packet) for packet in packets(TALK)]
    [record] = records(tmp_path, frames[8:])
    assert record["before"] is None
    assert record["established"] is not False


def test_frames_of_802_11(tmp_path):
    def wireless(packet):
        to_system = packet[0] == 2
        first, second = (AUTHENTICATOR, SUPPLICANT) if to_system else (SUPPLICANT, AUTHENTICATOR)
        head = b"\x08" + (b"\1" if to_system else b"\2") + b"\0\0" + first + second + AUTHENTICATOR + b"\0\0"
        return head + b"\xaa\xaa\3\0\0\0\x88\x8e\2\0" + len(packet).to_bytes(2, "big") + packet

    [record] = records(tmp_path, [wireless(packet) for packet in packets(TALK)], link_type=105)
    assert [record[side]["address"] for side in ("client", "server")] == ["02:00:5e:00:53:0a", "02:00:5e:00:53:01"]


@pytest.mark.parametrize("port", [1812, 1645, 40123])
def test_conversations_over_radius_in_one_flow(tmp_path, port):
    talks = [radius_datagrams(packets(TALK, kind, size=600), name, first) for kind, name, first in
             ((PEAP, b"one", 0), (TTLS, b"two", 100))]  # fmt: skip
    frames = [udp_frame(asks, data, port) for pair in zip(*talks, strict=True) for asks, data in sorted(pair, reverse=True)]
    found = records(tmp_path, frames)
    assert {record["before"][0]["details"]["method"] for record in found} == {"PEAP", "EAP-TTLS"}
    for record in found:
        assert (record["client"]["address"], record["server"]) == ("192.0.2.1", {"address": "192.0.2.2", "port": port})
        assert record["before"][0]["client_name"] == "02-00-5E-00-53-0A"
        assert (record["established"], record["decryption"]["status"], record["gaps"]) == (True, "decrypted", [])


def test_several_processes_read_the_same(tmp_path):
    frames = [port_frame(packet) for packet in packets(TALK)]
    frames += [udp_frame(*one) for one in radius_datagrams(packets(TALK), b"one")]
    assert records(tmp_path, frames, processes=2) == records(tmp_path, frames)


def test_the_packet_list_names_what_a_frame_carries(tmp_path, capsys):
    path = tmp_path / "eap.pcapng"
    frames = [port_frame(b"", kind=1), *(port_frame(packet) for packet in packets(TALK, PEAP, end=FAILURE))]
    path.write_bytes(capture([*frames, *(udp_frame(*one) for one in radius_datagrams(packets(TALK), b"one"))], TALK))
    assert main(["packets", str(path), "--json"]) == 0
    rows = [orjson.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(row["protocol"], row["info"]) for row in rows[:5]] == [
        ("EAPOL", "Start"),
        ("EAP", "Request, Identity"),
        ("EAP", "Response, Identity"),
        ("EAP", "Request, Protected EAP (EAP-PEAP)"),
        ("TLS", "Client Hello (SNI=example.test)"),
    ]
    assert ("EAP", "Failure") in [(row["protocol"], row["info"]) for row in rows]
    assert rows[len(frames)]["protocol"] == "RADIUS"
    assert ("RADIUS", "Client Hello (SNI=example.test)") in [(row["protocol"], row["info"]) for row in rows]


def test_conversations_are_bounded():
    engine = Engine()
    sessions = EapSessions(engine.dispatcher)
    hello = next(data for side, data in TALK.flights if side == 0)
    packet = b"\2\1" + (6 + len(hello)).to_bytes(2, "big") + b"\x0d\0" + hello
    for number in range(MAX_CONVERSATIONS + 3):
        source = b"\2\0" + number.to_bytes(4, "big")
        sessions.feed_port(source, AUTHENTICATOR, b"\2\0" + len(packet).to_bytes(2, "big") + packet, False, number + 1, 1)
    assert len(engine.dispatcher.events) == 3
    sessions.close()
    assert len(engine.dispatcher.events) == MAX_CONVERSATIONS + 3
    assert engine.dispatcher.held == 0


def test_a_silent_conversation_ends():
    engine = Engine()
    sessions = EapSessions(engine.dispatcher)
    for number, packet in enumerate(list(packets(TALK))[:5]):
        frame = port_frame(packet)
        sessions.feed_port(frame[6:12], frame[:6], frame[14:], False, number + 1, number)
    sessions.tick(1)
    assert engine.dispatcher.events == []
    sessions.tick(1 << 40)
    assert engine.dispatcher.events[0].ended.flow.closed == "idle"


def test_a_pause_of_a_pipe_ends_no_conversation():
    """When no frame comes, the time of a pipe moves on by what sessions wait for their secrets."""
    engine = Engine()
    frames = [port_frame(packet) for packet in packets(TALK, size=300)]
    for number, data in enumerate(frames):
        frame = Frame()
        frame.data, frame.start, frame.end, frame.wire_length = data, 0, len(data), len(data)
        frame.number, frame.at, frame.link_type = number + 1, number, 1
        engine.feed(frame)
        if number == 8:
            engine.tick(number + MAX_PENDING_TIME + 10_000_000_000)
            assert engine.take() == []
    [ended] = [event for event in engine.take() if isinstance(event, SessionEnded)]
    assert ended.ended.flow.closed == "fin"


@pytest.mark.parametrize("name", ["wpa-supplicant-hostapd", "eapol-test-radius"])
def test_real_programs(tmp_path, name):
    """What the programs logged, and the frames of the ClientHellos by tshark 4.6."""
    folder = Path(__file__).parents[1] / "vectors" / "nested"
    out = tmp_path / "sessions.json"
    keys = ["-k", str(folder / f"{name}.keys")]
    assert main(["sessions", str(folder / f"{name}.pcap"), *keys, "--json", "-j", "1", "-o", str(out)]) == 0
    found = sorted(map(orjson.loads, out.read_bytes().splitlines()), key=lambda record: record["id"])
    spoken = [(record["before"][0]["details"]["method"], record["before"][0]["user"], record["version"]) for record in found]
    assert spoken == SPOKEN[name]
    assert [record["handshake"][0]["frame"] for record in found] == HELLOS[name]
    for record in found:
        assert (record["established"], record["decryption"]["status"], record["gaps"]) == (True, "decrypted", [])
        assert record["authenticity"]["server_signature"] == "verified"
        assert record["authenticity"]["finished"] == {"client": "verified", "server": "verified"}
        assert [finding["code"] for finding in record["findings"] if finding["severity"] != "info"] == []


def test_plaintext_has_addresses_and_ports_of_its_own(tmp_path):
    path, out = tmp_path / "eap.pcapng", tmp_path / "plain.pcapng"
    path.write_bytes(capture([port_frame(packet) for packet in packets(TALK, TTLS)], TALK))
    assert main(["export", str(path), "--plaintext", str(out)]) == 0
    engine = Engine()
    for reader in CaptureReader([str(out)]).packet_readers():
        while engine.step(reader):
            packet = engine.packet
            assert (packet.ip_version, packet.problem) == (6, "")
            assert {packet.source_port, packet.destination_port} == {49152, 0x888E}
    client, server = (f"fe80::5eff:fe00:53{end}" for end in ("0a", "01"))
    assert endpoints(packet.key()) in [((client, 49152), (server, 0x888E)), ((server, 0x888E), (client, 49152))]


def test_a_copy_of_one_conversation(tmp_path):
    path, copy = tmp_path / "eap.pcapng", tmp_path / "copy.pcapng"
    frames = [port_frame(packet) for packet in packets(TALK)]
    path.write_bytes(capture([*frames, *frames, udp_frame(True, b"other")], TALK))
    assert main(["export", str(path), "--session", "1", "--only", "-o", str(copy)]) == 0
    engine = Engine()
    for reader in CaptureReader([str(copy)]).packet_readers():
        engine.run(reader)
    engine.close()
    assert engine.frames == len(frames)
    assert engine.dispatcher.count == 1
