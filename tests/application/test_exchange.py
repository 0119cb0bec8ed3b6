import pytest
from http_reading import CLIENT, SERVER, codes, read

from analyzer.application import exchange as limits
from analyzer.application.exchange import ConversationLog, Exchange, Message

GET = b"GET /a HTTP/1.1\r\nHost: example.test\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


def test_a_record_has_the_keys_of_the_interface() -> None:
    (entry,) = read([(CLIENT, GET), (SERVER, OK)]).record()
    body = ["body_sha256", "body_length"]
    assert list(entry) == ["request", "response"]
    assert list(entry["request"]) == ["method", "scheme", "authority", "path", "headers", "frame", *body]
    assert list(entry["response"]) == ["status", "headers", "frame", *body]
    assert Exchange().record() == {"request": None, "response": None}


def test_findings_have_a_limit() -> None:
    log = ConversationLog("https", True, None)
    for n in range(1000):
        log.note("often", f"number {n}", n)
    log.note("seldom", "heard all the same", 1000)
    assert len(log.findings) == limits.FINDINGS_MAX + 2
    first = log.findings[0]
    assert (first.code, first.detail, first.frame) == ("often", "number 0", 0)
    assert [finding.code for finding in log.findings[-2:]] == ["too_many_findings", "seldom"]


def test_messages_have_a_limit() -> None:
    log = ConversationLog("https", True, None)
    message = Message(None, CLIENT, 1, 5, 1, 1, False, True)
    for _ in range(limits.MESSAGES_MAX + 5):
        log.add_message(message)
    assert len(log.messages) == limits.MESSAGES_MAX
    assert [finding.code for finding in log.findings] == ["too_much_to_list"]


def test_exchanges_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "EXCHANGES_MAX", 3)
    conversation = read([(CLIENT, GET), (SERVER, OK)] * 5)
    assert len(conversation.exchanges) == 3
    assert codes(conversation) == ["too_much_to_list"]


def test_header_fields_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "HEADER_BYTES_MAX", 600)
    conversation = read([(CLIENT, GET), (SERVER, OK)] * 5)
    assert len(conversation.exchanges) == 2
    assert conversation.record()[1]["response"]["headers"] is None
    assert codes(conversation) == ["too_much_to_list"]


def test_interim_responses_have_a_limit() -> None:
    conversation = read([(CLIENT, GET), (SERVER, b"HTTP/1.1 102 Processing\r\n\r\n" * 50 + OK)])
    assert len(conversation.exchanges[0].interim) == limits.INTERIM_MAX
    assert conversation.record()[0]["response"]["status"] == 200
