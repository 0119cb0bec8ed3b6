"""Which conversation a frame of 802.1X belongs to: strangers, groups, and several supplicants on one port."""

from itertools import chain, zip_longest

import orjson
import pytest
from eap_talks import (
    AUTHENTICATOR,
    FAILURE,
    GROUP,
    PEAP,
    REQUEST,
    START_FLAG,
    SUCCESS,
    SUPPLICANT,
    TLS,
    capture,
    eap,
    packets,
    port_frame,
    udp_frame,
)
from keyed import Talk, page, talk_of

from analyzer.cli.main import main
from analyzer.engine.eap_links import hardware_addresses
from analyzer.engine.eap_ports import EapPorts
from analyzer.engine.eap_sessions import EapSessions
from analyzer.engine.engine import Engine
from analyzer.packet.headers import read
from analyzer.packet.packet import Packet

STRANGER, SECOND = bytes.fromhex("02005e00ffff"), bytes.fromhex("02005e00530b")

TALK = talk_of(page("/", b"inside" * 200), version="TLSv1_2", close=False)
OTHER = talk_of([(1, b"\0")], version="TLSv1_3", close=False)
PACKETS = list(packets(TALK, PEAP, 300))
OWN, GROUPED = ([port_frame(packet, group) for packet in PACKETS] for group in (False, True))


def records(folder, frames, talk=TALK):
    path, out = folder / "eap.pcapng", folder / "sessions.json"
    path.write_bytes(capture(frames, talk))
    assert main(["sessions", str(path), "--json", "-o", str(out), "-j", "1"]) == 0
    return sorted(map(orjson.loads, out.read_bytes().splitlines()), key=lambda record: record["id"])


def of_stranger(packet):
    return port_frame(packet).replace(AUTHENTICATOR, STRANGER)


def to_group(packet, supplicant=SUPPLICANT):
    """Both sides send to the group."""
    return GROUP + port_frame(packet)[6:].replace(SUPPLICANT, supplicant)


@pytest.mark.parametrize("frames", [OWN, GROUPED], ids=["own", "group"])
@pytest.mark.parametrize(
    "inserted",
    [
        of_stranger(eap(SUCCESS, PACKETS[6][1])),
        of_stranger(eap(FAILURE, PACKETS[6][1])),
        of_stranger(eap(REQUEST, 77, 1)),
        of_stranger(eap(REQUEST, 77, TLS, bytes([START_FLAG]))),
        GROUP + of_stranger(eap(REQUEST, 77, 1))[6:],
        GROUP + of_stranger(eap(FAILURE, PACKETS[6][1]))[6:],
        port_frame(eap(FAILURE, PACKETS[6][1] + 60)),
        port_frame(eap(SUCCESS, PACKETS[6][1] + 60)),
        port_frame(b"", kind=1),
        port_frame(b"", kind=2),
        OWN[1],
    ],
    ids=[
        "success", "failure", "identity", "start", "group-identity", "group-failure", "late-failure", "late-success",
        "eapol-start", "eapol-logoff", "name-again",
    ],
)  # fmt: skip
def test_what_does_not_belong_to_it_ends_nothing(tmp_path, frames, inserted):
    [record] = records(tmp_path, [*frames[:7], inserted, *frames[7:]])
    assert (record["established"], record["decryption"]["status"], record["gaps"]) == (True, "decrypted", [])
    assert record["before"][0]["details"]["result"] == "success"


def test_who_logs_off_and_says_no_more_has_left(tmp_path):
    [record] = records(tmp_path, [*OWN[:7], port_frame(b"", kind=2)])
    assert record["before"][0]["details"].get("result") is None


@pytest.mark.parametrize("frame", [port_frame, to_group], ids=["own", "group"])
def test_two_supplicants_on_one_port(tmp_path, frame):
    first = [frame(packet) for packet in PACKETS]
    second = [frame(packet).replace(SUPPLICANT, SECOND) for packet in packets(OTHER, TLS, 400, first=40)]
    mixed = [one for one in chain.from_iterable(zip_longest(first, second)) if one]
    both = Talk(TALK.flights, TALK.sent, TALK.keylog + OTHER.keylog)
    found = records(tmp_path, mixed, both)
    assert {record["client"]["address"] for record in found} == {"02:00:5e:00:53:0a", "02:00:5e:00:53:0b"}
    assert {record["server"]["address"] for record in found} == {"02:00:5e:00:53:01"}
    assert [(record["decryption"]["status"], record["gaps"]) for record in found] == [("decrypted", [])] * 2


def test_what_comes_again_behind_the_end_begins_nothing(tmp_path):
    assert len(records(tmp_path, [*OWN, OWN[-2], OWN[-1], OWN[-2]])) == 1


def wireless(packet):
    to_system = packet[0] == 2
    first, second = (AUTHENTICATOR, SUPPLICANT) if to_system else (SUPPLICANT, AUTHENTICATOR)
    head = b"\x08" + (b"\1" if to_system else b"\2") + b"\0\0" + first + second + AUTHENTICATOR + b"\0\0"
    return head + b"\xaa\xaa\3\0\0\0\x88\x8e\2\0" + len(packet).to_bytes(2, "big") + packet


def cooked(packet):
    frame = port_frame(packet)
    return b"\0\0\0\1\0\6" + frame[6:12] + b"\0\0" + frame[12:]


def cooked_2(packet):
    frame = port_frame(packet)
    return b"\x88\x8e\0\0\0\0\0\1\0\1\0\6" + frame[6:12] + b"\0\0" + frame[14:]


def tagged(packet):
    frame = port_frame(packet)
    return frame[:12] + b"\x81\0\0\5" + frame[12:]


def tunnelled(packet):
    """In VXLAN, between two other Ethernet addresses; the frame inside has a tag."""
    return udp_frame(True, b"\x08\0\0\0\0\0\1\0" + tagged(packet), port=4789)


LINKS = {
    "vlan": (1, tagged),
    "vxlan": (1, tunnelled),
    "vxlan-radiotap": (127, lambda packet: bytes(2) + b"\x08" + bytes(5) + wireless(packet)[:24] + b"\xaa\xaa\3\0\0\0"
                       + tunnelled(packet)[12:]),
    "radiotap": (127, lambda packet: bytes(2) + b"\x08" + bytes(5) + wireless(packet)),
    "ppi": (192, lambda packet: b"\0\0\x08\0" + (105).to_bytes(4, "little") + wireless(packet)),
    "prism": (119, lambda packet: bytes(144) + wireless(packet)),
    "avs": (163, lambda packet: bytes(4) + (8).to_bytes(4, "big") + wireless(packet)),
    "pktap": (258, lambda packet: b"\x6c\0\0\0\1\0\0\0\1\0\0\0" + bytes(96) + port_frame(packet)),
    "cooked": (113, cooked),
    "cooked-2": (276, cooked_2),
}  # fmt: skip


@pytest.mark.parametrize("name", LINKS)
def test_the_ends_are_those_of_the_innermost_frame(tmp_path, name):
    link_type, frame = LINKS[name]
    path, out = tmp_path / "eap.pcapng", tmp_path / "sessions.json"
    path.write_bytes(capture([frame(packet) for packet in PACKETS], TALK, link_type))
    assert main(["sessions", str(path), "--json", "-o", str(out), "-j", "1"]) == 0
    [record] = map(orjson.loads, out.read_bytes().splitlines())
    assert (record["client"]["address"], record["server"]["address"]) == ("02:00:5e:00:53:0a", "02:00:5e:00:53:01")
    assert (record["decryption"]["status"], record["gaps"]) == ("decrypted", [])


@pytest.mark.parametrize("name", LINKS)
def test_headers_that_lie(name):
    """Nothing but addresses comes out of any change, and no error."""
    link_type, frame = LINKS[name]
    whole, packet = frame(PACKETS[4]), Packet()
    for at in range(min(len(whole), 80)):
        for value in (0, 1, 0x7F, 0xFF):
            changed = whole[:at] + bytes([value]) + whole[at + 1 :]
            for data in (changed, changed[: at + 1]):
                read(packet, data, 0, len(data), link_type, len(whole))
                ends = hardware_addresses(packet, link_type)
                assert ends is None or set(map(len, ends)) == {6}


def test_strangers_fill_no_memory():
    engine = Engine()
    sessions = EapSessions(engine.dispatcher)
    for number in range(20_000):
        server = b"\2\1" + number.to_bytes(4, "big")
        for target, source, packet in ((SUPPLICANT, server, PACKETS[0]), (GROUP, SUPPLICANT, PACKETS[1])):
            sessions.feed_port(source, target, b"\2\0" + len(packet).to_bytes(2, "big") + packet, False, 1, number)
    assert len(sessions._open) <= 4096
    assert len(sessions._ports._names[SUPPLICANT]) <= 4


def test_success_of_nobody_is_not_remembered():
    conversations = {}
    ports = EapPorts(conversations)
    sessions = EapSessions(Engine().dispatcher)
    success = eap(SUCCESS, 1)
    for number in range(100):
        target = b"\2\0" + number.to_bytes(4, "big")
        sessions.feed_port(STRANGER, target, b"\2\0" + len(success).to_bytes(2, "big") + success, False, 1, 1)
    assert (sessions._open, ports._names, sessions._ports._names) == ({}, {}, {})


def test_a_clock_that_is_set_ends_nothing():
    engine = Engine()
    sessions = EapSessions(engine.dispatcher)
    for number, packet in enumerate(PACKETS[:5]):
        frame = port_frame(packet)
        sessions.feed_port(frame[6:12], frame[:6], frame[14:], False, number + 1, number)
    sessions.set_clock(5, 1 << 45)
    sessions.tick(1 << 45)
    assert engine.dispatcher.events == []
    sessions.tick(1 << 46)
    assert len(engine.dispatcher.events) == 1
