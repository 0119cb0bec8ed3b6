"""Targets of the fuzzer that read files beside a capture, which can come from a stranger too: signed bundles and macros."""

import contextlib
import hashlib
import tempfile
from functools import cache
from pathlib import Path

from fuzz.seeds import certificates

from analyzer.filters.field_table import field_table
from analyzer.filters.filter_error import FilterError
from analyzer.filters.macros import expanded, macros_of
from analyzer.report.bundle_folder import FolderError
from analyzer.report.cms import CmsError, check_signature, load
from analyzer.report.time_stamp import TokenError, check_token
from analyzer.report.verification import BundleError, read_checksums, read_export


def signatures(data: bytes) -> None:
    """Signatures and time stamps of bundles: refused, or made by the one key that signed."""
    with contextlib.suppress(CmsError):
        signed = check_signature(load(data), lambda name: hashlib.new(name, b"{}").digest())
        assert signed.certificate == _certificate()
    with contextlib.suppress(TokenError):
        check_token(data, b"{}", None)
        raise AssertionError("no input is a time stamp of this manifest")


@cache
def _signed() -> bytes:
    from bundles import signer

    made: bytes = signer("ec", True).sign(b"{}", None)
    return made


@cache
def _certificate() -> object:
    from bundles import certificate

    return certificate("ec")


def signature_seeds() -> list[bytes]:
    """A signature of a bundle, and parts of it."""
    return [_signed(), *certificates()[:3], b"0\x03\x02\x01\x02"]


def bundle_lists(data: bytes) -> None:
    """The lists of files in a bundle and in an export: names and digests, or refused."""
    with contextlib.suppress(FolderError):
        assert all(len(digest) == 64 for digest in read_checksums(data).values())
    with contextlib.suppress(BundleError, FolderError, ValueError):
        value, listed = read_export(data)
        assert isinstance(value, dict)
        assert all(one.name for one in listed)


@cache
def bundle_seeds() -> list[bytes]:
    """The lists of a made bundle and of an export."""
    from bundles import bundle, contents

    with tempfile.TemporaryDirectory() as folder:
        bundle(Path(folder) / "bundle")
        made = contents(Path(folder) / "bundle")
    digest = "ab" * 32
    export = f'{{"schema":1,"sessions":[\n{{"id":0}}\n],"files":[\n{{"file":"a","size":1,"sha256":"{digest}"}}\n]}}\n'
    return [*(data[:4000] for name, data in sorted(made.items()) if name.startswith("manifest")), export.encode()]


def macros(data: bytes) -> None:
    """Files of macros, and a filter that uses them: of bounded length, or refused with a place."""
    text, _, used = data.decode("utf-8", "replace").partition("\n\n")
    refused: FilterError | None = None
    with contextlib.suppress(ValueError):
        found = macros_of(text)
        try:
            assert len(expanded(used, found, field_table())) <= 1 << 20
        except FilterError as error:
            refused = error
    if refused is not None:
        assert refused.message
        assert 0 <= refused.at <= refused.at + refused.length <= len(used)


def macro_seeds() -> list[bytes]:
    """Macros that use each other, and filters that use them."""
    return [
        b'"web" tcp.port in {80, $1}\n"x" ip && ${web:443}\n\n$web(443) && ${x}', b'"a" $a\n\n$a',
        b'"b" $1 $2\n\n${b:1;2} or $b(1,2)', b'# note\n"both" (ip.src == $1 and tcp.srcport == $2)\n\n${both:1.2.3.4;5}',
    ]  # fmt: skip
