"""Has the entries of the session record for sides whose certificates are not judged.

A verdict needs the whole list of certificates. Where a side sent none, where the capture does not show whether it sent any, or
has only a part of them, nothing is said of a chain: neither that it is valid nor that anything is wrong with it.
"""

from typing import Any

import orjson

from analyzer.analysis.shown_certificates import HIDDEN, NONE, PART

ABSENT: dict[str, Any] = {
    "verdict": "absent", "at": None, "name": None, "path": [], "problems": [], "notes": [], "revocation": [], "scts": [],
    "trust": [],
}  # fmt: skip
"""The record of a side that sent no certificate."""

ABSENT_JSON = orjson.dumps(ABSENT)

RAW_KEY: dict[str, Any] = ABSENT | {
    "notes": [
        {
            "code": "raw_public_key",
            "certificate": 0,
            "detail": "a raw public key (RFC 7250) was sent: who knows it has it from elsewhere, and no chain vouches for it",
        }
    ]
}
"""The record of a side that sent a raw public key."""

RAW_KEY_JSON = orjson.dumps(RAW_KEY)

NOT_VISIBLE: dict[str, Any] = ABSENT | {
    "verdict": "unknown",
    "notes": [
        {"code": "not_visible", "certificate": None, "detail": "the capture does not show whether a certificate was sent"}
    ],
}
"""The record of a side whose certificates cannot be seen."""

CUT_SHORT: dict[str, Any] = ABSENT | {
    "verdict": "unknown",
    "notes": [{"code": "cut", "certificate": None, "detail": "certificate cut by the capture"}],
}
"""The record of a side of whose certificates the capture has a part."""

UNJUDGED: dict[int, dict[str, Any]] = {NONE: ABSENT, HIDDEN: NOT_VISIBLE, PART: CUT_SHORT}
UNJUDGED_JSON: dict[int, bytes] = {shown: orjson.dumps(record) for shown, record in UNJUDGED.items()}
"""The records of what `shown_certificates` returns where there is no whole list."""
