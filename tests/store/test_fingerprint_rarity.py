"""Which fingerprints are called rare."""

import pytest

from analyzer.store import inventory_tables
from analyzer.store.fingerprint_rarity import fingerprint_records

from .test_inventory_tables import SIGHTING, Sighting, inventory_of


def seen(ja4: str, client: int, n: int) -> list[Sighting]:
    return [SIGHTING._replace(ja4=ja4, client=(f"10.0.0.{client}", 1))] * n


def test_in_few_sessions_nothing_is_called_rare_and_the_order_shows_it():
    found = fingerprint_records(inventory_of(*seen("common", 1, 10), *seen("common", 2, 10), *seen("once", 3, 1)))
    assert [(one["ja4"], one["rare"]) for one in found] == [("once", None), ("common", None)]
    assert found[0] == {"ja4": "once", "sessions": 1, "clients": {"count": 1, "first": ["10.0.0.3"]}, "rare": None}


def test_one_session_in_a_hundred_is_rare():
    found = fingerprint_records(inventory_of(*seen("common", 1, 198), *seen("rare", 2, 2)))
    assert {one["ja4"]: one["rare"] for one in found} == {"rare": True, "common": False}


def test_one_client_among_many_is_rare_however_often_it_comes():
    many = [one for client in range(1, 12) for one in seen("common", client, 5)]
    found = fingerprint_records(inventory_of(*many, *seen("beacon", 99, 60)))
    assert {one["ja4"]: one["rare"] for one in found} == {"beacon": True, "common": False}


def test_a_few_clients_have_programs_of_their_own():
    found = fingerprint_records(inventory_of(*seen("first", 1, 60), *seen("second", 2, 60)))
    assert [one["rare"] for one in found] == [False, False]


def test_sessions_without_a_whole_hello_have_no_fingerprint():
    assert fingerprint_records(inventory_of(SIGHTING._replace(ja4=None))) == []


def test_a_fingerprint_whose_clients_are_beyond_a_limit_is_not_rare_for_that(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(inventory_tables, "MOST_FINGERPRINTS", 1)
    many = [one for client in range(1, 12) for one in (*seen("first", client, 5), *seen("second", client, 5))]
    found = {one["ja4"]: one for one in fingerprint_records(inventory_of(*many))}
    assert (found["second"]["clients"]["count"], found["second"]["rare"]) == (0, False)
