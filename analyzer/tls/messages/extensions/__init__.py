"""Every extension that IANA has registered, and those in use without: one file a family, `EXTENSIONS` has them by place."""

from analyzer.tls.messages.extensions import (
    algorithms,
    certificates,
    encrypted_hello,
    identity,
    key_share,
    names,
    quic,
    records,
    resumption,
)
from analyzer.tls.messages.extensions.places import EXTENSIONS

__all__ = [
    "EXTENSIONS", "algorithms", "certificates", "encrypted_hello", "identity", "key_share", "names", "quic", "records",
    "resumption",
]  # fmt: skip
