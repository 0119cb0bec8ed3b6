"""Sealing: asking an authority over HTTP, and what happens when it answers something else, slowly, or not at all."""

import json
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from bundles import bundle, contents, signer
from time_stamps import TimeStampAuthority

from analyzer.report.bundle_folder import BundleFolder
from analyzer.report.proofs import Proof, verify_proofs
from analyzer.report.sealing import SealingError, ask, seal
from analyzer.report.time_stamp import make_request
from analyzer.report.trusted_signers import read_trusted
from analyzer.report.verification import FAILS, HOLDS, verify_files

pytestmark = pytest.mark.peer("openssl")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TimeStampAuthority]:
    with TimeStampAuthority(tmp_path_factory.mktemp("authority") / "tsa").running() as running:
        yield running


@pytest.fixture
def normal(authority: TimeStampAuthority) -> Iterator[TimeStampAuthority]:
    yield authority
    authority.answer = None


@pytest.mark.parametrize("trusting", [True, False])
def test_a_sealed_bundle_holds_and_only_a_hash_was_sent(normal: TimeStampAuthority, tmp_path: Path, trusting: bool):
    folder = tmp_path / "b"
    written = bundle(folder, signer("ed25519", False))
    before = contents(folder)
    normal.requests.clear()
    trusted = read_trusted(normal.ca.read_bytes()) if trusting else None
    stamp = seal(str(folder), normal.url, trusted)
    assert stamp.vouched is trusting
    (request,) = normal.requests
    assert bytes.fromhex(written.manifest_sha256) in request
    assert len(request) < 100
    after = contents(folder)
    assert {name: data for name, data in after.items() if name in before and name != "manifest.sha256"} == {
        name: data for name, data in before.items() if name != "manifest.sha256"
    }
    with BundleFolder(str(folder)) as opened:
        read, checks = verify_files(opened)
        checks += verify_proofs(opened, read, Proof(None, trusted))
    assert [check for check in checks if check.result == FAILS] == []
    (token,) = [check for check in checks if check.code == "token"]
    assert token.result == HOLDS
    assert ("nobody vouches" in token.detail) is not trusting


def test_openssl_verifies_the_token(normal: TimeStampAuthority, tmp_path: Path):
    bundle(tmp_path / "b")
    seal(str(tmp_path / "b"), normal.url, None)
    words = ["openssl", "ts", "-verify", "-data", "manifest.json", "-in", "manifest.tsr", "-CAfile", normal.ca]
    done = subprocess.run(words, cwd=tmp_path / "b", capture_output=True, check=False)
    assert b"Verification: OK" in done.stdout, done.stderr


def test_a_sealed_bundle_is_not_sealed_again(normal: TimeStampAuthority, tmp_path: Path):
    bundle(tmp_path / "b")
    seal(str(tmp_path / "b"), normal.url, None)
    before = contents(tmp_path / "b")
    with pytest.raises(FileExistsError):
        seal(str(tmp_path / "b"), normal.url, None)
    assert contents(tmp_path / "b") == before


OTHER = make_request(b"another manifest")[0]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (lambda _: (500, "text/plain", b"no"), "status 500"),
        (lambda _: (302, "text/plain", b""), "status 302"),
        (lambda _: (200, "text/html", b"<html>"), "text/html"),
        (lambda _: (200, "application/timestamp-reply", b"<html>"), "cannot be read"),
        (lambda _: (200, "application/timestamp-reply", b""), "cannot be read"),
        (lambda _: (200, "application/timestamp-reply", bytes(1 << 20)), "more than"),
    ],
)
def test_another_answer_leaves_the_bundle_as_it_is(
    normal: TimeStampAuthority, tmp_path: Path, answer: Callable[[bytes], tuple[int, str, bytes]], why: str
):
    bundle(tmp_path / "b")
    before = contents(tmp_path / "b")
    normal.answer = answer
    with pytest.raises(SealingError, match=why):
        seal(str(tmp_path / "b"), normal.url, None)
    assert contents(tmp_path / "b") == before


def test_tokens_for_other_content_or_another_request_are_refused(normal: TimeStampAuthority, tmp_path: Path):
    written = bundle(tmp_path / "b")
    old = normal.reply(make_request((tmp_path / "b" / "manifest.json").read_bytes())[0])
    for reply, why in ((normal.reply(OTHER), "other content"), (old, "nonce")):
        normal.answer = lambda _, reply=reply: (200, "application/timestamp-reply", reply)  # type: ignore[misc]
        with pytest.raises(SealingError, match=why):
            seal(str(tmp_path / "b"), normal.url, None)
    assert "manifest.tsr" not in contents(tmp_path / "b")
    assert written.manifest_sha256


def test_an_authority_that_is_not_the_trusted_one_is_refused(normal: TimeStampAuthority, tmp_path: Path):
    other = TimeStampAuthority(tmp_path / "other")
    bundle(tmp_path / "b")
    with pytest.raises(SealingError, match="vouches"):
        seal(str(tmp_path / "b"), normal.url, read_trusted(other.ca.read_bytes()))
    assert "manifest.tsr" not in contents(tmp_path / "b")


@pytest.mark.parametrize(
    "url",
    ["", "tsa.example", "ftp://tsa.example/", "file:///etc/passwd", "http://", "http://a:b@c/", "http://a b/", "http://a:99999/",
     "http://a/\r\nX: y", "http://[::1"],
)  # fmt: skip
def test_an_address_that_is_none_is_refused_before_anything_is_sent(url: str):
    with pytest.raises(SealingError, match="address"):
        ask(url, b"")


def test_nobody_listens():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(SealingError, match="cannot be asked"):
        ask(f"http://127.0.0.1:{port}/", b"x")


@contextmanager
def dripping(first: bytes, drop: bytes) -> Iterator[str]:
    """A server that sends `first`, and then `drop` ten times a second until the other side is gone."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                try:
                    connection.sendall(first)
                    while True:
                        connection.sendall(drop)
                        time.sleep(0.1)
                except OSError:
                    return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        thread.join(5)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/timestamp-reply\r\n"


@pytest.mark.parametrize(
    ("first", "drop"),
    [
        (HEAD + b"Content-Length: 1000\r\n\r\n", b"x"),
        (HEAD, b"X: y\r\n"),
        (b"HTTP/1.1 200", b"x"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    ],
    ids=["body", "header fields", "status line", "chunks"],
)
def test_who_lets_bytes_drip_does_not_exceed_the_time(first: bytes, drop: bytes):
    with dripping(first, drop) as url:
        began = time.monotonic()
        with pytest.raises(SealingError, match=r"within 0\.8 seconds|cannot be asked"):
            ask(url, b"x", timeout=0.8)
        assert time.monotonic() - began < 20


def test_an_answer_that_is_cut_short_is_an_error():
    with dripping(HEAD + b"Content-Length: 100000\r\n\r\n", b"") as url, pytest.raises(SealingError):
        ask(url, b"x", timeout=0.5)


def test_the_manifest_says_nothing_of_the_token(normal: TimeStampAuthority, tmp_path: Path):
    """The token is made after the manifest, so it can be put on, and taken away, without a change of it."""
    bundle(tmp_path / "b")
    before = json.loads((tmp_path / "b" / "manifest.json").read_bytes())
    seal(str(tmp_path / "b"), normal.url, None)
    assert json.loads((tmp_path / "b" / "manifest.json").read_bytes()) == before
