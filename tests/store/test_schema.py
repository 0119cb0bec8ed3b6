import json
from pathlib import Path

import jsonschema
import pytest
from conversations import read_sessions

from analyzer.capture.capture_reader import CaptureReader
from analyzer.engine import Engine
from analyzer.store.schema import SCHEMA
from analyzer.store.session_record import json_line, session_record

VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def records(path: Path) -> list[dict]:
    sessions = read_sessions(CaptureReader([str(path)]), Engine())
    return [json.loads(json_line(session_record(session, True))) for session in sessions]


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_all_records_of_the_demonstration_captures_are_valid(repository: Path):
    paths = sorted((repository / "captures").rglob("*.pcap*"))
    n_records = 0
    for path in paths:
        for record in records(path):
            VALIDATOR.validate(record)
            n_records += 1
    assert n_records > 30


@pytest.mark.corpus
def test_all_records_of_the_corpus_are_valid(corpus: Path):
    paths = sorted([*corpus.glob("zeek/*/*.pcap*"), *corpus.glob("ja4/*.pcap*")])
    assert sum(len(records(path)) for path in paths) > 200
    for path in paths:
        for record in records(path):
            VALIDATOR.validate(record)


def test_every_key_is_required_and_known(repository: Path):
    (record, *_) = records(repository / "captures" / "demo.pcapng")
    assert list(record) == list(SCHEMA["properties"])
    assert set(SCHEMA["required"]) == set(record)


@pytest.mark.parametrize(
    ("key", "value"),
    [("id", None), ("protocol", "ssl"), ("version", 3), ("established", None), ("ja3", "x"), ("start_time", "yesterday")],
)
def test_a_wrong_value_is_refused(repository: Path, key: str, value: object):
    (record, *_) = records(repository / "captures" / "demo.pcapng")
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(record | {key: value})


def test_a_missing_key_is_refused_and_a_new_one_is_not(repository: Path):
    (record, *_) = records(repository / "captures" / "demo.pcapng")
    VALIDATOR.validate(record | {"new": 1})
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate({key: value for key, value in record.items() if key != "gaps"})
