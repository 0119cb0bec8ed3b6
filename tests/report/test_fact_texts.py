"""Texts inside the facts: all of them are recognized by their English form, and what somebody sent is never changed."""

from collections.abc import Sequence

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


def test_all_rows_of_the_forms_can_be_said() -> None:
    kinds = ("explain.", "label.", "step.", "check.")
    for key, text in catalogue("en").items():
        if key.startswith(kinds) and "{" not in text:
            assert words_in_language(text, CHINESE) in [row for name, row in catalogue("zh").items() if name.startswith(kinds)]
