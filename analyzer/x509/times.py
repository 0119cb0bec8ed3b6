"""Reads times in certificates (RFC 5280, section 4.1.2.5): UTCTime has a year of two digits, GeneralizedTime of four."""

import re
from datetime import datetime, timedelta

from analyzer.codec.errors import Malformed
from analyzer.x509.der import GENERALIZED_TIME, UTC_TIME, Element

_TIME_LENGTH = 40
_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(?:(\d\d)(?:(\d\d)(?:[.,](\d+))?)?)?(Z|[+-]\d\d(?:\d\d)?)?", re.ASCII)


def time_text(der: bytes, element: Element, field: str) -> str:
    """Return a time as RFC 3339 text in UTC. A UTCTime is in 1950 to 2049. Raises `Malformed`.

    Certificates have whole seconds. A fraction, which RFC 5280 forbids, is kept, with nine digits. Zones and short forms that
    X.690 allows and RFC 5280 forbids are accepted. A time without a zone is read as UTC.
    """
    tag, start, end, _ = element
    if tag not in (UTC_TIME, GENERALIZED_TIME) or end - start > _TIME_LENGTH:
        raise Malformed(field, start, f"tag 0x{tag:02x} of {end - start} bytes is no time")
    digits = der[start:end].decode("latin-1")
    if tag == UTC_TIME:
        digits = ("20" if digits < "5" else "19") + digits
    parts = _TIME.fullmatch(digits)
    if parts is None:
        raise Malformed(field, start, f"{der[start:end]!r} is no time")
    year, month, day, hour, minute, second, fraction, zone = parts.groups()
    text = f"{year}-{month}-{day}T{hour}:{minute or '00'}:{second or '00'}"
    try:
        time = datetime.fromisoformat(text)
        if zone and zone != "Z":
            offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:] or 0))
            time += offset if zone[0] == "-" else -offset
    except (ValueError, OverflowError) as error:
        raise Malformed(field, start, str(error)) from error
    rest = (fraction or "")[:9]
    return f"{time.isoformat()}.{rest:0<9}Z" if rest.strip("0") else f"{time.isoformat()}Z"
