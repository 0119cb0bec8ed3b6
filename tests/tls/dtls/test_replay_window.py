"""Record numbers that came before are known, in a window that one high number cannot close for all others."""

from analyzer.tls.dtls.replay_window import WIDTH, ReplayWindow


def test_numbers_in_any_order():
    window = ReplayWindow()
    for number in (5, 3, 9, 4):
        assert not window.has(number)
        window.add(number)
        assert window.has(number)
    assert [number for number in range(12) if window.has(number)] == [3, 4, 5, 9]


def test_numbers_before_the_window_are_new():
    window = ReplayWindow()
    window.add(7)
    window.add(7 + WIDTH)
    assert not window.has(7)
    assert not window.has(8)
    window.add((1 << 48) - 1)
    assert not window.has(9)
    window.add(9)
    assert window.has((1 << 48) - 1)


def test_another_content_with_a_number():
    window = ReplayWindow()
    for number in (3, 900, 0):
        assert window.differs(number, b"one")
        assert not window.differs(number, b"one")
        assert window.differs(number, b"other")
    assert not window.differs(3, b"other")
