"""The entries for sides whose certificates are not judged."""

import jsonschema
import orjson
import pytest

from analyzer.analysis.shown_certificates import HIDDEN, LISTED, NONE, PART
from analyzer.store.schema import DEFINITIONS, SESSION
from analyzer.store.unjudged_chains import ABSENT, RAW_KEY, RAW_KEY_JSON, UNJUDGED, UNJUDGED_JSON


def test_there_is_one_for_everything_but_a_whole_list():
    assert set(UNJUDGED) == {NONE, HIDDEN, PART}
    assert LISTED not in UNJUDGED_JSON
    assert [UNJUDGED[shown]["verdict"] for shown in (NONE, HIDDEN, PART)] == ["absent", "unknown", "unknown"]


@pytest.mark.parametrize("record", [*UNJUDGED.values(), RAW_KEY])
def test_they_are_as_the_schema_says_and_name_no_problem(record: dict[str, object]):
    jsonschema.validate(record, DEFINITIONS["chain"] | {"$defs": SESSION.get("$defs", {})})
    assert (record["problems"], record["path"]) == ([], [])


def test_what_is_written_is_the_same():
    assert {shown: orjson.loads(written) for shown, written in UNJUDGED_JSON.items()} == UNJUDGED
    assert orjson.loads(RAW_KEY_JSON) == RAW_KEY
    assert ABSENT == UNJUDGED[NONE]
