"""The inventory of many sessions: what is counted, what is left out, and what comes of recorded sessions."""

from typing import Any, cast

import pytest
from sessions_by_hand import events_of

from analyzer.store import inventory_tables as limits
from analyzer.store import seen_certificates
from analyzer.store.chain_verdicts import Chains
from analyzer.store.inventory_record import Moment, inventory_record
from analyzer.store.inventory_tables import Inventory
from analyzer.store.session_sighting import Offer, Sighting, sighting
from analyzer.tls.events import SessionEnded
from analyzer.tls.session import Session

START = "2026-11-02T09:00:01.200000000Z"


class _Handshake:
    certificates = (None, None)


class _Log:
    certificate_changes: tuple[Any, ...] = ()


class _NoCertificates:
    """As much of a session as an inventory needs of one without certificates."""

    handshake, log = _Handshake(), _Log()


NONE_SENT = cast("Session", _NoCertificates())
SIGHTING = Sighting(
    0, 1, ("192.0.2.1", 50000), ("203.0.113.1", 443), START, START, "a.example", "TLS 1.2",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "x25519", "h2", "rsa_pss_rsae_sha256", True, "t13d_a_b",
    Offer(("TLS 1.3", "TLS 1.2"), True, ("X25519MLKEM768",), ("rc4",)), (), 0, "classical", "refused", 100,
)  # fmt: skip


def inventory_of(*seen: Sighting) -> Inventory:
    made, chains = Inventory(), Chains()
    for one in seen:
        made.take(one, NONE_SENT, chains)
    return made


def record_of(made: Inventory, at: int | None = None, within: int = 0) -> dict[str, Any]:
    return inventory_record(made, Moment(at, within))


def recorded(*names: str, keyed: bool = True) -> dict[str, Any]:
    """The record of demonstration captures."""
    made, chains = Inventory(), Chains()
    for name in names:
        for event in events_of(name, keyed):
            if isinstance(event, SessionEnded):
                made.take(sighting(event.ended), event.ended, chains)
    return record_of(made)


def values(counted: dict[str, Any]) -> dict[str, int]:
    return {one.get("value") or one["server_name"]: one["sessions"] for one in counted["values"]}


def test_sessions_of_one_server_are_one_entry():
    later = "2026-11-02T10:00:00.000000000Z"
    other = SIGHTING._replace(session=1, client=("192.0.2.2", 1), name="b.example", version=None, established=None, end=later)
    record = record_of(inventory_of(SIGHTING, other))
    (server,) = record["servers"]
    assert (server["address"], server["port"], server["sessions"], server["established"]) == ("203.0.113.1", 443, 2, 1)
    assert values(server["names"]) == {"a.example": 1, "b.example": 1}
    assert (values(server["versions"]), server["versions"]["unknown"]) == ({"TLS 1.2": 1}, 1)
    assert (server["first_seen"], server["last_seen"]) == (START, later)
    assert server["post_quantum"]["openable_later"] == {"sessions": 2, "bytes": 200}
    assert [one["address"] for one in record["clients"]] == ["192.0.2.1", "192.0.2.2"]


def test_sessions_without_encrypted_bytes_are_nothing_to_open():
    record = record_of(inventory_of(SIGHTING._replace(n_bytes=0)))
    assert record["post_quantum"]["key_exchanges"]["classical"] == 1
    assert record["post_quantum"]["openable_later"] == {"sessions": 0, "bytes": 0}


def test_offers_are_told_apart_from_what_was_agreed_on():
    weak = SIGHTING._replace(
        weak=(("deprecated_version", "medium", 4, "they speak TLS 1.0, which RFC 8996 forbids"),), session=3
    )
    record = record_of(inventory_of(weak, weak._replace(session=2)))
    (agreed,) = record["weak"]["agreed"]
    assert (agreed["code"], agreed["server"]["address"], agreed["sessions"]) == ("deprecated_version", "203.0.113.1", 2)
    assert (agreed["session"], agreed["frame"], agreed["names"]) == (2, 4, ["a.example"])
    assert record["weak"]["offered"] == [{"code": "rc4", "client": "192.0.2.1", "sessions": 2}]
    assert record["servers"][0]["weak"] == ["deprecated_version"]


def test_a_client_has_its_rare_fingerprints():
    common = [SIGHTING._replace(session=n) for n in range(200)]
    record = record_of(
        inventory_of(*common, SIGHTING._replace(ja4="rare"), SIGHTING._replace(ja4="rare", client=("192.0.2.9", 1)))
    )
    assert [one["rare_ja4"] for one in record["clients"]] == [["rare"], ["rare"]]
    assert [one["ja4"] for one in record["ja4"] if one["rare"]] == ["rare"]


def test_groups_that_clients_offer():
    record = record_of(inventory_of(SIGHTING, SIGHTING._replace(offer=None)))
    assert values(record["post_quantum_groups"]) == {"X25519MLKEM768": 1}
    assert record["post_quantum"]["answers"] == {"accepted": 0, "refused": 2, "not_offered": 0, "unknown": 0}


def test_a_hello_that_is_not_whole_is_not_known_and_offers_nothing():
    record = record_of(inventory_of(SIGHTING._replace(offer=None, ja4=None, answer="unknown")))
    (client,) = record["clients"]
    assert (client["hellos"], client["weak_offers"], client["ja4"]["unknown"]) == (0, [], 1)
    assert record["post_quantum"]["answers"]["unknown"] == 1


def test_forty_thousand_servers_are_bounded(monkeypatch: pytest.MonkeyPatch):
    for name, most in (("MOST_SERVERS", 100), ("MOST_CLIENTS", 50)):
        monkeypatch.setattr(limits, name, most)
    made, chains = Inventory(), Chains()
    for n in range(40_000):
        address = f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}"
        seen = SIGHTING._replace(session=n, server=(address, 443), client=(address, 1), name=f"{n}.example")
        made.take(seen, NONE_SENT, chains)
    record = record_of(made)
    assert (len(record["servers"]), len(record["clients"])) == (100, 50)
    assert record["left_out"] == {"server_sessions": 39_900, "client_sessions": 39_950, "certificates": 0, "ja4_sessions": 0}
    assert record["sessions"]["count"] == 40_000
    assert values(record["protocols"]["versions"]) == {"TLS 1.2": 40_000}
    assert record["post_quantum"]["openable_later"]["sessions"] == 40_000


def test_names_of_one_server_are_bounded():
    record = record_of(inventory_of(*(SIGHTING._replace(session=n, name=f"{n}." + "x" * 1000) for n in range(100))))
    names = record["servers"][0]["names"]
    assert (len(names["values"]), names["beyond"]) == (64, 36)
    assert max(len(one["server_name"]) for one in names["values"]) == 256


def test_addresses_are_in_the_order_of_their_numbers():
    servers = ("203.0.113.10", "203.0.113.9", "2001:db8::1")
    record = record_of(inventory_of(*(SIGHTING._replace(server=(one, 443)) for one in servers)))
    assert [one["address"] for one in record["servers"]] == ["203.0.113.9", "203.0.113.10", "2001:db8::1"]


def test_certificates_that_cannot_be_seen_are_not_called_absent():
    (server,) = recorded("tls13-ed25519", keyed=False)["servers"]
    assert (server["certificates"]["not_visible"], server["certificates"]["absent"]) == (1, 0)
    (server,) = recorded("tls13-ed25519")["servers"]
    assert (server["certificates"]["visible"], len(server["certificates"]["sent"])) == (1, 1)


def test_a_certificate_beyond_the_limits_was_sent(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(seen_certificates, "LARGEST", 8)
    (server,) = recorded("tls10-rsa")["servers"]
    assert (server["certificates"]["sent"], server["certificates"]["visible"]) == ([], 1)


def test_old_sessions_are_weak():
    record = recorded("tls10-rsa", "tls11-ecdhe-rsa", "tls12-dhe-rsa")
    agreed = {(one["code"], one["detail"].partition(",")[0]) for one in record["weak"]["agreed"]}
    assert ("deprecated_version", "they speak TLS 1.0") in agreed
    assert ("deprecated_version", "they speak TLS 1.1") in agreed
    assert next(one["code"] for one in record["weak"]["agreed"]) == "deprecated_version"


def test_certificates_of_both_sides_with_who_sent_them():
    record = recorded("tls12-client-certificate")
    own = [one for one in record["certificates"] if one["role"] == "own"]
    assert sorted((bool(values(one["servers"])), bool(values(one["clients"]))) for one in own) == [(False, True), (True, False)]
    assert all(one["verdicts"] == ["invalid"] for one in own)


def test_nothing_is_known_of_an_empty_run():
    record = record_of(Inventory())
    assert record["expiry"]["at"] is None
    assert (record["servers"], record["ja4"], record["weak"]["agreed"]) == ([], [], [])
    assert record["sessions"]["first_seen"] is None
