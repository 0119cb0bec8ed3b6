"""Texts inside the facts: all of them are recognized by their English form, and what somebody sent is never changed."""

from collections.abc import Sequence

import pytest

from analyzer.report.document import Piece, Quoted
from analyzer.report.fact_texts import explanation_in_language, in_language, parts_in_language, step_line, words_in_language
from analyzer.report.sentences import Sentences, catalogue
from analyzer.text.authentication_text import check_text
from analyzer.text.explain import BEFORE_13, BOTH, FURTHER, GAP, OPENED, RESUMED, RESUMED_13, SINCE_13, UNSIGNED
from analyzer.text.retelling import LONGEST

ENGLISH, CHINESE = Sentences("en"), Sentences("zh")


def written(line: Sequence[Piece]) -> str:
    return "".join(piece if isinstance(piece, str) else piece.text for piece in line)


def test_every_explanation_is_said_in_chinese() -> None:
    for text in {text for texts in (BOTH, BEFORE_13, SINCE_13, RESUMED, RESUMED_13) for text in texts.values()} | {
        OPENED,
        GAP,
        UNSIGNED,
        *FURTHER,
    }:
        assert words_in_language(text, ENGLISH) == text
        assert words_in_language(text, CHINESE).endswith("。")


@pytest.mark.parametrize("state", ["verified", "failed", "unverifiable"])
def test_every_result_of_a_check_is_said_in_chinese(state: str) -> None:
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
        ("x25519, secp256r1 and 3 more", "x25519, secp256r1，另有 3 项"),
        ("session id 0011…, a session ticket", "会话 ID 0011…、会话票据"),
        ("with the client's pre-shared key 0", "使用客户端编号为 0 的预共享密钥"),
    ],
)
def test_a_text_with_values_is_said_with_the_same_values(text: str, chinese: str) -> None:
    assert written(in_language(text, CHINESE)) == chinese
    assert in_language(text, ENGLISH) == [Quoted(text)]


@pytest.mark.parametrize(
    ("text", "chinese"),
    [
        ("www.example.com has no authority key identifier", "www.example.com 没有颁发机构密钥标识符"),
        (
            "the key of CA 1 is an RSA key of 512 bits, and 1024 are the least",
            "CA 1 的密钥是 512 位的 RSA 密钥，至少应为 1024 位",
        ),
        (
            "a.example was revoked on 2026-01-01 (keyCompromise), says the CRL of 2026-02-01, without a next update, "
            "signed by the issuer",
            "a.example 已于 2026-01-01 被吊销（keyCompromise），依据 2026-02-01 的 CRL，未载明下次更新时间，由颁发者签名",
        ),
        (
            'a.example is malformed has among its alternative names "a b", which is no host name',
            "a.example is malformed 的主体可选名称中有 “a b”，它不是主机名",
        ),
    ],
)
def test_a_detail_with_parts_is_said_whole(text: str, chinese: str) -> None:
    assert written(in_language(text, CHINESE)) == chinese


def test_all_sentences_of_an_explanation_are_said() -> None:
    text = " ".join((SINCE_13["client_hello"], *reversed(FURTHER)))
    assert explanation_in_language(text, ENGLISH) == text
    told = explanation_in_language(text, CHINESE)
    assert told.count("。") == 1 + len(FURTHER)
    assert " " not in told


def test_parts_are_said_one_by_one() -> None:
    parts = parts_in_language("no certificate was sent; the signer's certificate was not seen", CHINESE)
    assert written(parts) == "没有发送证书；未见到签名者的证书"


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


def test_all_rows_of_steps_can_be_said() -> None:
    for key, text in catalogue("en").items():
        if key.startswith("step.") and "{" not in text:
            assert words_in_language(text, CHINESE) == catalogue("zh")[key]
