"""Maps object identifiers to names, from one registry: `object_identifiers.csv`.

Each line has four values. The kind says where in a certificate the identifier is used; an identifier may have several kinds,
with a name for each. Then follow the identifier in dotted form, its name in the reference, and the reference. Identifiers
without a line are shown as dotted numbers. Key types have the names that are usual with TLS, curves those of the IANA registry
of TLS groups, signature algorithms those that OpenSSL prints. Policies are named by what they assert.
"""

import csv
import os
from functools import cache

from analyzer.x509.der import encode_object_identifier

_PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "object_identifiers.csv")


@cache
def names(kind: str) -> dict[bytes, str]:
    """Return a dict from the bytes of an identifier to its name, for one kind.

    The kinds are `public_key`, `curve`, `signature`, `attribute`, `extension`, `purpose`, `access`, `policy`, `qualifier`,
    `statement`, `hash`, `mask` and `gost_parameters`. Raises KeyError for any other.
    """
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
