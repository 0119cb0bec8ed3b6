"""What one OCSP response or one CRL says of one certificate, before it is asked whether that counts at some moment.

Both say the same three things (RFC 6960, section 2.4; RFC 5280, section 5.1.2): since when they know it (thisUpdate), until
when they stand by it (nextUpdate), and whether and when the certificate was revoked. A revocation stays true after nextUpdate,
for a revoked certificate never becomes valid again; only one on hold may (RFC 5280, section 5.3.1).
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
"""How far the clocks of a responder and of a capture may differ; OpenSSL's tools grant the same."""

LIFE_WITHOUT_END = timedelta(days=1)
"""How long a statement without a nextUpdate counts: newer ones may come any time, and no rule of the web lets one be older
than ten days; browsers take a day."""

UNREADABLE = (
    ValueError, TypeError, OverflowError, UnsupportedAlgorithm, InvalidVersion, DuplicateExtension, UnsupportedGeneralNameType,
)  # fmt: skip
"""What the library raises on what it does not read."""


@dataclass(frozen=True, slots=True)
class RevocationStatus:
    """What is said of one certificate; all times in UTC.

    signer: who signed, in words. this_update, next_update: as stated. since, until: it counts from `since` on and before
    `until`: between the updates, while the signer's certificate was valid. revoked_at, reason (as RFC 5280 names it): of a
    revocation. error: why it never counts, None if it does.
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
        """Whether it says something that no later statement takes back."""
        return self.status == "revoked" and self.reason != "certificateHold"


def in_utc(moment: datetime) -> datetime:
    """Give a moment in UTC, which one without a zone is in already; the first or last of all where that would lie outside."""
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return (datetime.min if moment.year == MINYEAR else datetime.max).replace(tzinfo=UTC)


def stated(moment: datetime) -> str:
    """Give a time as people read it."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def validity_interval(this_update: datetime, next_update: datetime | None) -> tuple[datetime, datetime]:
    """Give the moment from which a statement with these times counts, and that from which it no longer does."""
    try:
        return this_update - CLOCK_SKEW, next_update + CLOCK_SKEW if next_update else this_update + LIFE_WITHOUT_END
    except OverflowError:  # years 1 and 9999 are dates too
        return this_update, next_update or this_update
