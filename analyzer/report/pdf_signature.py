"""Signs PDF files, and checks such signatures (ISO 32000-2, 12.8; ETSI EN 319 142, PAdES baseline), through pyhanko.

The signature is added behind the file as an incremental update: the bytes before it stay as they are. It covers the whole file
except itself. Nothing of the clock or of chance gets in: the second part of the file's identifier is made from its content.
"""

import hashlib
import io
from collections.abc import Callable
from datetime import datetime
from typing import Any

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError as LibraryError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.signers.cms_embedder import PdfCMSEmbedder, SigIOSetup, SigObjSetup
from pyhanko.sign.signers.pdf_byterange import SignatureObject
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import SignatureCoverageLevel

from analyzer.report.cms import PARSING, CmsError, SignedBy, check_signature

LARGEST_PDF = 1 << 28
"""Bytes of a PDF file that is signed or checked, at most."""

FIELD = "Signature"

_RESERVED = 1 << 15
"""Bytes for the signature in the file, as hexadecimal digits: for a chain of several certificates."""

_PARSING = (LibraryError, *PARSING)


class PdfError(Exception):
    """A PDF file cannot be signed, or its signature does not hold. The text says why, and has nothing of the file itself."""


class _SteadyWriter(IncrementalPdfFileWriter):
    """Writes an update without a clock and without chance.

    Times of change in the description of the file stay as they are, so that both descriptions in a PDF/A file stay equal.
    """

    def _update_meta(self) -> None:
        pass

    @classmethod
    def _handle_id(cls, prev: Any) -> Any:
        prev.stream.seek(0)
        second = generic.ByteStringObject(hashlib.file_digest(prev.stream, "sha256").digest()[:16])
        first = prev.trailer["/ID"][0] if "/ID" in prev.trailer else second
        if isinstance(first, generic.TextStringObject):
            first = generic.ByteStringObject(first.original_bytes)
        return generic.ArrayObject([first, second])


def embed_signature(content: bytes, digest_name: str, make: Callable[[bytes], bytes], at: datetime | None) -> bytes:
    """Return a PDF file with a signature. make: returns the CMS object for a digest. at: the time to name, or None.

    Raises PdfError.
    """
    if len(content) > LARGEST_PDF:
        raise PdfError(f"more than {LARGEST_PDF:,} bytes")
    try:
        writer = _SteadyWriter(io.BytesIO(content))
        if "/AcroForm" in writer.root and list(PdfFileReader(io.BytesIO(content)).embedded_signatures):
            raise PdfError("it is signed already")
        steps = PdfCMSEmbedder(SigFieldSpec(FIELD)).write_cms(FIELD, writer)
        next(steps)
        place = SignatureObject(timestamp=at, subfilter=SigSeedSubFilter.PADES, bytes_reserved=_RESERVED)
        steps.send(SigObjSetup(sig_placeholder=place))
        prepared, output = steps.send(SigIOSetup(md_algorithm=digest_name))
        steps.send(make(prepared.document_digest))
    except _PARSING as error:
        raise PdfError("it cannot be read") from error
    return bytes(output.getvalue())


def check_pdf(content: bytes) -> SignedBy | None:
    """Check the signature of a PDF file, which may be hostile, and return who signed it; None if it is not signed.

    Exactly one signature has to cover the whole file. Raises PdfError.
    """
    if len(content) > LARGEST_PDF:
        raise PdfError(f"more than {LARGEST_PDF:,} bytes")
    try:
        found = list(PdfFileReader(io.BytesIO(content)).embedded_signatures)
        return _checked(found) if found else None
    except CmsError as error:
        raise PdfError(str(error)) from error
    except _PARSING as error:
        raise PdfError("it cannot be read") from error


def _checked(found: list[EmbeddedPdfSignature]) -> SignedBy:
    if len(found) > 1:
        raise PdfError("it has several signatures")
    (one,) = found
    one.compute_integrity_info(skip_diff=True)  # type: ignore[no-untyped-call]
    if one.coverage != SignatureCoverageLevel.ENTIRE_FILE:
        raise PdfError("the signature does not cover the whole file")
    return check_signature(one.signed_data, one.compute_digest)
