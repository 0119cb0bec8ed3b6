"""Two conversations of EAP on one port or for one supplicant: the end of the first and the beginning of the second are missing.

They are two sessions wherever something tells it. Where nothing does, nobody is blamed for what follows.
"""

from io import BytesIO

import orjson
import pytest
from conversations import START
from eap_captures import OVER_PORTS, captured, severe
from eap_captures import records as records_of
from eap_talks import GROUP, PEAP, SUPPLICANT, TLS, capture, eap, packets, port_frame, radius_datagrams, udp_frame
from keyed import Talk, page, talk_of

from analyzer.capture.capture_writer import PcapngWriter
from analyzer.cli.main import main
from analyzer.engine.eap_copies import REMEMBERED, EapCopies
from analyzer.engine.eap_plaintext import contradicts, plain_message
from analyzer.engine.eap_side import AFTER_FLIGHT, AT_ONCE, MOST_MISSING, EapSide
from analyzer.engine.radius_names import RadiusNames
from analyzer.flows.eap import Eap, Radius

FIRST, SECOND = (talk_of(page("/", b"inside" * 200), version="TLSv1_2", close=False) for _ in range(2))
LATER_VERSION = talk_of([(1, b"\0")], version="TLSv1_3", close=False)
BOTH = Talk(FIRST.flights, FIRST.sent, FIRST.keylog + SECOND.keylog + LATER_VERSION.keylog)


def halves(kept=10, left_out=12, talk=FIRST, kind=PEAP, other_kind=PEAP, number=0, size=300):
    """The first packets of a conversation, and the last ones of another, whose first one there has a number after the last."""
    one, other = list(packets(talk, kind, size))[:kept], list(packets(SECOND, other_kind, size))[left_out:]
    shift = one[-1][1] + number - other[0][1]
    return one, [packet[:1] + bytes([packet[1] + shift & 255]) + packet[2:] for packet in other]


def found_in(folder, one, other, between=(), pause=0):
    frames = [*map(port_frame, one), *between, *map(port_frame, other)]
    if not pause:
        return records(folder, frames, BOTH), len(one)
    file = BytesIO()
    writer = PcapngWriter(file)
    writer.write_interface(1)
    for number, frame in enumerate(frames):
        writer.write_frame(START + number * 1_000_000 + (number >= len(one)) * pause, frame)
    path = folder / "paused.pcapng"
    path.write_bytes(file.getvalue())
    return records_of_file(folder, path), len(one)


def records(folder, frames, talk):
    path = folder / "eap.pcapng"
    path.write_bytes(capture(frames, talk))
    return records_of_file(folder, path)


def records_of_file(folder, path):
    out = folder / "sessions.json"
    assert main(["sessions", str(path), "--json", "-o", str(out)]) == 0
    return sorted(map(orjson.loads, out.read_bytes().splitlines()), key=lambda record: record["id"])


def apart(found, n_first):
    """Whether no session has frames of both."""
    return len(found) == 2 and found[0]["last_frame"] <= n_first < found[1]["first_frame"]


@pytest.mark.parametrize("number", [MOST_MISSING + 2, 40, 100, -3, -20], ids=["missing", "more", "far", "again", "before"])
def test_identifiers_tell(tmp_path, number):
    found, n_first = found_in(tmp_path, *halves(number=number))
    assert apart(found, n_first)
    assert not {one["outcome"]["result"] for one in found} & {"failed", "abandoned"}
    assert found[1]["before"] is None or found[1]["before"][0]["user"] is None
    assert severe(found) == []


def test_identifiers_tell_behind_few_packets(tmp_path):
    found, n_first = found_in(tmp_path, *halves(kept=5, number=100))
    assert apart(found, n_first)


@pytest.mark.parametrize("number", [1, 2, 5])
def test_the_method_tells(tmp_path, number):
    assert apart(*found_in(tmp_path, *halves(kind=TLS, number=number)))


def test_plaintext_tells(tmp_path):
    """The first has TLS 1.3, so that nothing of it is in plaintext behind its ServerHello."""
    other = list(packets(SECOND, PEAP, 300))
    flight = next(index for index, packet in enumerate(other) if packet[0] == 2 and plain_message(eap_of(packet)) == 16)
    assert apart(*found_in(tmp_path, *halves(kept=9, left_out=flight, talk=LATER_VERSION, number=3)))


@pytest.mark.parametrize("kind", [1, 3], ids=["start", "key"])
def test_what_is_said_between_tells(tmp_path, kind):
    one, other = halves(number=3)
    between = (GROUP if kind == 1 else b"\2\0\x5e\0\x53\1") + SUPPLICANT + b"\x88\x8e\2" + bytes([kind]) + bytes(42)
    assert apart(*found_in(tmp_path, one, other, [between]))
    assert len(found_in(tmp_path, one, other)[0]) == 1


def test_a_long_pause_tells(tmp_path):
    for pause, n_sessions in ((1_000_000_000, 1), (61_000_000_000, 2)):
        found, _ = found_in(tmp_path, *halves(number=3), pause=pause)
        assert len(found) == n_sessions
    one = list(packets(FIRST, PEAP, 300))
    found, _ = found_in(tmp_path, one[:10], one[10:], pause=61_000_000_000)
    assert len(found) == 1  # nothing is missing


@pytest.mark.parametrize("left_out", range(8, 20, 3))
@pytest.mark.parametrize("number", range(2, 6))
def test_where_nothing_tells_nobody_is_blamed(tmp_path, left_out, number):
    for talk in (FIRST, LATER_VERSION):
        found, _ = found_in(tmp_path, *halves(left_out=left_out, talk=talk, number=number))
        assert severe(found) == []


@pytest.mark.parametrize("conversation", [(7, 29, 51), (29, 51, 75), (51, 75, 98)])
def test_real_programs(tmp_path, conversation):
    begin, middle, end = conversation
    sent = captured(OVER_PORTS)
    for first in range(begin + 4, middle, 5):
        for second in range(middle + 3, end, 6):
            found = records_of(tmp_path, sent[begin:first] + sent[second:end], OVER_PORTS)
            n_first = first - begin
            assert not [one for one in found if one["first_frame"] <= n_first < one["last_frame"]], (first, second)
            assert severe(found) == [], (first, second)


def test_copies_of_the_conversation_before_are_ignored(tmp_path):
    one = [port_frame(packet) for packet in packets(FIRST, PEAP, 300)]
    other = [port_frame(packet) for packet in packets(SECOND, PEAP, 300, first=60)]
    found = records(tmp_path, [*one, *other[:6], *one[-6:-1], *other[6:]], BOTH)
    assert [(record["decryption"]["status"], record["gaps"]) for record in found] == [("decrypted", [])] * 2


def over_radius(talk, state, kept, number=1, user=b"alice@example.org", changes=True, same=False):
    """Datagrams of a conversation; each challenge has a new state, or the same one."""
    found = []
    for asks, data in list(radius_datagrams(packets(talk, PEAP, 300, first=number), state))[kept]:
        data = data.replace(b"alice@example.org", user[:17].ljust(17, b"x")) if not same else data
        found.append((asks, data if changes else without_turn(data, state)))
    return found


def without_turn(data, state):
    at = data.find(state)
    return data if at < 0 else data[: at + len(state)] + b"\0" + data[at + len(state) + 1 :]


@pytest.mark.parametrize(
    ("options", "n_sessions"),
    [({"user": b"bob"}, 2), ({"changes": False}, 2), ({"number": 40}, 2), ({"number": 4}, 1)],
    ids=["user", "same-state", "identifier", "nothing"],
)
def test_radius_tells(tmp_path, options, n_sessions):
    """The last challenge of the first conversation has the identifier 7; the second goes on with 9 where the number is 4."""
    settings = {"number": 4} | options
    first = over_radius(FIRST, b"one", slice(0, 8), changes=settings.get("changes", True), same=True)
    second = over_radius(SECOND, b"two", slice(8, None), same="user" not in options, **settings)
    frames = [udp_frame(asks, data) for asks, data in (*first, *second)]
    found = records(tmp_path, frames, BOTH)
    assert len(found) == n_sessions
    assert severe(found) == []


def test_a_second_answer_is_that_to_a_request_that_is_missing(tmp_path):
    sent = [udp_frame(asks, data) for asks, data in radius_datagrams(packets(FIRST, PEAP, 300), b"one")]
    other = list(radius_datagrams(packets(SECOND, PEAP, 300, first=100), b"two"))
    stale = udp_frame(False, other[7][1][:1] + bytes([1]) + other[7][1][2:])
    found = records(tmp_path, [*sent[:6], stale, *sent[6:]], BOTH)
    assert [(record["decryption"]["status"], record["gaps"]) for record in found] == [("decrypted", [])]


def test_copies_are_bounded():
    copies = EapCopies()
    for number in range(3 * REMEMBERED):
        copies.keep(number)
    assert [copies.knows(number) for number in (0, 2 * REMEMBERED - 1, 2 * REMEMBERED)] == [False, False, True]
    copies.begin()
    assert (copies.knows(2 * REMEMBERED), copies.was_earlier(2 * REMEMBERED), copies.was_earlier(0)) == (False, True, False)


def eap_of(packet):
    return Eap(packet[0], packet[1], packet[4], packet[6:], -1, False, False, 0, len(packet), 0)


def test_plaintext_that_cannot_come_any_more():
    exchange = Eap(2, 1, TLS, b"\x16\3\3\0\x25\x10\0\0\x21" + bytes(33), -1, False, False, -1, 48, 0)
    sealed = exchange._replace(data=b"\x16\3\3\0\x28" + bytes(40))
    side = EapSide()
    assert plain_message(exchange) == 16
    assert plain_message(sealed) == plain_message(exchange._replace(type=1)) == -1
    assert not contradicts(side, 0, exchange)
    side.sealed, side.more = AFTER_FLIGHT, True
    assert not contradicts(side, 0, exchange)
    side.more = False
    assert contradicts(side, 0, exchange)
    assert not contradicts(side, 0, sealed)
    side.sealed, side.more = AT_ONCE, True
    assert contradicts(side, 1, exchange._replace(data=b"\x14\3\3\0\1\1"))
    assert not contradicts(side, 1, exchange._replace(data=b"\x14\x6b\xec\x26\x6f\x60"))  # the middle of an encrypted record


def test_what_names_a_conversation_in_radius():
    request = Radius(1, 1, b"", b"state", b"bob", b"02-00", (b"bob", b"7", b"", b""))
    names = RadiusNames(1)
    names.take_request(request)
    assert names.go_on(request, 5, 6)
    assert names.go_on(request._replace(asker=(b"bob", b"", b"wlan0", b"")), 5, 5 + MOST_MISSING)
    assert not names.go_on(request._replace(asker=(b"bob", b"8", b"", b"")), 5, 6)
    assert not names.go_on(request, 5, 5)
    assert not names.go_on(request, 5, 6 + MOST_MISSING)
    names.take_challenge(b"one")
    assert names.go_on(request, 5, 6)
    names.take_challenge(b"one")
    assert not names.go_on(request, 5, 6)


@pytest.mark.parametrize("code", [1, 2])
@pytest.mark.parametrize("kind", [TLS, PEAP])
@pytest.mark.parametrize("content", [b"\0" + bytes(40), b"\0\x15\3\3\0\2\2\x28", b"\0\x16\3\3\0\x25\x10\0\0\x21" + bytes(33)])
def test_one_packet_of_somebody_else_changes_nothing(tmp_path, code, kind, content):
    """It has another method, or an identifier that has no place, and the conversation goes on behind it."""
    sent = list(packets(FIRST, PEAP, 300))
    for place in (7, 10, 12):
        number = sent[place - 1][1] + (0 if kind == TLS and code != sent[place - 1][0] else 100)
        inserted = eap(code, number & 255, kind, content)
        found = records(tmp_path, [port_frame(one) for one in (*sent[:place], inserted, *sent[place:])], FIRST)
        assert [(one["decryption"]["status"], one["established"], one["gaps"]) for one in found] == [("decrypted", True, [])]
        assert severe(found) == []
