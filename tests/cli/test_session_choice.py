"""A session can be named by its server instead of its number."""

from pathlib import Path

import pytest

from .conftest import Run


@pytest.mark.parametrize(
    ("word", "number"),
    [("news.example", 2), ("NEWS.example.", 2), ("news", 2), ("203.0.113.30", 2), ("2001:db8:20::443", 7), ("old.example", 5)],
)
def test_one_session_is_shown(run: Run, demo: Path, word: str, number: int):
    assert run("show", demo, word).out == run("show", demo, number).out


def test_the_word_may_stand_first(run: Run, demo: Path):
    assert run("show", "news.example", demo).out == run("show", demo, 2).out


def test_follow_has_names_too(run: Run, demo: Path):
    ran = run("follow", demo, "news.example")
    assert (ran.status, ran.out) == (0, run("follow", demo, 2).out)


def test_several_are_named(run: Run, demo: Path):
    ran = run("show", demo, "www.shop.example")
    assert ran.status == 2
    assert ran.complaint == (
        f"analyzer: {demo}: 2 sessions with www.shop.example: 0 (2026-11-02 09:00:01, TLS 1.3), "
        "1 (2026-11-02 09:00:02, TLS 1.3); give the number of one, such as 0"
    )
    many = run("show", demo, "192.0.2.10").complaint
    assert "5 (2026-11-02 09:00:14, TLS 1.2, not established), …; give" in many


def test_a_part_of_the_capture_leaves_fewer(run: Run, demo: Path):
    part = ("--since", "2026-11-02T09:00:05Z")
    assert "no TLS session with news.example" in run("show", demo, "news.example", "--until", "2026-11-02T09:00:02Z").complaint
    assert run("show", demo, "news.example", *part).out == run("show", demo, 2).out


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["show", "captures/demo.pcapng", "nws.example"], "no TLS session with nws.example; there are news.example, "),
        (["show", "captures/incidents/no-tls.pcapng", "a.example"], "No such file"),
        (["show", "-", "news.example"], "-: to find a name, this is read twice: save it to a file first"),
        (["show", "captures/demo.pcapng", "README.md"], "'README.md' is a file: which session of it?"),
    ],
)
def test_what_cannot_be_found(run: Run, words: list[str], why: str):
    ran = run(*words)
    assert ran.status == 2
    assert why in ran.complaint


def test_what_can_only_be_a_filter_is_read_as_one(run: Run):
    ran = run("show", "captures/demo.pcapng", "a b")
    assert ran.status == 2
    assert b"filter, character 3: b is not expected here" in ran.err


def test_a_field_alone_is_a_filter_and_not_a_host(run: Run, demo: Path):
    ran = run("show", demo, "tls.alert_message")
    assert ran.status == 2
    assert ran.complaint.startswith(f"analyzer: {demo}: 7 sessions pass tls.alert_message: 0, 1, ")
    assert "no TLS session with tls.no_field" in run("show", demo, "tls.no_field").complaint


def test_a_capture_without_names(run: Run, tmp_path: Path, demo: Path):
    path = tmp_path / "few.pcapng"
    path.write_bytes(demo.read_bytes()[:6000])
    lines = run("show", path, "a.example").err.decode().splitlines()
    assert lines[-1] == f"analyzer: {path}: no TLS session with a.example, and none with any server name"
