"""External pre-shared keys by their binders, and the secrets that follow; RFC 8448 for what both kinds have in common."""

import contextlib
from pathlib import Path

import pytest

from analyzer.secrets import schedule13
from analyzer.secrets.refused import Refused
from analyzer.secrets.suite import hash_function
from analyzer.tls import psk

TESTS = Path(__file__).resolve().parents[1]
KEY = b"k" * 16
IDENTITY = b"demonstration"


def hello(identities: list[bytes], keys: list[bytes], hash_name: str = "SHA256", before: bytes = b"") -> bytes:
    """A ClientHello whose binders are right for the keys."""
    listed = b"".join(len(one).to_bytes(2, "big") + one + b"\0\0\0\0" for one in identities)
    size = hash_function(hash_name)(b"").digest_size
    n_binders = len(keys) * (1 + size)
    extension = len(listed).to_bytes(2, "big") + listed
    n_extension = len(extension) + 2 + n_binders
    extensions = b"\0\x2b\0\3\2\3\4" + b"\0\x29" + n_extension.to_bytes(2, "big") + extension
    body = b"\3\3" + bytes(32) + b"\0" + b"\0\2\x13\1" + b"\1\0"
    body += (len(extensions) + 2 + n_binders).to_bytes(2, "big") + extensions
    message = b"\1" + (len(body) + 2 + n_binders).to_bytes(3, "big") + body
    start = hash_function(hash_name)
    binders = b""
    for key in keys:
        early = schedule13.early_secret(hash_name, key)
        base = schedule13.derive_secret(hash_name, early, b"ext binder", start(b"").digest())
        binders += bytes([size]) + schedule13.finished(hash_name, base, start(before + message).digest())
    return message + n_binders.to_bytes(2, "big") + binders


@pytest.mark.parametrize("hash_name", ["SHA256", "SHA384"])
def test_a_binder_tells_the_right_key(hash_name: str) -> None:
    message = hello([b"other", IDENTITY], [b"?", KEY], hash_name)
    (bound,) = psk.find_bound(message, {IDENTITY: KEY})
    assert (bound.index, bound.hash_name) == (1, hash_name)
    assert len(bound.early_traffic_secret(message)) == hash_function(hash_name)(b"").digest_size
    assert psk.find_bound(message, {IDENTITY: KEY + b"!"}) == []
    assert psk.find_bound(message, {b"nobody": KEY}) == []
    assert len(psk.find_bound(message, {IDENTITY: KEY, b"other": b"?"})) == 2


def test_after_a_retry_the_binder_covers_what_came_before() -> None:
    first, retry = hello([IDENTITY], [KEY]), b"\2\0\0\3abc"
    before = b"\xfe\0\0\x20" + hash_function("SHA256")(first).digest() + retry
    second = hello([IDENTITY], [KEY], before=before)
    assert psk.find_bound(second, {IDENTITY: KEY}) == []
    assert len(psk.find_bound(second, {IDENTITY: KEY}, (first, retry))) == 1


def test_a_hello_without_keys_has_none() -> None:
    vectors = (TESTS / "vectors" / "rfc8448.txt").read_text("ascii").split("\n\n")
    assert psk.find_bound(bytes.fromhex("".join(vectors[1].split()[2:])), {IDENTITY: KEY}) == []


def test_every_cut_of_a_hello_is_refused_or_has_no_keys() -> None:
    message = hello([IDENTITY], [KEY])
    for n_bytes in range(len(message)):
        with contextlib.suppress(Refused):
            assert psk.find_bound(message[:n_bytes], {IDENTITY: KEY}) == []


def test_what_a_server_selects() -> None:
    front = b"\2\0\0\0" + b"\3\3" + bytes(32) + b"\0" + b"\x13\1" + b"\0"
    share = b"\0\x33\0\5\0\x1d\0\1x"
    selected = b"\0\x29\0\2\0\1"
    assert psk.selects(front + b"\0\6" + selected) == (1, False)
    assert psk.selects(front + b"\0\x0f" + share + selected) == (1, True)
    assert psk.selects(front + b"\0\x09" + share) == (None, True)


def test_the_early_secret_of_the_rfc() -> None:
    vectors = {}
    for file in ("vectors/rfc8448.txt", "secrets/rfc8448_secrets.txt"):
        for block in (TESTS / file).read_text("ascii").split("\n\n")[1:]:
            section, name, *lines = block.split()
            vectors[section, name] = bytes.fromhex("".join(lines))
    early = schedule13.early_secret("SHA256", vectors["4", "pre_shared_key"])
    bound = psk.Bound(0, "SHA256", early)
    assert bound.early_traffic_secret(vectors["4", "resumption_client_hello"]) == vectors["4", "client_early_traffic_secret"]
