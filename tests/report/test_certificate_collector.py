from analyzer.report.certificate_collector import CertificateCollector

from .conftest import Facts


def session(number: int, certificate: dict, *, port: int = 443, verdict: str = "valid") -> dict:
    return {
        "id": number,
        "first_frame": 10 * number + 1,
        "client": {"address": "192.0.2.1", "port": 50_000 + number},
        "server": {"address": "2001:db8::1", "port": port},
        "certificates": {"server": [certificate], "client": []},
        "chain": {"verdict": verdict},
        "client_chain": {"verdict": "absent"},
    }


CERTIFICATE = dict.fromkeys(
    ("type", "subject", "issuer", "serial", "public_key", "signature_algorithm", "subject_alt_names")
) | {"sha256": "ab" * 32, "not_before": "2026-01-01T00:00:00Z", "not_after": "2026-12-31T00:00:00Z"}


def test_a_certificate_is_listed_once_with_all_that_sent_it():
    collector = CertificateCollector()
    collector.take(session(2, CERTIFICATE))
    collector.take(session(0, CERTIFICATE, port=8443, verdict="invalid"))
    (found,) = collector.records("2026-12-01T00:00:00.000000000Z")
    assert found["sessions"] == 2
    assert found["first_frame"] == 1
    assert found["senders"] == ["[2001:db8::1]:443", "[2001:db8::1]:8443"]
    assert found["verdicts"] == {"invalid": 1, "valid": 1}
    assert found["expires_in_days"] == 30


def test_what_is_not_known_is_null():
    collector = CertificateCollector()
    collector.take(session(0, CERTIFICATE | {"not_after": None}))
    collector.take(session(1, CERTIFICATE | {"sha256": "cd" * 32, "not_after": "99999-12-31T00:00:00Z"}))
    collector.take(session(2, CERTIFICATE | {"sha256": None}))
    assert [found["expires_in_days"] for found in collector.records("2026-12-01T00:00:00.000000000Z")] == [None, None]
    assert [found["expires_in_days"] for found in collector.records(None)] == [None, None]


def test_an_expired_certificate_has_negative_days(demo_facts: Facts):
    expired = [one for one in demo_facts["certificates"] if one["expires_in_days"] is not None and one["expires_in_days"] < 0]
    assert expired
    assert all(set(one["verdicts"]) <= {"invalid"} for one in expired)
