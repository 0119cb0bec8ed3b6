"""A HAR is used as a browser uses it: its developer tools read it, and its responses are served from it."""

import hashlib
import json
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conversations import packetise
from keyed import page, pcapng_of, save, talk_of

from .conftest import Run

DEVTOOLS = "devtools://devtools/bundled/devtools_app.html"
IMPORT = """async (text) => {
    const har = await import('devtools://devtools/bundled/models/har/har.js');
    const root = new har.HARFormat.HARRoot(JSON.parse(text));
    const requests = har.Importer.Importer.requestsFromHARLog(root.log);
    return requests.map(one => [one.url(), one.statusCode, one.mimeType, one.remoteAddress(), one.resourceType().name()]);
}"""
FETCH = "async (url) => Array.from(new Uint8Array(await (await fetch(url)).arrayBuffer()))"


@pytest.fixture(scope="module")
def archive(run: Run, demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("har") / "demo.har"
    ran = run("export", demo, "--har", target)
    assert (ran.status, ran.text) == (0, f"10 HTTP exchanges in {target}\n")
    assert ran.complaint == f"analyzer: {target} holds cookies and passwords as they were sent"
    return target


def test_only_its_owner_may_read_it(archive: Path):
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600


def test_chromium_opens_it(archive: Path, run: Run, demo: Path, require_peers: Callable[..., None]):
    require_peers("chromium")
    from playwright.sync_api import sync_playwright

    rows = [json.loads(line) for line in run("http", demo, "--format", "json").text.splitlines()]
    known = {row["url"]: row for row in rows}
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        tools = browser.new_page()
        tools.goto(DEVTOOLS, wait_until="domcontentloaded")
        read: list[list[Any]] = tools.evaluate(IMPORT, archive.read_text())
        assert [one[0] for one in read] == [row["url"] for row in sorted(rows, key=lambda row: str(row["time"]))]
        for url, status, media_type, remote, _ in read:
            row, server = known[url], known[url]["server"]
            assert (status, media_type) == (row["status"], row["type"].partition(";")[0])
            assert remote == f"{server['address']}:{server['port']}"
        assert {one[0]: one[4] for one in read}["https://www.shop.example/images/banner.png"] == "image"

        context = browser.new_context()
        context.route_from_har(archive, not_found="abort")
        shop = context.new_page()
        answer = shop.goto("https://www.shop.example/")
        assert answer is not None
        assert answer.status == 200
        assert shop.title() == "The Example Shop"
        banner = bytes(shop.evaluate(FETCH, "/images/banner.png"))
        browser.close()
    assert hashlib.sha256(banner).hexdigest() == known["https://www.shop.example/images/banner.png"]["sha256"]


def test_the_target_is_as_that_of_other_exports(run: Run, tmp_path: Path):
    talk = talk_of(page("/", b"one"))
    capture, keys = save(tmp_path, talk)
    target = tmp_path / "a.har"
    assert run("export", capture, "-k", keys, "-o", target).text == f"1 HTTP exchange in {target}\n"
    again = run("export", capture, "-k", keys, "--har", target)
    assert (again.status, again.complaint) == (2, f"analyzer: {target}: the file exists (--force replaces it)")
    assert run("export", capture, "-k", keys, "--har", target, "--force").status == 0
    assert run("export", capture, "-k", keys, "--har", target, "-o", tmp_path / "x").status == 2
    refused = run("export", capture, "-k", keys, "--har", tmp_path / "b", "--what", "streams")
    assert (refused.status, refused.complaint) == (2, "analyzer: --what does not go with --har")
    assert run("export", tmp_path / "none.pcap", "--har", tmp_path / "b").status == 2
    assert not (tmp_path / "b").exists()


def test_sessions_that_are_not_decrypted_are_said(run: Run, tmp_path: Path):
    capture, _ = save(tmp_path, talk_of(page("/", b"one")))
    ran = run("export", capture, "--har", tmp_path / "a.har")
    assert (ran.status, ran.complaint) == (0, "analyzer: 1 session was not decrypted")
    assert json.loads((tmp_path / "a.har").read_bytes())["log"]["entries"] == []


def test_a_pipe_and_ranges_of_sessions(run: Run, tmp_path: Path):
    talks = [talk_of(page(f"/{n}", b"%d" % n)) for n in range(5)]
    segments = [one for n, talk in enumerate(talks) for one in packetise(talk.flights, ports=(50000 + n, 443))]
    keys = tmp_path / "keys"
    keys.write_text("".join(talk.keylog for talk in talks))
    run("export", "-", "--har", tmp_path / "a.har", "-k", keys, "--session", "0-1,3", stdin=pcapng_of(segments))
    entries = json.loads((tmp_path / "a.har").read_bytes())["log"]["entries"]
    assert [entry["request"]["url"][-1] for entry in entries] == ["0", "1", "3"]
    for bad in ("3-1", "1-", "a", "1,,2", "0-99999999"):
        assert run("export", "-", "--har", tmp_path / "b.har", "--session", bad, stdin=b"").status == 2


@pytest.mark.parametrize(
    "words",
    [
        ("--host", "192.0.2.10"),
        ("--host", "www.shop.example"),
        ("--until", "2026-11-02T09:00:01.2Z"),
        ("--session", "2,99"),
        ("-Y", "tcp.port == 80"),
        ("-Y", "analyzer.session == 0"),
    ],
    ids=" ".join,
)
def test_it_has_the_exchanges_that_http_lists(run: Run, demo: Path, tmp_path: Path, words: tuple[str, ...]):
    assert run("export", demo, "--har", tmp_path / "a.har", *words).status == 0
    entries = json.loads((tmp_path / "a.har").read_bytes())["log"]["entries"]
    rows = [json.loads(line) for line in run("http", demo, "--format", "json", *words).text.splitlines()]
    listed = [row["url"] for row in sorted(rows, key=lambda row: str(row["time"]))]
    assert [entry["request"]["url"] for entry in entries] == listed
    assert listed
