"""Tables of all extensions that IANA has registered, and of others in use.

There is one file for each family. `EXTENSIONS` has the tables by place.
"""

from analyzer.tls.messages.extensions import (
    about_certificates,
    algorithms,
    ech_extensions,
    identity,
    key_share,
    names,
    quic_parameters,
    records,
    resumption_extensions,
)
from analyzer.tls.messages.extensions.places import EXTENSIONS

__all__ = [
    "EXTENSIONS", "about_certificates", "algorithms", "ech_extensions", "identity", "key_share", "names", "quic_parameters",
    "records", "resumption_extensions",
]  # fmt: skip
