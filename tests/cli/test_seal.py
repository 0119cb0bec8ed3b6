"""`analyzer seal`: against an authority of the tests."""

import json
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
from bundles import bundle, contents, signer
from time_stamps import TimeStampAuthority

from analyzer.store.output_schemas import SCHEMAS

from .conftest import Run

pytestmark = pytest.mark.peer("openssl")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TimeStampAuthority]:
    with TimeStampAuthority(tmp_path_factory.mktemp("authority") / "tsa").running() as running:
        yield running


def test_a_bundle_is_sealed_and_verified(run: Run, tmp_path: Path, authority: TimeStampAuthority):
    bundle(tmp_path / "b", signer("rsa", True))
    ran = run("seal", tmp_path / "b", "--tsa", authority.url, "--tsa-cert", authority.ca)
    assert (ran.status, ran.err) == (0, b"")
    assert ran.text.startswith("sealed: CN=Test TSA says that the manifest existed at 20")
    assert "a trusted certificate of yours vouches for it" in ran.text
    ran = run("verify", tmp_path / "b", "--tsa-cert", authority.certificate)
    assert ran.status == 0
    assert "you gave a trusted certificate for this authority" in " ".join(ran.text.split())
    assert run("verify", tmp_path / "b").status == 0
    assert run("seal", tmp_path / "b", "--tsa", authority.url).complaint.endswith("the bundle has a token already")


def test_json_is_as_declared(run: Run, tmp_path: Path, authority: TimeStampAuthority):
    bundle(tmp_path / "b")
    ran = run("seal", tmp_path / "b", "--tsa", authority.url, "--format", "json")
    result = json.loads(ran.out)
    jsonschema.validate(result, SCHEMAS["seal"])
    assert list(result) == list(SCHEMAS["seal"]["properties"])
    assert (result["authority"], result["policy"], result["vouched"]) == ("CN=Test TSA", "1.2.3.4.1", False)


def test_a_bundle_that_does_not_hold_is_not_sealed(run: Run, tmp_path: Path, authority: TimeStampAuthority):
    bundle(tmp_path / "b")
    (tmp_path / "b" / "report.html").write_bytes(b"changed")
    authority.requests.clear()
    ran = run("seal", tmp_path / "b", "--tsa", authority.url)
    assert (ran.status, ran.out) == (3, b"")
    assert "not sealed, because it does not hold: report.html" in ran.complaint
    assert authority.requests == []
    assert "manifest.tsr" not in contents(tmp_path / "b")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["b", "--tsa", "http://127.0.0.1:1/"], "cannot be asked"),
        (["b", "--tsa", "ftp://tsa.example/"], "no address of an authority"),
        (["b"], "--tsa"),
        (["missing", "--tsa", "http://127.0.0.1:1/"], "No such file"),
        (["empty", "--tsa", "http://127.0.0.1:1/"], "no manifest.json"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(run: Run, tmp_path: Path, words: list[str], why: str):
    bundle(tmp_path / "b")
    (tmp_path / "empty").mkdir()
    before = contents(tmp_path / "b")
    ran = run("seal", tmp_path / words[0], *words[1:])
    assert (ran.status, ran.out) == (2, b"")
    assert why in ran.complaint
    assert contents(tmp_path / "b") == before


def test_text_of_the_authority_is_harmless(run: Run, tmp_path: Path, authority: TimeStampAuthority):
    bundle(tmp_path / "b")
    authority.answer = lambda _: (200, "text/\x1b[31mred", b"")
    try:
        ran = run("seal", tmp_path / "b", "--tsa", authority.url)
    finally:
        authority.answer = None
    assert ran.status == 2
    assert b"\x1b" not in ran.err
    assert "text/\\x1b[31mred" in ran.complaint
