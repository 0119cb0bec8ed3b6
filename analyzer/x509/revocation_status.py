"""Describes what one OCSP response or one CRL says about one certificate. Whether it counts at a given time is decided later.

Both contain the same three facts (RFC 6960, section 2.4; RFC 5280, section 5.1.2): the time from which the status is known
(thisUpdate), the time until which it is current (nextUpdate), and whether and when the certificate was revoked. A revocation
stays true after nextUpdate, because a revoked certificate never becomes valid again. Only one on hold may become valid again
(RFC 5280, section 5.3.1).
"""

from dataclasses import dataclass
from datetime import MINYEAR, UTC, datetime, timedelta
from typing import Literal, TypeAlias

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509 import DuplicateExtension, InvalidVersion, UnsupportedGeneralNameType

Source: TypeAlias = Literal["ocsp", "crl"]
Status: TypeAlias = Literal["good", "revoked", "unknown"]

NAMES: dict[Source, str] = {"ocsp": "OCSP response", "crl": "CRL"}

CLOCK_SKEW = timedelta(minutes=5)
"""Maximum difference between the clocks of a responder and of a capture; OpenSSL's tools allow the same."""

LIFE_WITHOUT_END = timedelta(days=1)
"""How long a status without nextUpdate counts. Newer data may come at any time, and no rule of the web allows one older than
ten days. Browsers take a day."""

UNREADABLE = (
    ValueError, TypeError, OverflowError, UnsupportedAlgorithm, InvalidVersion, DuplicateExtension, UnsupportedGeneralNameType,
)  # fmt: skip
"""Exceptions of the library for data that it cannot read."""


@dataclass(frozen=True, slots=True)
class RevocationStatus:
    """The revocation status of one certificate from one source; all times are UTC.

    signer: a description of who signed it. this_update, next_update: as in the source. since, until: it counts from `since` on
    and before `until`, which are between the updates and within the validity of the signer's certificate. revoked_at, reason
    (with the names of RFC 5280): of a revocation. error: why it never counts, None if it does.
    """

    source: Source
    status: Status
    signer: str
    this_update: datetime | None = None
    next_update: datetime | None = None
    since: datetime | None = None
    until: datetime | None = None
    revoked_at: datetime | None = None
    reason: str | None = None
    error: str | None = None

    @property
    def final(self) -> bool:
        """Whether no later status can revoke this one: a revocation that is not a hold."""
        return self.status == "revoked" and self.reason != "certificateHold"


def in_utc(time: datetime) -> datetime:
    """Return a time in UTC. A time without a zone already is UTC. Out of range, return the first or last possible time."""
    if time.tzinfo is None:
        return time.replace(tzinfo=UTC)
    try:
        return time.astimezone(UTC)
    except OverflowError:
        return (datetime.min if time.year == MINYEAR else datetime.max).replace(tzinfo=UTC)


def stated(time: datetime) -> str:
    """Return a time as text for people."""
    return f"{time:%Y-%m-%d %H:%M:%S} UTC"


def validity_interval(this_update: datetime, next_update: datetime | None) -> tuple[datetime, datetime]:
    """Return the time from which a status with these times counts, and the time from which it no longer counts."""
    try:
        return this_update - CLOCK_SKEW, next_update + CLOCK_SKEW if next_update else this_update + LIFE_WITHOUT_END
    except OverflowError:  # the years 1 and 9999 are possible dates
        return this_update, next_update or this_update
