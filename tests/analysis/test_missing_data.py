from conversations import SERVER, Tap, packetise
from keyed import page, talk_of, without

from analyzer.analysis.missing_data import Missing, MissingData
from analyzer.engine import Engine
from analyzer.engine.data_streams import DataReader, DataStreams
from analyzer.secrets.keylog import KeyLog

TALK = talk_of((*page("/", b"x" * 60_000), *page("/", b"y" * 60_000)))


class Heard(DataReader):
    """Keeps what was lost, at the time when it was reported."""

    def __init__(self, missing: MissingData) -> None:
        super().__init__(missing)
        self.found: list[Missing] = missing.take()

    def feed(self, role: int, data: bytes, frame: int, at: int) -> None:
        self.found += self.missing.take()

    def close(self, at: int) -> None:
        self.found += self.missing.take()


class Streams(DataStreams):
    """Opens such a reader for each session."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[Heard] = []

    def open(self, session: int, alpn: bytes | None, missing: MissingData) -> DataReader:
        self.heard.append(Heard(missing))
        return self.heard[-1]


def missing_of(segments, keylog: str = TALK.keylog) -> list[Missing]:
    keys = KeyLog()
    keys.feed(keylog.encode())
    tap = Tap()
    tap.engine = Engine(detailed=True, keylog=keys)
    tap.feed(*segments)
    (session,) = tap.close()
    streams = Streams()
    streams.take(tap.events)
    (heard,) = streams.heard
    assert sum(missing.records for missing in heard.found) == session.decryption.failed
    return heard.found


def test_nothing_is_missing():
    assert missing_of(packetise(TALK.flights)) == []


def test_a_gap_in_one_record_has_its_size():
    assert missing_of(without(packetise(TALK.flights), SERVER, 40)) == [Missing(SERVER, 700, 1, "missing_segment")]


def test_two_gaps_with_data_between_them_are_two_losses():
    found = missing_of(without(packetise(TALK.flights), SERVER, 40, 110))
    assert found == [Missing(SERVER, 700, 1, "missing_segment")] * 2


def test_a_gap_over_many_records_has_its_size_too():
    segments = packetise(TALK.flights)
    rest = without(segments, SERVER, *range(40, 110))
    n_bytes = sum(len(segment.payload) for segment in segments) - sum(len(segment.payload) for segment in rest)
    (found,) = missing_of(rest)
    assert (found.role, found.n_bytes, found.reason) == (SERVER, n_bytes, "missing_segment")


def test_records_under_a_wrong_secret_have_that_reason():
    words = [line.split() for line in TALK.keylog.splitlines() if not line.startswith("#")]
    wrong = [[label, random, "00" * 48 if label == "SERVER_TRAFFIC_SECRET_0" else secret] for label, random, secret in words]
    found = missing_of(packetise(TALK.flights), "".join(" ".join(line) + "\n" for line in wrong))
    assert {(missing.role, missing.n_bytes, missing.reason) for missing in found} == {
        (None, None, "wrong_secret"),
        (SERVER, None, "wrong_secret"),
    }
