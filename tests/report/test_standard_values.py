"""Values for CASE and STIX: what the standards allow goes through, and the rest is None or escaped."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.report.standard_values import (
    EXCHANGES_MAX,
    TEXT_MAX,
    address_version,
    cut,
    exchanges,
    hash_or_none,
    host_name,
    identifier,
    key_text,
    milliseconds,
    time_or_none,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("www.example", "www.example"),
        ("*.example", "*.example"),
        ("_dmarc.example.", "_dmarc.example"),
        ("b\u00fccher.example", "xn--bcher-kva.example"),
        ("localhost", "localhost"),
        ("", None),
        ("..", None),
        ("-a.example", None),
        ("a b", None),
        ("a\n", None),
        ("192.0.2.1", None),
        ("a" * 64, None),
        (".".join(["a" * 60] * 5), None),
        ("\u202e\u2066.example", None),
        (None, None),
    ],
)
def test_host_names(text: str | None, expected: str | None) -> None:
    assert host_name(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-02T09:00:00.123456789Z", "2026-11-02T09:00:00.123Z"),
        ("2026-11-02T09:00:00.999999999Z", "2026-11-02T09:00:00.999Z"),
        ("2026-11-02T09:00:00Z", "2026-11-02T09:00:00.000Z"),
        ("9999-12-31T23:59:59.000000000Z", "9999-12-31T23:59:59.000Z"),
        ("0000-01-01T00:00:00Z", None),
        ("2026-02-30T00:00:00Z", None),
        ("yesterday", None),
        (None, None),
    ],
)
def test_times(text: str | None, expected: str | None) -> None:
    assert milliseconds(text) == expected
    assert time_or_none(text) == (None if expected is None else text)


def test_addresses() -> None:
    assert [address_version(one) for one in ("192.0.2.1", "2001:db8::1", "host-12", "host", None)] == [4, 6, 0, None, None]


def test_hashes_and_keys() -> None:
    assert hash_or_none("ab" * 32, 32) == "ab" * 32
    assert [hash_or_none(one, 32) for one in ("ab" * 31, "AB" * 32, "certificate-1", None)] == [None] * 4
    assert key_text({"type": "rsa", "bits": 2048}) == "rsa 2048"
    assert key_text({"type": "ec", "curve": "secp256r1"}) == "ec secp256r1"
    assert [key_text({"type": "ed25519"}), key_text(None)] == ["ed25519", None]


@given(st.text(st.characters(), max_size=50))
def test_texts_are_bounded_and_can_be_written(text: str) -> None:
    assert len(cut(text * 200)) <= TEXT_MAX
    json.dumps(cut(text), ensure_ascii=False).encode("utf-8")
    assert cut("plain \u00e4\u202e text") == "plain \u00e4\u202e text"
    assert not set(cut(text)) & set(map(chr, (*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF)))


def test_identifiers_follow_from_content() -> None:
    assert identifier("a", "b") == identifier("a", "b") != identifier("ab")
    assert identifier("a")[14] == "5"


def test_exchanges_are_bounded() -> None:
    exchange = {"request": {"method": "GET"}, "response": None}
    shown = [{"id": number, "http": [exchange, {"request": None, "response": {}}] * 500} for number in range(9)]
    found = list(exchanges({"sessions": {"shown": shown}}))
    assert len(found) == EXCHANGES_MAX
    assert [one[:2] for one in found[:2]] == [(0, 0), (0, 2)]
