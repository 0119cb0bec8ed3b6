"""Sessions that are open at the same time and begin with the same random name each other."""

from conversations import SECOND, Tap, packetise, records, talk

from analyzer.engine.open_sessions import OpenSessions


def test_who_is_open_with_the_same_random():
    opened = OpenSessions()
    opened.enter(b"a", 0)
    opened.enter(b"b", 1)
    assert opened.leave(b"b", 1) == -1
    opened.enter(b"a", 2)
    assert opened.leave(b"a", 0) == 2
    assert opened.leave(b"a", 2) == -1
    opened.enter(b"a", 3)
    assert opened.leave(b"a", 3) == -1


def test_numbers_of_a_process():
    opened = OpenSessions()
    assert [opened.number(place) for place in range(3)] == [0, 1, 2]
    opened.numbers = (1, 4)
    assert [opened.number(place) for place in range(3)] == [1, 5, 9]


def both_sides(flights):
    """Return a connection as it is before and behind an address translation."""
    inside, outside = packetise(flights), packetise(flights, ports=(61000, 443))
    return [segment for pair in zip(inside, outside, strict=True) for segment in pair]


def codes(record):
    return {
        finding["code"]: finding
        for finding in record["findings"]
        if "handshake" in finding["code"] or "twin" in finding["code"]
    }


def test_both_sides_of_a_translation_name_each_other():
    first, second = sorted(records(both_sides(talk())), key=lambda record: record["id"])
    assert "session 1 has" in codes(first)["twin_session"]["detail"]
    assert "session 0:" in codes(second)["same_handshake"]["detail"]
    assert {finding["severity"] for record in (first, second) for finding in codes(record).values()} == {"info"}
    [alone] = records(packetise(talk()))
    assert codes(alone) == {}


def test_sessions_one_after_another_are_no_twins():
    tap = Tap()
    tap.feed(*packetise(talk()))
    tap.at += 3600 * SECOND
    tap.feed(*packetise(talk(), ports=(61000, 443)))
    first, second = sorted(tap.records(), key=lambda record: record["id"])
    assert list(codes(first)) == []
    assert list(codes(second)) == ["same_handshake"]
