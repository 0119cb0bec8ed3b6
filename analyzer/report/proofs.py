"""Checks what vouches for the manifest of a bundle: its signature, the signatures of PDF files, and its time-stamp token.

Three things are kept apart in every sentence: that a signature fits a key, whose key that is, and that the user trusts it.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives import hashes

from analyzer.report.bundle import MANIFEST, PDF, TOKEN
from analyzer.report.bundle_folder import BundleFolder, FolderError
from analyzer.report.signing import CMS, ED25519, LARGEST_SIGNATURE, SIGNATURES, SigningError, check_ed25519, fingerprint
from analyzer.report.trusted_signers import TrustedSigners, subject_of
from analyzer.report.verification import FAILS, HOLDS, UNCHECKED, UNPROVED, Check, Read

NO_EXTRA = "it was not checked: that needs the extra `sign`: pip install 'capture-analyzer[sign]'"
"""What is said where pyhanko, asn1crypto or rfc3161-client is missing."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What the user trusts. signers: to sign; None for nobody. authorities: to stamp times; None for nobody."""

    signers: TrustedSigners | None
    authorities: TrustedSigners | None


def verify_proofs(folder: BundleFolder, read: Read, proof: Proof) -> list[Check]:
    """Check signature, PDF signatures and token of a bundle."""
    token, time = _token_check(folder, read.content, proof.authorities)
    stated = read.value.get("signature")
    checks = _signature_checks(folder, read, stated, proof.signers, time)
    return [*checks, *_pdf_checks(folder, read, stated, proof.signers, time), token]


def _signature_checks(
    folder: BundleFolder, read: Read, stated: Any, signers: TrustedSigners | None, time: datetime | None
) -> Iterator[Check]:
    present = [name for name in SIGNATURES.values() if name in folder.names]
    if stated is None:
        for name in present:
            yield Check("signature", name, FAILS, "the manifest does not say that it is signed")
        if signers is not None and not present:
            yield Check("signature", MANIFEST, FAILS, "it is not signed, so nothing shows that who you trust has made it")
        elif not present:
            yield Check(
                "signature", MANIFEST, UNPROVED, "it is not signed: nothing shows who made it, or that nobody made it anew"
            )
        return
    kind = stated.get("kind") if isinstance(stated, dict) else None
    form = SIGNATURES.get(kind) if isinstance(kind, str) else None
    if form is None or stated.get("file") != form:
        yield Check("signature", MANIFEST, FAILS, "it says that it is signed, but not how")
        return
    for other in present:
        if other != form:
            yield Check("signature", other, FAILS, "the manifest does not say that it is signed in this form")
    try:
        if kind == ED25519:
            yield _check_key(folder, read, stated, form, signers)
        else:
            yield _check_certificate(folder, read, stated, form, signers, time)
    except (FolderError, SigningError) as error:
        yield Check("signature", form, FAILS, str(error))
    except ImportError:
        yield Check("signature", form, UNCHECKED, NO_EXTRA)


def _check_key(folder: BundleFolder, read: Read, stated: Any, name: str, signers: TrustedSigners | None) -> Check:
    key = check_ed25519(read.content, folder.read(name, LARGEST_SIGNATURE))
    mark = fingerprint(key)
    if stated.get("key_sha256") != mark:
        return Check("signature", name, FAILS, f"it is of the Ed25519 key {mark}, and the manifest names another one")
    signed = f"the manifest is signed by the Ed25519 key {mark}"
    if signers is None:
        return Check("signature", name, HOLDS, f"{signed}; nobody vouches for this key here")
    if not signers.vouches_for_key(key):
        return Check("signature", name, FAILS, f"{signed}, which is not what you gave as trusted")
    return Check("signature", name, HOLDS, f"{signed}, which you gave as trusted")


def _check_certificate(
    folder: BundleFolder, read: Read, stated: Any, name: str, signers: TrustedSigners | None, time: datetime | None
) -> Check:
    from analyzer.report.cms import LARGEST, CmsError, check_signature, load

    try:
        signed_data = load(folder.read(name, LARGEST))
        signed_by = check_signature(signed_data, lambda kind: hashlib.new(kind, read.content).digest())
    except CmsError as error:
        return Check("signature", name, FAILS, str(error))
    if stated.get("certificate_sha256") != signed_by.certificate.fingerprint(hashes.SHA256()).hex():
        return Check("signature", name, FAILS, "it is of another certificate than the manifest names")
    return _vouch("signature", name, "the manifest is", signed_by, signers, time)


def _vouch(code: str, name: str, what: str, signed_by: Any, signers: TrustedSigners | None, time: datetime | None) -> Check:
    """Say who signed, and whether the user trusts that. signed_by: a `cms.SignedBy`."""
    certificate = signed_by.certificate
    mark = certificate.fingerprint(hashes.SHA256()).hex()
    signed = f"{what} signed by the key of the certificate {mark} ({subject_of(certificate)})"
    if signers is None:
        return Check(code, name, HOLDS, f"{signed}; nobody vouches for this certificate here")
    chain = signers.chain(certificate, signed_by.others, time)
    if not chain:
        if signers.chain(certificate, signed_by.others, None):
            return Check(code, name, FAILS, f"{signed}, which was not valid at the time of the token")
        return Check(code, name, FAILS, f"{signed}, for which nothing that you gave as trusted vouches")
    judged = "" if time is not None else "; whether it was valid then was not judged, because no trusted token proves a time"
    if len(chain) == 1:
        return Check(code, name, HOLDS, f"{signed}, which you gave as trusted{judged}")
    issuer = subject_of(chain[-1])
    return Check(code, name, HOLDS, f"{signed}; a chain of {len(chain)} certificates leads to {issuer}, which you gave as "
                 f"trusted{judged}; revocation was not looked up")  # fmt: skip


def _pdf_checks(
    folder: BundleFolder, read: Read, stated: Any, signers: TrustedSigners | None, time: datetime | None
) -> Iterator[Check]:
    signs = stated.get("signs") if isinstance(stated, dict) and stated.get("kind") == CMS else None
    expected = [one for one in signs if isinstance(one, str) and one != MANIFEST] if isinstance(signs, list) else []
    entries = read.value["files"]
    pdfs = {entry["name"]: entry["sha256"] for entry in entries if isinstance(entry, dict) and entry.get("media_type") == PDF}
    for name in sorted(pdfs.keys() | set(expected)):
        try:
            check = _check_pdf(folder, name, pdfs.get(name), stated, signers, time)
        except FolderError as error:
            yield Check("pdf_signature", name, FAILS, str(error))
            continue
        except ImportError:
            if name in expected:
                yield Check("pdf_signature", name, UNCHECKED, NO_EXTRA)
            continue
        if check is not None:
            yield check
        elif name in expected:
            yield Check("pdf_signature", name, FAILS, "the manifest says that it is signed, and it is not")


def _check_pdf(
    folder: BundleFolder, name: str, digest: str | None, stated: Any, signers: TrustedSigners | None, time: datetime | None
) -> Check | None:
    from analyzer.report.pdf_signature import LARGEST_PDF, PdfError, check_pdf

    content = folder.read(name, LARGEST_PDF)
    if hashlib.sha256(content).hexdigest() != digest:
        return Check("pdf_signature", name, FAILS, "its signature was not checked: it is not the file of the manifest")
    try:
        signed_by = check_pdf(content)
    except PdfError as error:
        return Check("pdf_signature", name, FAILS, str(error))
    if signed_by is None:
        return None
    mark = signed_by.certificate.fingerprint(hashes.SHA256()).hex()
    if not isinstance(stated, dict) or stated.get("certificate_sha256") != mark:
        return Check("pdf_signature", name, FAILS, "it is signed with another certificate than the manifest names")
    return _vouch("pdf_signature", name, "the whole file is", signed_by, signers, time)


def _token_check(folder: BundleFolder, manifest: bytes, authorities: TrustedSigners | None) -> tuple[Check, datetime | None]:
    """Check the token. Return the check, and the time that a trusted authority proves."""
    if TOKEN not in folder.names:
        if authorities is not None:
            return Check("token", TOKEN, FAILS, "there is no time-stamp token, so no authority proves a time"), None
        return Check("token", None, UNPROVED, "there is no time-stamp token: nothing shows when the bundle was made"), None
    try:
        from analyzer.report.time_stamp import LARGEST_TOKEN, TokenError, check_token
    except ImportError:
        return Check("token", TOKEN, UNCHECKED, NO_EXTRA), None
    try:
        stamp = check_token(folder.read(TOKEN, LARGEST_TOKEN), manifest, authorities)
    except (FolderError, TokenError) as error:
        return Check("token", TOKEN, FAILS, str(error)), None
    time = stamp.time.isoformat().replace("+00:00", "Z")
    said = f"a token signed by {stamp.authority} says that the manifest existed at {time} (serial {stamp.serial})"
    if stamp.vouched:
        return Check("token", TOKEN, HOLDS, f"{said}; you gave a trusted certificate for this authority"), stamp.time
    return Check("token", TOKEN, HOLDS, f"{said}; nobody vouches for this authority here"), None
