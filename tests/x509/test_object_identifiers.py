import csv
from pathlib import Path

import pytest

from analyzer.x509 import object_identifiers
from analyzer.x509.der import encode_object_identifier, object_identifier
from analyzer.x509.object_identifiers import names

ROWS = list(csv.DictReader(Path(object_identifiers.__file__).with_suffix(".csv").open(encoding="utf-8", newline="")))


def test_each_identifier_has_one_line_in_a_kind_and_a_source() -> None:
    assert len({(row["kind"], row["value"]) for row in ROWS}) == len(ROWS) > 250
    assert all(row["name"] and row["reference"] for row in ROWS)
    for row in ROWS:
        octets = encode_object_identifier(row["value"])
        assert object_identifier(octets) == row["value"]
        assert names(row["kind"])[octets] == row["name"]


def test_names_of_a_kind_are_distinct() -> None:
    for kind in {row["kind"] for row in ROWS} - {"public_key"}:  # two identifiers each mean DH and EC keys
        assert len(set(names(kind).values())) == len(names(kind)), kind


def test_one_identifier_may_have_several_kinds() -> None:
    octets = encode_object_identifier("1.2.840.113549.1.1.10")
    assert (names("public_key")[octets], names("signature")[octets]) == ("rsassa-pss", "rsassaPss")


def test_an_unknown_kind_is_an_error() -> None:
    with pytest.raises(KeyError):
        names("colour")
