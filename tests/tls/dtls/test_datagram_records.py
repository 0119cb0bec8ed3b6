"""Records of datagrams: headers of every form, connection IDs that the hellos name, and what is cut, damaged or no DTLS."""

import random

import pytest
from dtls_injection import HANDSHAKE, PAYLOAD, SERVER, Talk, message, plain

from analyzer.tls.dtls.datagram_records import PAIRS_MAX, DatagramRecords

KEY = bytes([192, 0, 2, 1, 198, 51, 100, 2]) + (50000).to_bytes(2) + (4433).to_bytes(2)
BACK = KEY[4:8] + KEY[:4] + KEY[10:] + KEY[8:10]


def headers(key, *datagrams):
    """The records that are found in the last of some datagrams of one direction."""
    source = DatagramRecords()
    found = []
    for data in datagrams:
        found = source.split(data, key)
    return found


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes([22]),
        bytes.fromhex("16fefd0000"),
        bytes.fromhex("16fefd000000000000000000ff00"),
        bytes.fromhex("160301") + bytes(30),
        bytes([0x2F]) + bytes(40),
        bytes([40]) * 60,
    ],
    ids=["empty", "one", "cut", "long", "tls", "unified", "random"],
)
def test_what_is_no_record_has_no_fields(data):
    if data:
        assert headers(KEY, data) == []


def test_cut_and_damaged_datagrams_are_read_as_far_as_they_go(repository):
    path = repository / "captures" / "dtls12-cookie" / "dtls12-cookie.pcapng"
    payloads = [data for data in path.read_bytes().split(b"\x16\xfe") if len(data) > 40][:4]
    drawn = random.Random(7)
    for payload in payloads:
        datagram = b"\x16\xfe" + payload
        for _ in range(200):
            damaged = bytearray(datagram[: drawn.randrange(1, len(datagram))])
            damaged[drawn.randrange(len(damaged))] = drawn.randrange(256)
            if 20 <= damaged[0] < 64:
                headers(KEY, bytes(damaged))
                headers(BACK, bytes(damaged), bytes(damaged))


def test_only_so_many_pairs_are_remembered():
    hello = bytes.fromhex("16fefd0000000000000000001d" + "01000011" + "0000" + "000000" + "000011" + "fefd") + bytes(15)
    source = DatagramRecords()
    for number in range(PAIRS_MAX + 10):
        source.split(hello, number.to_bytes(4) + KEY[4:])
    assert len(source._pairs) == PAIRS_MAX


@pytest.mark.parametrize("name", ["dtls12-connection-ids", "dtls13-connection-ids"])
def test_a_forged_server_hello_does_not_hide_the_connection_ids(name):
    """Each hello in a record of its own says how long they can be; their bytes tell which is meant."""

    def read(talk):
        source = DatagramRecords()
        shown = []
        for _, frame in talk.packets:
            if frame[18:20] != b"\x57\x47":  # not a forged one
                shown += [(one.header, one.length) for one in source.split(frame[PAYLOAD:], frame[26:38])]
            else:
                source.split(frame[PAYLOAD:], frame[26:38])
        return shown

    honest = read(Talk(name))
    for sequence in (0, 1):
        talk = Talk(name)
        talk.insert(talk.first(2), SERVER, plain(HANDSHAKE, message(2, sequence, b"\xfe\xfd" + bytes(60))))
        assert read(talk) == honest
