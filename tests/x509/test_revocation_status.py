"""The interval in which a revocation status counts."""

from datetime import UTC, datetime, timedelta, timezone

from authorities import AT, DAY

from analyzer.x509.revocation_status import CLOCK_SKEW, LIFE_WITHOUT_END, RevocationStatus, in_utc, validity_interval


def test_clocks_may_differ():
    assert validity_interval(AT, AT + DAY) == (AT - CLOCK_SKEW, AT + DAY + CLOCK_SKEW)
    assert validity_interval(AT, None) == (AT - CLOCK_SKEW, AT + LIFE_WITHOUT_END)


def test_the_ends_of_time_are_dates():
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    assert validity_interval(first, last) == (first, last)


def test_times_of_all_zones_are_converted_to_utc():
    far = timezone(timedelta(hours=14)), timezone(timedelta(hours=-12))
    assert in_utc(AT.replace(tzinfo=None)) == AT
    assert in_utc(AT.astimezone(far[0])) == AT
    assert in_utc(datetime.min.replace(tzinfo=far[0])) == datetime.min.replace(tzinfo=UTC)
    assert in_utc(datetime.max.replace(tzinfo=far[1])) == datetime.max.replace(tzinfo=UTC)


def test_a_revocation_is_final_and_a_hold_is_not():
    assert RevocationStatus("crl", "revoked", "", reason="keyCompromise").final
    assert not RevocationStatus("crl", "revoked", "", reason="certificateHold").final
    assert not RevocationStatus("crl", "good", "").final
