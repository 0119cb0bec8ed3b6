"""The place of a frame is its file, and the number that it has there."""

from analyzer.capture.frame_places import FramePlaces


def test_frames_of_several_files_have_numbers_of_their_own():
    places = FramePlaces(several=True)
    assert places.of(1) is None
    places.begin("a", 1)
    assert places.of(3) == ("a", 3)
    places.begin("empty", 5)
    places.begin("b", 5)
    assert [places.of(frame) for frame in (0, 1, 4, 5, 9)] == [None, ("a", 1), ("a", 4), ("b", 1), ("b", 5)]
    assert [places.number(frame) for frame in (4, 5)] == [4, 1]


def test_frames_of_one_file_need_no_number():
    places = FramePlaces()
    places.begin("a", 1)
    assert places.of(3) == ("a", None)


def test_a_range_of_frames_is_split_by_file():
    places = FramePlaces(several=True)
    for path, first in (("a", 1), ("empty", 5), ("b", 5), ("c", 9)):
        places.begin(path, first)
    assert places.between(2, 3) == [("a", 2, 3)]
    assert places.between(4, 20) == [("a", 4, 4), ("b", 5, 8), ("c", 9, 20)]
