"""Finds certificates and keys that servers share although the names do not tell why.

One certificate at several addresses is usual: a service has several, and a provider has many names in one certificate. So a
certificate is compared with the first host that sent it, and nothing is said if both clients asked for the same name, or for
names that the certificate has (RFC 9525). Different certificates with one key are usual too if one follows the other and has
the same names.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from analyzer.analysis.seen_values import SeenValues
from analyzer.codec.byte_slices import slice_bytes
from analyzer.packet.addresses import address_text
from analyzer.tls.events import Finding

if TYPE_CHECKING:
    import cython

MAX_KNOWN = 4096
"""Combinations of certificate, host and name that are found at once. A full memory begins anew, and nothing is lost."""

LARGEST_KNOWN = 1 << 14
"""Bytes of the largest certificate in that memory."""

NAME_SHOWN = 253
"""Characters of a server name that a sentence has. A host name has no more."""


class _Place(NamedTuple):
    """Where a certificate was seen first: session, frame, host, requested name, SHA-256 of the certificate, its names."""

    session: int
    frame: int
    host: bytes
    name: bytes | None
    digest: bytes
    names: tuple[str, ...]


class CertificatePlaces:
    """The hosts of certificates, and the certificates of keys. known: certificates, hosts and names without news."""

    __slots__ = ("certificates", "keys", "known", "places")

    def __init__(self) -> None:
        self.known: set[tuple[Any, ...]] = set()
        self.places = SeenValues()
        self.certificates = SeenValues()
        self.keys = SeenValues()

    @property
    def forgotten(self) -> bool:
        """Whether places were dropped, because there were too many."""
        return self.places.forgotten or self.certificates.forgotten or self.keys.forgotten

    def knows(self, key: bytes, leaf: bytes, name: bytes | None) -> cython.bint:
        """Return whether there is nothing new about a certificate, and note that it was seen. See `take`."""
        known: tuple[Any, ...] = (leaf, slice_bytes(key, (len(key) - 4) >> 1, len(key) - 4), name)
        if known in self.known:
            return True
        if len(leaf) <= LARGEST_KNOWN:
            if len(self.known) >= MAX_KNOWN:
                self.known.clear()
            self.known.add(known)
        return False

    def take(self, session: int, frame: int, leaf: bytes, key: bytes, name: bytes | None) -> list[Finding]:
        """Take the certificate of a server, DER. key: of its flow. name: that the client requested."""
        host = key[(len(key) - 4) >> 1 : len(key) - 4]
        digest = sha256(leaf).digest()
        if self.places.first(digest + bytes((len(host),)) + host + (name or b"\0"), digest) is not None:
            return []
        from analyzer.x509.certificate import RAW_PUBLIC_KEY, certificate

        facts = certificate(leaf)
        names = facts.subject_alt_names or ((facts.subject,) if facts.subject else ())
        place = _Place(session, frame, host, name, digest, names)
        first = self.certificates.first(digest, place)
        if first is None:
            return [] if facts.type == RAW_PUBLIC_KEY else _key_finding(self.keys, leaf, place)
        if first.host == host or (name is not None and _covered(leaf, (first.name, name))):
            return []
        at, there = address_text(host), address_text(first.host)
        detail = (
            f"the server at {at} ({_asked(name)}) sent the certificate that the server at {there} ({_asked(first.name)}) sent "
            f"in session {first.session}, SHA-256 {digest.hex()}"
        )
        return [Finding("shared_certificate", "info", detail, _frames(first.frame, frame))]


def _key_finding(keys: SeenValues, leaf: bytes, place: _Place) -> list[Finding]:
    """Return the finding about a new certificate whose key another certificate had before."""
    from analyzer.x509.certificate_id import identity

    found = identity(leaf)
    if found is None:
        return []
    first = keys.first(sha256(found.public_key).digest(), place)
    if first is None or first.digest == place.digest or set(first.names) & set(place.names):
        return []
    detail = (
        f"the certificate of the server at {address_text(place.host)} has the same public key as another one, which the "
        f"server at {address_text(first.host)} sent in session {first.session}, and no name in common with it; SHA-256 "
        f"{place.digest.hex()} and {first.digest.hex()}"
    )
    return [Finding("shared_key", "info", detail, _frames(first.frame, place.frame))]


def _covered(leaf: bytes, names: tuple[bytes | None, bytes]) -> bool:
    """Return whether two requested names are the same, or the certificate is for both."""
    if names[0] is None:
        return False
    if names[0] == names[1]:
        return True
    from analyzer.x509.certificate_view import certificate_view
    from analyzer.x509.host_name import matches

    presented = certificate_view(leaf).alternative_names or ()
    return all(name is not None and matches(name.decode("utf-8", "backslashreplace"), presented) for name in names)


def _asked(name: bytes | None) -> str:
    return (
        "no name was requested" if name is None else f'requested as "{name.decode("utf-8", "backslashreplace")[:NAME_SHOWN]}"'
    )


def _frames(first: int, second: int) -> list[int]:
    return sorted({frame for frame in (first, second) if frame > 0})
