"""Each session has its own reader of application data, which gets missing data at its position."""

import pytest
from conversations import CLIENT, SERVER, Tap, packetise
from keyed import page, talk_of, without

from analyzer.analysis.missing_data import MissingData
from analyzer.engine import Engine
from analyzer.engine.data_streams import DataReader, DataStreams
from analyzer.secrets.keylog import KeyLog
from analyzer.tls.events import Gap, HandshakeMessage

SCRIPT = [*page("/", b"x" * 40_000), *page("/end", b"the end")]


class Reader(DataReader):
    """A reader that keeps all calls."""

    def __init__(self, missing):
        super().__init__(missing)
        self.data = [b"", b""]
        self.lines = []
        self.missing_told = []

    def feed(self, role, data, frame, at):
        self.missing_told += [(missing, len(self.data[missing.role])) for missing in self.missing.take()]
        self.data[role] += data
        self.lines.append((role, frame, at))

    def miss(self, role, reason):
        self.lines.append(("missing", role, reason))

    def close(self, at):
        self.missing_told += [(missing, len(self.data[missing.role])) for missing in self.missing.take()]
        self.lines.append(("closed", at))


class Streams(DataStreams):
    """A listener that opens a reader for each session, except for those to be left out."""

    def __init__(self, left_out=()):
        super().__init__()
        self.left_out = left_out
        self.readers = {}
        self.alpn = {}
        self.ended = []
        self.notes = []
        self.flows_at_the_end = {}

    def open(self, session, alpn, missing):
        self.alpn[session] = alpn
        self.notes.append("open")
        if session in self.left_out:
            return None
        self.readers[session] = Reader(missing)
        return self.readers[session]

    def note(self, event):
        self.notes.append(event)

    def end(self, session):
        self.ended.append(session)
        self.flows_at_the_end[session.id] = self.flows.get(session.id)
        if session.id in self.readers:
            assert self.readers[session.id].lines[-1][0] == "closed"


def read(segments, *talks, left_out=(), every=1 << 20) -> Streams:
    keys = KeyLog()
    for talk in talks:
        keys.feed(talk.keylog.encode())
    tap, streams = Tap(), Streams(left_out)
    tap.engine = Engine(detailed=True, fields=False, keylog=keys, reads_data=False)
    for number, segment in enumerate(segments, 1):
        tap.feed(segment)
        if number % every == 0:
            streams.take(tap.take())
    tap.engine.close()
    streams.take(tap.take())
    return streams


@pytest.mark.parametrize("every", [1, 9, 1 << 20])
@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_a_reader_has_the_data_of_both_roles_in_order(version, every):
    talk = talk_of(SCRIPT, version)
    segments = packetise(talk.flights)
    streams = read(segments, talk, every=every)
    reader = streams.readers[0]
    assert tuple(reader.data) == talk.sent
    (*fed, closed) = reader.lines
    frames = [frame for _, frame, _ in fed]
    assert frames == sorted(frames)
    assert all(segments[frame - 1].side == role for role, frame, _ in fed)
    assert [at for _, _, at in fed] == [1_700_000_000 * 10**9 + (frame - 1) * 10**6 for frame in frames]
    assert closed == ("closed", 1_700_000_000 * 10**9 + (len(segments) - 1) * 10**6)
    assert reader.missing.take() == reader.missing_told == []


def test_each_session_has_its_own_reader():
    talks = [talk_of(page(f"/{number}", b"%d" % number), alpn="http/1.1" if number else None) for number in range(4)]
    captured = [packetise(talk.flights, ports=(50_000 + number, 443)) for number, talk in enumerate(talks)]
    woven = [segment for column in zip(*captured, strict=False) for segment in column]
    woven += [segment for segments in captured for segment in segments if segment not in woven]
    streams = read(woven, *talks[:3], left_out=[1])
    assert {number: tuple(reader.data) for number, reader in streams.readers.items()} == {0: talks[0].sent, 2: talks[2].sent}
    assert streams.alpn == {0: None, 1: b"http/1.1", 2: b"http/1.1"}
    assert sorted(session.id for session in streams.ended) == [0, 1, 2, 3], "the end of those without a reader is told too"
    assert {number: flow.client[1] for number, flow in streams.flows_at_the_end.items()} == {n: 50_000 + n for n in range(4)}
    assert streams.flows == {}


def test_missing_data_is_reported_at_its_position():
    talk = talk_of(SCRIPT)
    segments = packetise(talk.flights)
    streams = read(without(segments, SERVER, -20), talk)
    reader = streams.readers[0]
    ((missing, place),) = reader.missing_told
    assert (missing.role, missing.n_bytes, missing.records, missing.reason) == (SERVER, 700, 1, "missing_segment")
    sent = talk.sent[SERVER]
    lost = len(sent) - len(reader.data[SERVER])
    assert 0 < lost <= 1 << 14
    assert reader.data[SERVER] == sent[:place] + sent[place + lost :]
    kinds = ["missing" if line[0] == "missing" else "data" for line in reader.lines[:-1]]
    assert kinds.count("missing") == 1
    assert kinds[0] == kinds[-1] == "data"
    assert reader.data[CLIENT] == talk.sent[CLIENT]


def test_bytes_lost_before_the_data_count_when_the_data_begins():
    talk = talk_of(SCRIPT, "TLSv1_2")
    requests = [number for number, one in enumerate(s for s in packetise(talk.flights) if s.side == CLIENT and s.payload)]
    segments = packetise(talk.flights)
    carriers = [one for one in segments if one.side == CLIENT and one.payload]
    first = next(number for number in requests if carriers[number].payload[:3] == b"\x17\x03\x03")
    streams = read([one for one in segments if one is not carriers[first]], talk)
    ((missing, place),) = streams.readers[0].missing_told
    assert (missing.role, missing.n_bytes, place) == (CLIENT, len(carriers[first].payload), 0)


def test_messages_and_gaps_are_noted_between_the_data():
    talk = talk_of(SCRIPT)
    streams = read(without(packetise(talk.flights), SERVER, -20), talk)
    names = [event if event == "open" else type(event).__name__ for event in streams.notes]
    assert names.index("open") > 1
    assert set(names[: names.index("open")]) == {"HandshakeMessage"}
    (gap,) = [event for event in streams.notes if isinstance(event, Gap)]
    assert streams.notes.index(gap) > names.index("open")
    messages = [event.name for event in streams.notes if isinstance(event, HandshakeMessage)]
    assert messages[:2] == ["client_hello", "server_hello"]
    assert messages.count("finished") == 2


def test_a_listener_that_reads_nothing_takes_everything():
    talk = talk_of(SCRIPT)
    tap = Tap()
    keys = KeyLog()
    keys.feed(talk.keylog.encode())
    tap.engine = Engine(detailed=True, keylog=keys)
    tap.feed(*without(packetise(talk.flights), SERVER, -20))
    tap.close()
    streams = DataStreams()
    streams.take(tap.events)
    assert streams.flows == {}
    reader = DataReader(MissingData())
    reader.feed(0, b"x", 1, 1)
    reader.miss(0, None)
    reader.close(1)
