"""Texts inside the facts: all of them are recognized by their English form, and what somebody sent is never changed."""

import ast
import re
from collections.abc import Sequence
from pathlib import Path
from time import process_time

import pytest

from analyzer.report.document import Piece, Quoted
from analyzer.report.fact_texts import LONGEST, in_language, step_line, words_in_language
from analyzer.report.sentences import Sentences, catalogue
from analyzer.text.authentication_text import check_text
from analyzer.text.explain import BEFORE_13, BOTH, GAP, OPENED, RESUMED, RESUMED_13, SINCE_13

ENGLISH, CHINESE = Sentences("en"), Sentences("zh")


def written(line: Sequence[Piece]) -> str:
    return "".join(piece if isinstance(piece, str) else piece.text for piece in line)


def test_every_explanation_has_its_row() -> None:
    rows = {text for key, text in catalogue("en").items() if key.startswith("explain.")}
    spoken = {text for texts in (BOTH, BEFORE_13, SINCE_13, RESUMED, RESUMED_13) for text in texts.values()}
    assert rows == spoken | {OPENED, GAP}
    for text in rows:
        assert words_in_language(text, ENGLISH) == text
        assert words_in_language(text, CHINESE) in catalogue("zh").values()


@pytest.mark.parametrize("state", ["verified", "failed", "unverifiable"])
def test_every_result_of_a_check_has_its_row(state: str) -> None:
    sides = {"client": state, "server": state}
    authenticity = {"finished": sides, "server_signature": state, "client_signature": state}
    for name in ("finished", "certificate_verify"):
        found = check_text(authenticity, name, "server")
        assert found is not None
        assert words_in_language(found[0], CHINESE) != found[0]


@pytest.mark.parametrize(
    ("text", "chinese"),
    [
        ("ClientHello (517 bytes)", "ClientHello（517 字节）"),
        ("Certificate (1,239 bytes, encrypted)", "Certificate（1,239 字节，已加密）"),
        ("Encrypted records (2 records, 1.20 kB, to frame 9)", "加密记录（2 条记录，1.20 kB，至第 9 帧）"),
        ("Alert: fatal handshake_failure", "告警：fatal handshake_failure"),
        ("x25519, secp256r1 and 3 more", "x25519, secp256r1 等，另有 3 个"),
        ("session id 0011…, a session ticket", "会话标识 0011…、会话票据"),
        ("with the client's pre-shared key 0", "使用客户端编号为 0 的预共享密钥"),
    ],
)
def test_a_text_with_values_is_said_with_the_same_values(text: str, chinese: str) -> None:
    assert written(in_language(text, CHINESE)) == chinese
    assert in_language(text, ENGLISH) == [Quoted(text)]


def test_values_from_a_capture_stay_quoted() -> None:
    line = in_language("issued by CN=\u202eevil", CHINESE)
    assert Quoted("CN=\u202eevil") in line
    assert in_language("no row has this form", CHINESE) == [Quoted("no row has this form")]
    long = "issued by " + "x" * LONGEST
    assert in_language(long, CHINESE) == [Quoted(long)]


def test_what_a_client_sent_is_not_taken_for_a_text_of_ours() -> None:
    assert step_line("server name", "none", CHINESE) == ("服务器名称", [Quoted("none")])
    assert step_line("ALPN", "7 bytes", CHINESE) == ("ALPN", [Quoted("7 bytes")])
    assert step_line("ticket", "7 bytes", CHINESE)[1] == [*CHINESE.line("step.bytes", n=[Quoted("7")])]


@pytest.mark.parametrize("facts", ["demo_facts", "failing_facts"])
def test_the_details_of_real_captures_are_all_recognized(facts: str, request: pytest.FixtureRequest) -> None:
    found: list[str] = []
    made = request.getfixturevalue(facts)
    for finding in made["findings"]:
        found += [one["detail"] for one in finding["occurrences"]]
    for record in made["sessions"]["shown"]:
        for chain in (record["chain"], record["client_chain"]):
            found += [one["detail"] for kind in ("problems", "notes", "revocation", "scts") for one in chain[kind]]
        found += [step["title"] for step in record["steps"] if "(" in step["title"]]
    assert len(found) > 5
    assert [text for text in found if in_language(text, CHINESE) == [Quoted(text)]] == []


def test_every_form_of_a_detail_is_still_written_by_the_code() -> None:
    """A part of a form may come from another place of the code, such as a function that counts."""
    package = Path(__file__).resolve().parents[2] / "analyzer"
    code = "\n".join(
        node.value
        for path in package.rglob("*.py")
        if "report" not in path.parts
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    gone = []
    for key, text in catalogue("en").items():
        longest = max(re.split(r"\{\w+\}", text), key=len)
        third = len(longest) // 3 or len(longest)
        if key.startswith("detail.") and not any(part in code for part in (longest[:-third], longest[third:], longest[:third])):
            gone.append(key)
    assert gone == []


def test_long_texts_cost_little() -> None:
    hostile = ["a of b is for c, and not for d " * 19, "has " * 149, "; " * 299, ": " * 299]
    began = process_time()
    for text in hostile * 50:
        in_language(text[:LONGEST], CHINESE)
    assert process_time() - began < 10, "200 texts: some milliseconds each, also on a slow machine"


def test_all_rows_of_the_forms_can_be_said() -> None:
    kinds = ("explain.", "label.", "step.", "check.", "detail.")
    for key, text in catalogue("en").items():
        if key.startswith(kinds) and "{" not in text:
            assert words_in_language(text, CHINESE) in [row for name, row in catalogue("zh").items() if name.startswith(kinds)]
