"""What a transport passes to a session."""

import pytest

from analyzer.tls.record.record import CONFLICT, GAP, LOST, NO_RECORD, Record, RecordSink, conflict, gap

FIELDS = {
    "role": 1,
    "content_type": 22,
    "version": 0x0303,
    "epoch": 7,
    "body": b"body",
    "length": 1 << 40,
    "missing": 1 << 41,
    "offset": 1 << 42,
    "header": 13,
    "frame": 1 << 43,
    "at": 1 << 62,
    "second": b"other",
    "problem": "why",
}


def fields(record: Record) -> dict[str, object]:
    return {name: getattr(record, name) for name in FIELDS}


def test_a_record_begins_empty():
    assert fields(Record(1)) == {name: type(value)() for name, value in FIELDS.items()} | {"role": 1, "at": -1}


@pytest.mark.parametrize("name", FIELDS)
def test_a_copy_has_every_value_and_is_an_object_of_its_own(name: str):
    record = Record(1)
    for field, value in FIELDS.items():
        setattr(record, field, value)
    copied_record = record.copy()
    assert fields(copied_record) == FIELDS
    setattr(record, name, type(FIELDS[name])())
    assert fields(copied_record) == FIELDS


def test_every_field_of_a_record_is_copied():
    """FIELDS has all of them, in both builds."""
    names = {name for name in dir(Record) if not name.startswith("_") and not callable(getattr(Record, name))}
    assert names == set(FIELDS)


def test_a_gap():
    values = fields(gap(1, 1 << 33, 1 << 34, 1 << 35))
    assert values == fields(Record(1)) | {"content_type": GAP, "offset": 1 << 33, "length": 1 << 34, "frame": 1 << 35}


def test_a_conflict():
    values = fields(conflict(0, 12, b"first", b"second", 9))
    told = {"content_type": CONFLICT, "offset": 12, "body": b"first", "second": b"second", "frame": 9}
    assert values == fields(Record(0)) | told


def test_what_is_no_record_is_of_no_type_that_the_wire_can_have():
    assert len({GAP, LOST, NO_RECORD, CONFLICT}) == 4
    assert max(GAP, LOST, NO_RECORD, CONFLICT) < 0


def test_a_sink_wants_all_and_ends_with_its_flow():
    sink = RecordSink()
    assert sink.wants(0, 23)
    assert sink.take(Record(0)) is None
    assert sink.end_role(0, 1, 1) is None
    assert sink.finish(1, 1)
