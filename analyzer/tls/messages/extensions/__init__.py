"""Every extension that IANA has registered, and those in use without: one file a family, `EXTENSIONS` has them by place."""

from analyzer.tls.messages.extensions import (
    algorithms,
    certificates,
    key_share,
    names,
    resumption,
)
from analyzer.tls.messages.extensions.places import EXTENSIONS

__all__ = ["EXTENSIONS", "algorithms", "certificates", "key_share", "names", "resumption"]
