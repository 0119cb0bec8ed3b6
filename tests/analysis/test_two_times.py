"""What is new, gone or changed between two captures of different times."""

from typing import Any

import pytest

from analyzer.analysis import two_times
from analyzer.analysis.capture_finding import CaptureFinding, Occurrence
from analyzer.analysis.two_times import (
    CERTIFICATE,
    CHANGED,
    FINDING,
    GONE,
    HOST,
    JA4,
    NAME,
    NEW,
    SERVER,
    VERSION,
    Change,
    Sightings,
    changes,
    endpoint,
)


def record(**values: Any) -> dict[str, Any]:
    """The record of a session, with the keys that are looked at."""
    plain: dict[str, Any] = {
        "id": 0,
        "first_frame": 1,
        "client": {"address": "10.0.0.5", "port": 50000},
        "server": {"address": "203.0.113.7", "port": 443},
        "server_name": "shop.example",
        "version": "TLS 1.2",
        "cipher_suite": "TLS_A",
        "group": "x25519",
        "ja4": "t12d",
        "certificates": {"server": [certificate("aa")]},
        "findings": [],
        "chain": {"problems": []},
    }
    return plain | values


def certificate(name: str, issuer: str = "CN=CA") -> dict[str, Any]:
    return {"sha256": name * 32, "subject": f"CN={name}", "issuer": issuer, "not_after": "2027-01-01T00:00:00Z"}


def finding(code: str, severity: str = "high", frame: int = 7) -> dict[str, Any]:
    return {"code": code, "severity": severity, "detail": f"what {code} is", "frames": [frame]}


def seen(*records: dict[str, Any]) -> Sightings:
    found = Sightings()
    for one in records:
        found.take_record(one)
    return found


def found(before: Sightings, after: Sightings, *kinds: str) -> list[tuple[str, str, str | None]]:
    return [(one.change, one.kind, one.value) for one in changes(before, after, kinds or two_times.KINDS)]


def test_the_same_traffic_has_no_difference():
    assert found(seen(record()), seen(record(id=9, first_frame=80), record(id=10))) == []


def test_a_new_server_with_all_it_has():
    other = record(
        server={"address": "2001:db8::1", "port": 8443}, server_name="new.example", certificates={"server":
        [certificate("bb")]}, version="TLS 1.0", cipher_suite="TLS_B", group="secp256r1", ja4="t10d",
    )  # fmt: skip
    assert found(seen(record()), seen(record(), other)) == [
        (NEW, "server", "[2001:db8::1]:8443"), (NEW, "server_name", "new.example"), (NEW, "certificate", "bb" * 32),
        (NEW, "version", "TLS 1.0"), (NEW, "cipher_suite", "TLS_B"), (NEW, "group", "secp256r1"), (NEW, "ja4", "t10d"),
    ]  # fmt: skip
    assert {change for change, _, _ in found(seen(record(), other), seen(record()))} == {GONE}


def test_a_finding_is_the_same_one_at_the_same_server():
    before = seen(record(findings=[finding("gap")]))
    after = seen(record(findings=[finding("gap", frame=99), finding("downgrade")]))
    (one,) = changes(before, after, [FINDING])
    assert (one.change, one.value, one.sighting.where) == (NEW, "downgrade", ["shop.example"])
    assert one.sighting.about == {"severity": "high", "detail": "what downgrade is"}
    assert one.sighting.frame == 7
    elsewhere = seen(record(findings=[finding("gap")], server_name="other.example"))
    assert found(before, elsewhere, FINDING) == [(NEW, FINDING, "gap"), (GONE, FINDING, "gap")]


def test_findings_about_the_capture_are_the_same_ones_by_their_addresses():
    before, after = Sightings(), Sightings()
    for seen_by, count, server in ((before, 9, "203.0.113.7"), (after, 12, "203.0.113.7"), (after, 12, "203.0.113.8")):
        detail = f"10.0.0.5 connects to port 443 of {server} {count} times, every 60 seconds"
        seen_by.take_finding(CaptureFinding("regular_connections", "info", detail, count, (Occurrence(3, (14,)),)))
    (one,) = changes(before, after)
    assert (one.change, one.value, one.sighting.where) == (NEW, "regular_connections", ["10.0.0.5 203.0.113.8"])
    assert (one.sighting.session, one.sighting.frame) == (3, 14)


def test_a_server_with_another_certificate_and_version_has_changed():
    after = seen(record(certificates={"server": [certificate("bb", "CN=Other CA")]}, version="TLS 1.3"))
    changed = {one.kind: one for one in changes(seen(record()), after) if one.change == CHANGED}
    assert set(changed) == {CERTIFICATE, VERSION}
    assert (changed[CERTIFICATE].before, changed[CERTIFICATE].after) == (("aa" * 32,), ("bb" * 32,))
    assert changed[CERTIFICATE].sighting.about == {"issuers_before": ["CN=CA"], "issuers_after": ["CN=Other CA"]}
    assert (changed[VERSION].before, changed[VERSION].after) == (("TLS 1.2",), ("TLS 1.3",))


def test_a_server_that_also_has_the_old_value_has_not_changed():
    after = seen(record(), record(version="TLS 1.3"))
    assert found(seen(record()), after) == [(NEW, VERSION, "TLS 1.3")]


def test_a_hidden_certificate_is_not_certainly_gone():
    hidden = record(certificates={"server": None}, version="TLS 1.2")
    (one,) = changes(seen(record()), seen(hidden), [CERTIFICATE])
    assert (one.change, one.certain) == (GONE, False)
    (one,) = changes(seen(record()), seen(record(certificates={"server": []})), [CERTIFICATE])
    assert one.certain


def test_another_certificate_is_not_certain_where_some_are_hidden():
    after = seen(record(certificates={"server": [certificate("bb")]}), record(certificates={"server": None}))
    for before, later in ((seen(record()), after), (after, seen(record()))):
        (changed,) = [one for one in changes(before, later, [CERTIFICATE]) if one.change == CHANGED]
        assert not changed.certain


def test_a_server_of_more_values_than_are_kept_is_not_called_changed():
    farm = [record(certificates={"server": [certificate(f"a{n}")]}) for n in range(two_times.MAX_PLACES + 1)]
    assert found(seen(*farm), seen(*farm[::-1])) == []


def test_what_is_not_known_is_no_value():
    blank = record(server_name=None, version=None, cipher_suite=None, group=None, ja4=None, certificates={"server": None})
    assert found(Sightings(), seen(blank)) == [(NEW, SERVER, "203.0.113.7:443")]


def test_hosts_and_places_of_values():
    before, after = seen(record()), seen(record(), record(id=4, client={"address": "10.0.0.6", "port": 1}, ja4="t13d"))
    after.take_host("10.0.0.6", 40)
    listed: list[Change] = list(changes(before, after))
    assert [(one.kind, one.value, one.sighting.where, one.sighting.count) for one in listed] == [
        (JA4, "t13d", ["10.0.0.6"], 1), (HOST, "10.0.0.6", [], 40),
    ]  # fmt: skip
    assert (listed[0].sighting.session, listed[1].sighting.session) == (4, None)


def test_the_first_session_is_named_in_any_order():
    after = seen(record(id=5, first_frame=50), record(id=2, first_frame=20))
    names = [one for one in changes(Sightings(), after) if one.kind == NAME]
    assert [(one.sighting.session, one.sighting.frame, one.sighting.count) for one in names] == [(2, 20, 2)]


def test_values_beyond_the_limit_are_counted(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(two_times, "MAX_VALUES", 1)
    after = seen(record(), record(server_name="b.example"), record(server_name="c.example"))
    assert after.left_out == 2
    assert endpoint({"address": "::1", "port": 1}) == "[::1]:1"
