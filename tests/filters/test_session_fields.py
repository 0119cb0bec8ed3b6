"""The fields of sessions, `analyzer.*`: those of the session's record, on every frame of the session and on no other."""

from contextlib import closing

from analyzer.capture.capture_reader import CaptureReader
from analyzer.engine import Engine, run
from analyzer.filters.session_fields import fields_of_record
from analyzer.filters.value_strings import rows
from analyzer.packet.headers import read
from analyzer.packet.packet import Packet
from analyzer.store.schema import SESSION
from tests.filters.field_readings import facts_of, fields_of, readings

DEMO = "captures/demo.pcapng"


def test_every_path_leads_to_a_key_of_the_record():
    for row in rows("session_fields"):
        first = row["path"].split(".")[0]
        assert first in SESSION["properties"], row["name"]


def test_the_fields_are_those_of_the_record(repository):
    facts = facts_of(repository / DEMO)
    found = {name: [one.value for one in values] for name, values in fields_of_record(facts.record(5)).items()}
    assert found["analyzer.session"] == [5]
    assert found["analyzer.outcome.cause"] == ["certificate_expired"]
    assert "expired" in found["analyzer.chain.problem"]
    assert found["analyzer.server_name"] == ["old.example"]
    assert "analyzer.resumption" not in found, "what is not known is absent"


def test_they_are_on_the_frames_of_their_session_only(repository):
    path = repository / DEMO
    session, port = fields_of("analyzer.session", "tcp.port")
    ports = {}
    for numbers, both in readings(path, [session, port], engine=True):
        for number in numbers:
            ports.setdefault(number, set()).update(both)
    assert len(ports) > 5
    assert all(len(both) == 2 for both in ports.values())


def test_a_key_in_either_direction_finds_the_session(repository):
    facts, packet = facts_of(repository / DEMO), Packet()
    with closing(CaptureReader([str(repository / DEMO)]).packet_readers()) as readers:
        keys = []
        for frames in readers:
            while frames.advance():
                frame = frames.frame
                if read(packet, frame.data, frame.start, frame.end, frame.link_type, frame.wire_length):
                    keys.append((packet.key(), packet.reverse_key(), frame.number))
    assert all(facts.sessions_at(key, number) == facts.sessions_at(back, number) for key, back, number in keys)
    assert facts.sessions_at(b"", 1) == []


def test_without_facts_there_are_no_such_fields(repository):
    (session,) = fields_of("analyzer.session")
    assert not any(values[0] for values in readings(repository / DEMO, [session]))
    run(CaptureReader([str(repository / DEMO)]), Engine(), [])
