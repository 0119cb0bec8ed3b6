"""Puts a time-stamp token on a bundle: asks an authority over HTTP (RFC 3161, section 3.4), and keeps its answer beside the
manifest.

This is the only place of the program that goes online, and it sends nothing but the hash of the manifest and a random number.
There are no redirects, no cookies and no proxies. How long it may take and how many bytes may come is limited.
"""

import hashlib
import http.client
import os
import socket
import ssl
import threading
from contextlib import suppress
from urllib.parse import SplitResult, urlsplit

from analyzer.report.bundle import CHECKSUMS, MANIFEST, TOKEN, checksums
from analyzer.report.bundle_folder import BundleFolder
from analyzer.report.time_stamp import LARGEST_TOKEN, Stamp, TokenError, check_token, make_request
from analyzer.report.trusted_signers import TrustedSigners
from analyzer.report.verification import LARGEST_MANIFEST, read_checksums
from analyzer.store.private_file import PrivateFile

TIMEOUT = 30.0
"""Seconds that the whole conversation with an authority may take."""

_CHUNK = 1 << 14


class SealingError(Exception):
    """There is no token. The text says why, in one line; it may have text of the authority, so make it harmless."""


def seal(folder: str, url: str, trusted: TrustedSigners | None, timeout: float = TIMEOUT) -> Stamp:
    """Get a token over the manifest of a bundle, check it, and write it into the bundle. Return what it says.

    The bundle must have been verified. trusted: certificates of authorities that the user trusts; None for none, then only the
    token itself is checked. Raises SealingError, OSError, FolderError; FileExistsError if there is a token already.
    """
    with BundleFolder(folder) as inside:
        if TOKEN in inside.names:
            raise FileExistsError(17, "the bundle has a token already", os.path.join(folder, TOKEN))
        manifest = inside.read(MANIFEST, LARGEST_MANIFEST)
        hashes = read_checksums(inside.read(CHECKSUMS, LARGEST_MANIFEST))
    try:
        request, nonce = make_request(manifest)
        answer = ask(url, request, timeout)
        stamp = check_token(answer, manifest, trusted, nonce)
    except TokenError as error:
        raise SealingError(f"the answer of the authority does not hold: {error}") from error
    with PrivateFile(os.path.join(folder, TOKEN)) as file:
        file.write(answer)
    with PrivateFile(os.path.join(folder, CHECKSUMS), force=True) as file:
        file.write(checksums({**hashes, TOKEN: hashlib.sha256(answer).hexdigest()}))
    return stamp


def ask(url: str, request: bytes, timeout: float = TIMEOUT) -> bytes:
    """Send a request to an authority, and return its answer, at most LARGEST_TOKEN bytes. Raises SealingError."""
    parts = _parts(url)
    connection = _connection(parts, timeout)
    late = threading.Event()

    def end() -> None:
        late.set()
        with suppress(OSError):  # the other side was faster
            if connection.sock is not None:
                connection.sock.shutdown(socket.SHUT_RDWR)

    clock = threading.Timer(timeout, end)  # a sender who lets bytes drip does not exceed the time
    clock.daemon = True
    clock.start()
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        head = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply", "Connection": "close"}
        connection.request("POST", target, request, head)
        response = connection.getresponse()
        if response.status != http.HTTPStatus.OK:
            raise SealingError(f"the authority answered with status {response.status} {response.reason[:80]}")
        kind = (response.getheader("Content-Type") or "").partition(";")[0].strip().lower()
        if kind != "application/timestamp-reply":
            raise SealingError(f"the authority answered with {kind[:80] or 'no media type'}, not with a time stamp")
        content = _body(response)
    except (OSError, http.client.HTTPException, ValueError) as error:
        if late.is_set() or isinstance(error, TimeoutError):
            raise SealingError(f"the authority did not answer within {timeout:g} seconds") from error
        raise SealingError(f"the authority cannot be asked: {error or type(error).__name__}") from error
    finally:
        clock.cancel()
        connection.close()
    if late.is_set():  # what came looks whole, and is what was there when the time was over
        raise SealingError(f"the authority did not answer within {timeout:g} seconds")
    return content


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError as error:
        raise SealingError(f"{url!r} is no address of an authority") from error
    if not usable or not url.isascii() or not url.isprintable() or " " in url:
        raise SealingError(f"{url!r} is no address of an authority: http://… or https://…")
    if parts.username is not None or parts.password is not None:
        raise SealingError("no name or password can stand in the address of the authority")
    return parts


def _connection(parts: SplitResult, timeout: float) -> http.client.HTTPConnection:
    host = parts.hostname or ""
    if parts.scheme == "https":
        return http.client.HTTPSConnection(host, parts.port, timeout=timeout, context=ssl.create_default_context())
    return http.client.HTTPConnection(host, parts.port, timeout=timeout)


def _body(response: http.client.HTTPResponse) -> bytes:
    chunks = []
    n_bytes = 0
    while chunk := response.read1(_CHUNK):
        n_bytes += len(chunk)
        if n_bytes > LARGEST_TOKEN:
            raise SealingError(f"the authority sent more than {LARGEST_TOKEN:,} bytes")
        chunks.append(chunk)
    if response.length:
        raise http.client.IncompleteRead(b"", response.length)
    return b"".join(chunks)
