"""The choice of the frames that are read."""

from analyzer.capture.capture_reader import CaptureReader
from analyzer.capture.frame_choice import ChosenCaptures, FrameChoice, choice_of, with_choice_of


def frames(paths):
    reader, found = CaptureReader(paths), []
    for packet_reader in reader.packet_readers():
        while packet_reader.advance():
            found.append(reader.frame.number)
    return reader, found


def test_the_first_so_many_are_read(repository):
    path = str(repository / "captures" / "demo.pcapng")
    reader, found = frames(ChosenCaptures([path, path], FrameChoice(7)))
    assert found == list(range(1, 8))
    assert (reader.full, reader.errors(), len(reader.files)) == (True, [], 1)


def test_frames_that_do_not_pass_are_not_there_and_numbers_stay(repository):
    path = str(repository / "captures" / "demo.pcapng")
    _, found = frames(ChosenCaptures([path], FrameChoice(None, lambda frame: frame.number % 100 == 0)))
    assert found == [100, 200]


def test_a_choice_is_passed_on():
    paths = ChosenCaptures(["a"], FrameChoice(7))
    assert choice_of(with_choice_of(paths, ["b"])) == FrameChoice(7)
    assert choice_of(with_choice_of(["a"], ["b"])) is None
