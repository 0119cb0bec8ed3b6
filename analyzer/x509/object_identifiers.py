"""Names of object identifiers, from one registry: `object_identifiers.csv`.

Each line has a kind, which says where the identifier stands in a certificate (an identifier may stand in several places, with
a name for each), its value in dotted form, its name as the reference has it, and the reference. Identifiers that have no line
stay dotted numbers. Key types are named as TLS people type them, curves as the IANA registry of TLS groups does, signature
algorithms as OpenSSL prints them, policies by what they assert.
"""

import csv
import os
from functools import cache

from analyzer.x509.der import encode_object_identifier

_PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "object_identifiers.csv")


@cache
def names(kind: str) -> dict[bytes, str]:
    """Octets to name for one kind: `public_key`, `curve`, `signature`, `attribute`, `extension`, `purpose`, `access`,
    `policy`, `qualifier`, `revocation_status`, `hash`, `mask` or `gost_parameters`. KeyError for any other."""
    return _registry()[kind]


@cache
def _registry() -> dict[str, dict[bytes, str]]:
    kinds: dict[str, dict[bytes, str]] = {}
    with open(_PATH, encoding="utf-8", newline="") as file:
        lines = csv.reader(file)
        next(lines)
        for kind, value, name, _ in lines:
            kinds.setdefault(kind, {})[encode_object_identifier(value)] = name
    return kinds
