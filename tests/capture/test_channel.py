"""The count of frames by link type, also of those that the header of another one names."""

from analyzer.capture.channel import MAX_INNER, LinkType
from analyzer.capture.frame import Frame


def _frame(data: bytes) -> Frame:
    frame = Frame()
    frame.data, frame.start, frame.end = b"before" + data + b"behind", 6, 6 + len(data)
    return frame


def test_link_types_in_headers_are_counted() -> None:
    for kind, before in ((192, 4), (258, 8), (149, 8)):
        link = LinkType(kind)
        for number in (1, 147, 1, 2**32 - 1):
            link.count(_frame(bytes(before) + number.to_bytes(4, "little")))
        link.count(_frame(bytes(before + 3)))
        link.count(_frame(b""))
        assert (link.frames, link.inner) == (6, {1: 2, 147: 1, 2**31 - 1: 1})


def test_ordinary_frames_name_none() -> None:
    link = LinkType(1)
    link.count(_frame(bytes(60)))
    assert (link.frames, link.inner) == (1, {})


def test_the_number_of_link_types_is_bounded() -> None:
    link = LinkType(192)
    for number in range(MAX_INNER + 9):
        link.count(_frame(bytes(4) + number.to_bytes(4, "little")))
    assert (link.frames, len(link.inner)) == (MAX_INNER + 9, MAX_INNER)
