"""Lists anomalies of a chain as it was sent: its order, duplicates, missing and extra certificates.

RFC 8446, section 4.4.2: the sender's certificate comes first, and each following one SHOULD certify the one before it. Some
servers do otherwise, so clients should accept any order and extra certificates.
"""

from collections.abc import Sequence

from analyzer.x509.certificate_view import CertificateView
from analyzer.x509.path_building import Path
from analyzer.x509.verdict import Note


def chain_notes(sent: Sequence[CertificateView], chain: Sequence[bytes], path: Path) -> tuple[Note, ...]:
    """Return the notes on a chain. sent: the certificates that were checked. chain: all of them. path: the best path."""
    notes: list[Note] = []
    places = {certificate.der: place for place, certificate in enumerate(path.certificates)}
    seen: set[bytes] = set()
    furthest = 0
    for index, certificate in enumerate(sent):
        if certificate.der in seen:
            notes.append(Note("duplicate", index, f"{certificate.title} was sent before"))
            continue
        seen.add(certificate.der)
        place = places.get(certificate.der)
        if place is None:
            notes.append(Note("extra", index, f"{certificate.title} is not on the path"))
        elif place < furthest:
            notes.append(Note("misordered", index, f"{certificate.title} comes after what stands above it on the path"))
        else:
            furthest = place
    if len(chain) > len(sent):
        notes.append(Note("extra", len(sent), f"only the first {len(sent)} of {len(chain)} certificates were looked at"))
    places_sent = [certificate.der for certificate in sent]
    notes += [
        Note(
            "odd_encoding",
            places_sent.index(certificate.der) if certificate.der in seen else None,
            f"{certificate.title} writes out a default value, which DER forbids and every client takes",
        )
        for certificate in path.certificates
        if certificate.has_encoded_default
    ]
    last = len(path.certificates) - 1 if path.trusted else len(path.certificates)
    notes += [
        Note("missing_intermediate", None, f"{certificate.title} is on the path, and was not sent")
        for certificate in path.certificates[1:last]
        if certificate.der not in seen
    ]
    return tuple(notes)
