"""Times that fall are reported, with what they leave unknown; those that rise, or fall a little, are not."""

from types import SimpleNamespace

import pytest

from analyzer.tls.session_times import TOLERANCE, time_finding

MS = 1_000_000
START = 1_700_000_000_000 * MS


def fact(role, frame, at):
    return SimpleNamespace(role=role, frame=frame, at=START + at * MS)


def judged(facts, start=0, end=1000, alerts=()):
    return time_finding(list(facts), list(alerts), START + start * MS, 1, START + end * MS, 99)


HONEST = [fact(0, 4, 10), fact(1, 6, 20), fact(1, 7, 21), fact(0, 9, 30), fact(1, 11, 40)]


def test_an_honest_session():
    assert judged(HONEST) is None
    assert judged([]) is None
    assert judged(HONEST, alerts=[fact(0, 20, 50), fact(1, 22, 60)]) is None
    assert judged([*HONEST[1:], HONEST[0]]) is None  # in the order of completion, not of frames


def test_a_little_disorder_says_nothing():
    assert TOLERANCE == MS
    assert judged([fact(0, 4, 10), fact(1, 6, 9)]) is None
    assert judged(HONEST, end=39) is None


def test_a_clock_that_was_set_back():
    code, severity, detail, frame = judged(HONEST, end=-3_600_000 + 100) or pytest.fail("nothing is said")
    assert (code, severity, frame) == ("time_goes_back", "low", 99)
    assert "3,599.940 s from frame 11 to frame 99" in detail
    code, severity, detail, frame = judged([*HONEST[:3], fact(0, 9, -5000), fact(1, 11, -4000)])
    assert (code, frame) == ("time_goes_back", 9)
    assert "durations of this session are not known" in detail


def test_two_clocks():
    early = [fact(message.role, message.frame, (message.at - START) // MS - 2000 * message.role) for message in HONEST]
    code, severity, detail, frame = judged(early)
    assert (code, severity, frame) == ("clocks_differ", "low", 6)
    assert "frame 6 of the server has a time 1.990 s before that of frame 4" in detail


def test_no_times():
    assert time_finding(HONEST, [], -1, 1, -1, 99) is None


def test_frames_without_a_time_say_nothing():
    timeless = SimpleNamespace(role=1, frame=8, at=-1)
    assert judged([*HONEST[:3], timeless, *HONEST[3:]], alerts=[timeless]) is None


def test_a_message_before_the_first_frame_of_the_flow():
    assert time_finding(HONEST, [], START, 50, START + 1000 * MS, 99) is None
