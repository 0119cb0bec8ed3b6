"""The document of a report: all sections, over real captures, with what each has to say and nothing that was not proved."""

import json
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import pytest

from analyzer.crosscheck.reason_codes import reason_codes
from analyzer.report.build_document import build_document
from analyzer.report.document import Code, Document, Facts, Grid, Ladder, Link, Mark, Quoted, Section, Tree
from analyzer.report.sentences import Sentences

from .conftest import FactsOf

SECTIONS = [
    "scope", "method", "limitations", "evidence", "time", "integrity", "timeline", "traffic", "tls", "findings", "failed",
    "sessions", "hosts", "certificates", "inventory", "crosscheck", "sources", "attachments", "glossary",
]  # fmt: skip

CAPTURES: dict[str, tuple[str, ...]] = {
    "demo": ("demo.pcapng", "--trust", "demo/demo.ca.pem"),
    "failing": ("alert-unknown-ca/alert-unknown-ca.pcapng",),
    "decrypted": ("tls13-rsa/tls13-rsa.pcapng", "-k", "tls13-rsa/tls13-rsa.keys", "--trust", "tls13-rsa/tls13-rsa.ca.pem"),
    "closed": ("tls12-ecdhe-ecdsa/tls12-ecdhe-ecdsa.pcapng",),
    "client certificate": ("tls12-client-certificate/tls12-client-certificate.pcapng",),
    "hidden name": ("ech-accepted/ech-accepted.pcapng",),
    "resumed": ("tls12-ticket-resumption/tls12-ticket-resumption.pcapng",),
    "trouble": ("tcp-trouble/tcp-trouble.pcapng",),
    "http2": ("curl-nginx-http2/curl-nginx-http2.pcap", "-k", "curl-nginx-http2/curl-nginx-http2.keys"),
    "several": ("demo.pcapng", "alert-unknown-ca/alert-unknown-ca.pcapng"),
}


def built(facts: dict[str, Any], contents: Any = None) -> Document:
    return build_document(facts, Sentences("en"), contents)


def walk(part: Any) -> Iterator[Any]:
    """Return everything in a part of a document, each piece too."""
    yield part
    if isinstance(part, list | tuple):
        for one in part:
            yield from walk(one)
    elif is_dataclass(part):
        for field in fields(part):
            yield from walk(getattr(part, field.name))


def text_of(part: Any) -> str:
    return " ".join(one for one in walk(part) if isinstance(one, str))


def section(document: Document, anchor: str) -> Section:
    return next(one for one in walk(document) if isinstance(one, Section) and one.anchor == anchor)


def value(block: Facts, name: str) -> str:
    [found] = [
        "".join(piece if isinstance(piece, str) else piece.text for piece in line) for key, line in block.rows if key == name
    ]
    return found


@pytest.mark.parametrize("name", CAPTURES)
def test_every_capture_has_all_sections_and_no_loose_end(facts_of: FactsOf, name: str) -> None:
    document = built(facts_of(*CAPTURES[name]))
    assert [one.anchor for one in document.sections] == SECTIONS
    anchors = [one.anchor for one in walk(document) if isinstance(one, Section)]
    assert len(anchors) == len(set(anchors))
    assert {one.anchor for one in walk(document) if isinstance(one, Link)} <= set(anchors)
    for grid in (one for one in walk(document) if isinstance(one, Grid)):
        assert grid.caption
        assert grid.rows
        assert {len(row) for row in grid.rows} == {len(grid.heads)}
        assert grid.n_more >= 0
    assert not {one.kind for one in walk(document) if isinstance(one, Mark)} - {
        "good", "bad", "unsure", "plain", "high", "medium", "low", "info",
    }  # fmt: skip


def test_the_same_facts_give_the_same_document(demo_facts: dict[str, Any]) -> None:
    before = json.dumps(demo_facts)
    assert built(demo_facts) == built(json.loads(before))
    assert json.dumps(demo_facts) == before


def test_the_front_page_says_what_was_found_how_sure_and_what_not(facts_of: FactsOf) -> None:
    front = text_of(built(facts_of(*CAPTURES["demo"])).front)
    assert "It holds 213 packets, recorded from 2026-11-02 09:00:00 UTC to 2026-11-02 09:00:28 UTC" in front
    assert "8 connections were found" in front
    assert "Fatal alert" in front
    assert "2 of 8 connections whose completed set-up the recording does not show" in front
    assert "and again after the analysis; both are equal" in front
    assert "not persons" in front


def test_the_front_page_does_not_hide_a_changed_input(demo_facts: dict[str, Any]) -> None:
    facts = json.loads(json.dumps(demo_facts))
    facts["evidence"]["inputs"][0] |= {"unchanged": False, "sha256_after": "0" * 64}
    document = built(facts)
    assert "The evidence changed during the examination" in text_of(document.front)
    assert Mark("another SHA-256", "bad") in list(walk(section(document, "evidence")))
    facts["evidence"]["inputs"][0] |= {"unchanged": None, "sha256_after": None}
    assert "not every input could be read a second time" in text_of(built(facts).front)


def test_what_is_not_decrypted_is_said_with_its_reason(facts_of: FactsOf) -> None:
    document = built(facts_of(*CAPTURES["closed"]))
    words = text_of(section(document, "session-0"))
    assert "Not decrypted." in words
    assert "The reason: no secret of this session was given" in words
    assert "its content was encrypted, and was not or not wholly opened" in text_of(document.front)
    assert Mark("decrypted", "good") not in list(walk(document))


def test_a_decrypted_session_shows_its_proofs_ladder_chain_and_requests(facts_of: FactsOf) -> None:
    document = built(facts_of(*CAPTURES["http2"]))
    part = section(document, "session-0")
    words = text_of(part)
    assert "The server\u2019s signature over this handshake verifies with the certificate that it sent." in words
    assert "whose check values all agree with the keys given" in words
    [ladder] = [block for block in part.blocks if isinstance(block, Ladder)]
    assert {rung.side for rung in ladder.rungs} >= {"client", "server"}
    assert "".join(piece.text for piece in ladder.rungs[0].title if isinstance(piece, Quoted)).startswith("ClientHello")
    assert [block for block in part.blocks if isinstance(block, Tree)]
    assert "HTTP requests and answers inside the session" in words


def test_a_failed_session_names_its_alert(facts_of: FactsOf) -> None:
    document = built(facts_of(*CAPTURES["failing"]))
    failed = section(document, "failed")
    assert Mark("fatal unknown_ca", "bad") in list(walk(failed))
    assert Mark("not seen completed", "bad") in list(walk(section(document, "session-0")))


def test_facts_stand_apart_from_their_interpretation(facts_of: FactsOf) -> None:
    document = built(facts_of(*CAPTURES["failing"]))
    [finding] = [one for one in section(document, "findings").sections if one.anchor == "finding-medium-fatal-alert"]
    grid, heading, reading = finding.blocks
    assert isinstance(grid, Grid)
    assert isinstance(reading, Facts)
    assert "client gave up: unknown_ca" in text_of(grid)
    assert "Interpretation" in text_of(heading)
    assert [name for name, _ in reading.rows] == ["Meaning", "What would refute it", "Reference", "Code"]
    assert "client gave up" not in text_of(reading)


def test_commands_name_the_captures_of_the_report(demo_facts: dict[str, Any]) -> None:
    commands = [one.text for one in walk(section(built(demo_facts), "sources")) if isinstance(one, Code)]
    path = demo_facts["evidence"]["inputs"][0]["path"]
    assert any(one.startswith("analyzer summary") and path in one for one in commands)
    assert f"sha256sum -- {path}" in commands


def test_hashes_of_the_evidence_are_whole(demo_facts: dict[str, Any]) -> None:
    codes = [one.text for one in walk(section(built(demo_facts), "evidence")) if isinstance(one, Code)]
    assert demo_facts["evidence"]["inputs"][0]["sha256"] in codes


def test_attachments_are_attached_if_their_content_is_there(demo_facts: dict[str, Any]) -> None:
    facts = json.loads(json.dumps(demo_facts))
    record = {"name": "hosts.csv", "media_type": "text/csv", "size": 3, "sha256": "0" * 64, "description": "hosts", "rows": 1}
    facts["attachments"] = [record, record | {"name": "sessions.csv", "description": "sessions"}]
    facts["n_hosts"] = 1000
    document = built(facts, {"hosts.csv": b"a\r\n"})
    assert [(one.name, one.content) for one in document.attachments] == [("hosts.csv", b"a\r\n")]
    assert [grid.attachment for grid in walk(section(document, "hosts")) if isinstance(grid, Grid)] == ["hosts.csv"]
    assert "sessions.csv" in text_of(section(document, "attachments"))


def test_what_was_said_of_the_case_is_on_the_front_page_and_custody_is_marked_as_a_statement(facts_of: FactsOf) -> None:
    facts = json.loads(json.dumps(facts_of("demo.pcapng", "--case", "2026-117", "--custody", "found in room 3")))
    document = built(facts)
    assert value(document.facts, "Case") == "2026-117"
    assert document.title.endswith("case 2026-117")
    custody = text_of(section(document, "custody"))
    assert "found in room 3" in custody
    assert "The program did not check them." in custody


def test_every_limitation_of_these_captures_has_its_sentence(facts_of: FactsOf) -> None:
    for words in CAPTURES.values():
        facts = facts_of(*words)
        items = section(built(facts), "limitations").blocks[1]
        assert len(items.items) == len(facts["limits"])  # type: ignore[union-attr]


def test_the_signature_of_an_older_server_is_not_said_to_cover_the_handshake(facts_of: FactsOf) -> None:
    words = text_of(section(built(facts_of("tls12-ecdhe-ecdsa/tls12-ecdhe-ecdsa.pcapng")), "session-0"))
    assert "signature over its key exchange and the random values of both sides verifies" in words
    assert "over this handshake" not in words


def test_an_examination_that_was_stopped_does_not_claim_the_whole(demo_facts: dict[str, Any]) -> None:
    facts = json.loads(json.dumps(demo_facts))
    whole = built(facts)
    assert "from the first to the last" in text_of(section(whole, "scope"))
    assert "Not everything in the recordings could be examined" not in text_of(whole.front)
    facts["limits"] += [{"code": "stopped", "args": {"frame": 100}}, {"code": "unread_capture", "args": {"path": "b.pcap"}}]
    stopped = built(facts)
    assert "Not everything in the recordings could be examined" in text_of(stopped.front)
    assert "from the first to the last" not in text_of(section(stopped, "scope"))
    limits = text_of(section(stopped, "limitations"))
    assert "stopped by a signal after frame 100," in limits
    assert "was not read at all" in limits


def test_what_has_no_time_is_not_called_free_of_jumps(demo_facts: dict[str, Any]) -> None:
    facts = json.loads(json.dumps(demo_facts))
    assert "Steps backwards none" in text_of(section(built(facts), "time"))
    second = json.loads(json.dumps(facts["evidence"]["inputs"][0])) | {"first_time": None, "last_time": None}
    facts["evidence"]["inputs"].append(second)
    assert "1 recording does not say when it was recorded" in text_of(built(facts).front)
    facts["time"] |= {"first": None, "last": None, "duration_seconds": None}
    words = text_of(section(built(facts), "time"))
    assert "Steps backwards not known" in words
    assert "Jumps not known" in words


def test_quic_is_not_called_absent(demo_facts: dict[str, Any]) -> None:
    facts = json.loads(json.dumps(demo_facts))
    assert "QUIC" not in text_of(built(facts).front)
    facts["limits"].append({"code": "quic_unread", "args": {}})
    facts["sessions"]["count"] = 0
    front = text_of(built(facts).front)
    assert "No connection that is protected by TLS over TCP or in QUIC was found" in front
    assert "What passed over QUIC whose handshake the captures do not show: it was counted, and not read." in front


def test_what_was_not_given_is_not_called_unknown(facts_of: FactsOf) -> None:
    facts = facts_of(*CAPTURES["failing"])
    [rows] = [block for block in section(built(facts), "scope").blocks if isinstance(block, Facts)]
    assert value(rows, "Question") == value(rows, "Authority") == "not given"
    assert "0 files" not in text_of(section(built(facts_of(*CAPTURES["demo"])), "scope"))


def test_numbers_and_names_are_written_once_and_as_in_a_text(facts_of: FactsOf) -> None:
    document = built(facts_of(*CAPTURES["demo"]))
    words = text_of(document)
    assert "OpenSSL  OpenSSL" not in words
    assert re.search(r"\bRFC\d", words) is None
    assert "RFC 9846 section 6.2" in words
    assert "Clocks differ by more than an hour" in text_of(section(document, "timeline"))
    [certificates] = [block for block in section(document, "certificates").blocks if isinstance(block, Grid)]
    assert "also" not in text_of(certificates.rows[2])


def test_the_frames_of_an_observation_that_names_only_some_are_called_the_first(facts_of: FactsOf) -> None:
    facts = facts_of(*CAPTURES["demo"])
    args = {"checked": 179, "count": 85, "protocol": "IPv4", "hosts": 1, "addresses": ["192.0.2.1"]}
    for count, words in (
        (85, "(the first frames: 1, 3, 5, 7, 9, 11, 13, 15)"),
        (16, "(frames 1, 3, 5, 7, 9, 11, 13, 15, … (16 in all))"),
    ):
        one = {"code": "checksum_wrong", "args": args | {"count": count}, "frames": list(range(1, 32, 2))}
        assert words in text_of(section(built(facts | {"integrity": [one]}), "integrity"))


def test_what_holds_for_all_connections_leaves_no_others(facts_of: FactsOf) -> None:
    all_signed = text_of(built(facts_of(*CAPTURES["failing"])).front)
    assert "In the one connection, the server proved" in all_signed
    assert "For the others" not in all_signed
    some = text_of(built(facts_of(*CAPTURES["demo"])).front)
    assert "In 5 of 8 connections, the server proved" in some
    assert "For the others" in some


def test_traffic_over_udp_is_said_to_be_unread(facts_of: FactsOf) -> None:
    words = {name: text_of(section(built(facts_of(*CAPTURES[name])), "limitations")) for name in ("demo", "failing")}
    assert "over UDP" in words["demo"]
    assert "over UDP" not in words["failing"]


def test_differences_of_a_second_opinion_have_both_values_and_the_reason(demo_facts: dict[str, Any]) -> None:
    facts = json.loads(json.dumps(demo_facts))
    assert "No second program was asked" in text_of(section(built(facts), "crosscheck"))
    one = {"capture": "a.pcap", "session": 1, "frame": 7, "field": "alpn", "ours": "h2", "tshark": None, "reason": None}
    known = {**one, "field": "ja4", "reason": next(iter(reason_codes()))}
    numbers = {"sessions": 2, "compared": 1000, "agreed": 998, "explained": 1, "percent": 99.9}
    facts["crosscheck"] = {"tshark": {"version": "4.0.17"}, **numbers, "differences": [one, known]}
    words = text_of(section(built(facts), "crosscheck"))
    assert "tshark 4.0.17" in words
    assert "99.90 %" in words
    assert "Different without a known reason 1" in words
    assert reason_codes()[known["reason"]].meaning in words
