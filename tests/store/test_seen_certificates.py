"""How certificates stand at a moment, and the limits of their list."""

from typing import Any

import pytest
from hierarchy import make_root

from analyzer.store import seen_certificates as limits
from analyzer.store.inventory_record import Moment
from analyzer.store.seen_certificates import SeenCertificate, SeenCertificates

DAY = 86_400
START, END = "2026-01-01T00:00:00.000000000Z", "2026-12-31T00:00:00.000000000Z"
AT = 1_767_225_600_000_000_000
"""2026-01-01."""


def state(at: int | None, within: int, start: str | None = START, end: str | None = END) -> tuple[str, int | None]:
    moment = Moment(at, within)
    one = SeenCertificate({"not_before": start, "not_after": end})
    return one.state(moment.at, moment.until), moment.days_to(end)


@pytest.mark.parametrize(
    ("days", "within", "expected"),
    [
        (0, 30, ("valid", 364)),
        (334, 30, ("expiring", 30)),
        (333, 30, ("valid", 31)),
        (364, 0, ("expiring", 0)),
        (365, 30, ("expired", -1)),
        (-1, 30, ("not_yet_valid", 365)),
        (0, 5_000_000, ("expiring", 364)),
        (200_000, 30, ("expired", 364 - 200_000)),
        (-30_000, 30, ("not_yet_valid", 30_364)),
    ],
)
def test_a_certificate_at_a_moment(days: int, within: int, expected: tuple[str, int]):
    assert state(AT + days * DAY * 1_000_000_000, within * DAY) == expected


def test_what_is_not_known_is_unknown():
    assert state(None, 30) == ("unknown", None)
    assert state(AT, 30, None) == ("unknown", 364)
    assert state(AT, 30, START, None) == ("unknown", None)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, set()),
        ({"signature_algorithm": "sha1WithRSAEncryption"}, {"weak_signature"}),
        ({"signature_algorithm": "ecdsa-with-SHA1"}, {"weak_signature"}),
        ({"signature_algorithm": "md5WithRSAEncryption"}, {"weak_signature"}),
        ({"signature_algorithm": "sha1WithRSAEncryption", "subject": "CN=ca"}, set()),
        ({"public_key": {"type": "rsa", "bits": 1024}}, {"weak_key"}),
        ({"public_key": {"type": "rsa"}}, set()),
        ({"public_key": None, "signature_algorithm": None}, set()),
    ],
)
def test_weak_also_without_a_judged_chain(changes: dict[str, Any], expected: set[str]):
    facts = {
        "subject": "CN=a", "issuer": "CN=ca", "signature_algorithm": "sha256WithRSAEncryption",
        "public_key": {"type": "rsa", "bits": 2048},
    }  # fmt: skip
    assert SeenCertificate(facts | changes).weak() == expected


def test_each_once_with_who_sent_it():
    seen, der = SeenCertificates(), make_root().der
    name = seen.take(der, "192.0.2.1:443", True, True, START, START)
    assert seen.take(der, "192.0.2.2:443", True, False, None, END) == name
    assert name is not None
    one = seen.seen[name]
    assert (one.sessions, one.owns, one.first, one.last) == (2, True, START, END)
    assert one.servers.first(5) == [("192.0.2.1:443", 1), ("192.0.2.2:443", 1)]


def test_bytes_that_are_no_certificate_are_listed_without_dates():
    seen = SeenCertificates()
    name = seen.take(b"\x30\x03\x02\x01\x01", "192.0.2.1:443", True, True, START, START)
    assert name is not None
    assert seen.seen[name].state(START, END) == "unknown"


def test_the_list_is_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(limits, "MOST_CERTIFICATES", 2)
    seen = SeenCertificates()
    names = [seen.take(bytes([0x30, 1, n]), "192.0.2.1:443", True, True, START, START) for n in range(4)]
    assert (len(seen.seen), seen.left_out, names[2:]) == (2, 2, [None, None])
    assert seen.take(bytes(limits.LARGEST + 1), "192.0.2.1:443", True, True, START, START) is None
