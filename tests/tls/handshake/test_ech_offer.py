"""Encrypted Client Hello in whole sessions: what is known of the offer, with which secrets."""

from functools import cache
from pathlib import Path
from typing import Any

import pytest
from conversations import Flight, Tap, packetise, read_sessions, talk

from analyzer.capture.capture_reader import CaptureReader
from analyzer.engine import Engine
from analyzer.secrets.keylog import KeyLog
from analyzer.store.session_record import session_record

CAPTURES = Path(__file__).resolve().parents[3] / "captures"
VERIFIED = {"client": "verified", "server": "verified"}


def read(name: str, *labels: str) -> dict[str, Any]:
    """The record of a demonstration capture, with the lines of its key log that begin with these labels."""
    log = (CAPTURES / name / f"{name}.keys").read_text("ascii").splitlines(keepends=True)
    keylog = KeyLog()
    keylog.feed("".join(line for line in log if line.startswith(labels)).encode())
    engine = Engine(keylog=keylog if labels else None)
    (session,) = read_sessions(CaptureReader([str(CAPTURES / name / f"{name}.pcapng")]), engine)
    return session_record(session, True)


ALL = ("ECH", "CLIENT", "SERVER")


@pytest.mark.parametrize("name", ["ech-accepted", "ech-hello-retry-request"])
def test_an_accepted_hello_is_the_sessions_hello(name: str) -> None:
    record = read(name, *ALL)
    assert record["server_name"] == "secret.example.com"
    assert record["ech"]["status"] == "accepted"
    assert record["ech"]["outer_server_name"] == "public.example.com"
    assert record["ech"]["inner"]["random"] in (CAPTURES / name / f"{name}.keys").read_text("ascii")
    assert record["handshake"][0]["message"]["random"] != record["ech"]["inner"]["random"]
    assert record["authenticity"]["server_signature"] == "verified"
    assert record["authenticity"]["finished"] == VERIFIED
    assert (record["decryption"]["status"], record["decryption"]["failed"]) == ("decrypted", 0)
    assert [exchange["response"]["status"] for exchange in record["http"]] == [200]


def test_a_rejected_hello_is_shown_and_the_outer_one_counts() -> None:
    record = read("ech-rejected", *ALL)
    assert record["server_name"] == "public.example.com"
    assert (record["ech"]["status"], record["ech"]["inner_server_name"]) == ("rejected", "secret.example.com")
    assert record["authenticity"]["finished"] == VERIFIED
    assert record["alerts"][0]["description"] == "ech_required"


@pytest.mark.parametrize("name", ["ech-accepted", "ech-hello-retry-request", "ech-rejected"])
def test_without_secrets_only_the_offer_is_known(name: str) -> None:
    record = read(name)
    assert record["server_name"] == "public.example.com"
    assert record["ech"] == {
        "status": "offered",
        "config_id": 7,
        "public_name": None,
        "outer_server_name": "public.example.com",
        "inner_server_name": None,
        "inner": None,
    }


def test_secrets_under_the_outer_random_show_that_it_was_rejected() -> None:
    record = read("ech-rejected", "CLIENT", "SERVER")
    assert record["decryption"]["status"] == "decrypted"
    assert (record["ech"]["status"], record["ech"]["inner_server_name"]) == ("rejected", None)


def test_a_server_that_sends_configurations_has_rejected_whatever_the_random() -> None:
    log = (CAPTURES / "ech-rejected" / "ech-rejected.keys").read_text("ascii").splitlines(keepends=True)
    keylog = KeyLog()
    keylog.feed("".join(f"{a} {'77' * 32} {c}" for a, _, c in (line.split(" ", 2) for line in log)).encode())
    (session,) = read_sessions(CaptureReader([str(CAPTURES / "ech-rejected" / "ech-rejected.pcapng")]), Engine(keylog=keylog))
    record = session_record(session, True)
    assert record["decryption"]["status"] == "decrypted"
    assert record["ech"]["status"] == "rejected"


def test_the_inner_name_is_known_though_the_traffic_stays_closed() -> None:
    record = read("ech-accepted", "ECH")
    assert record["server_name"] == "secret.example.com"
    assert record["ech"]["status"] == "accepted"
    assert (record["decryption"]["status"], record["decryption"]["reason"]) == ("none", "ech_inner_unknown")


@pytest.mark.parametrize("name", ["ech-accepted", "ech-hello-retry-request"])
@pytest.mark.parametrize("labels", [("CLIENT", "SERVER"), ("ECH_SECRET", "CLIENT", "SERVER")])
def test_what_the_inner_random_hides_is_found_by_trial(name: str, labels: tuple[str, ...]) -> None:
    record = read(name, *labels)
    assert (record["decryption"]["status"], record["decryption"]["failed"]) == ("decrypted", 0)
    assert record["http"][0]["request"]["authority"] == "secret.example.com"
    assert (record["ech"]["status"], record["ech"]["inner_server_name"]) == ("accepted", None)
    assert record["authenticity"]["finished"] == {"client": "unverifiable", "server": "unverifiable"}
    assert record["authenticity"]["server_signature"] == "unverifiable"
    codes = ["ech_not_opened"] if "ECH_SECRET" in labels else []
    assert [finding["code"] for finding in record["findings"]] == [*codes, "found_by_trial", "ech_accepted"]
    assert record["server_name"] is None
    assert record["chain"]["name"] is None
    assert "name_mismatch" not in [problem["code"] for problem in record["chain"]["problems"]]
    assert "judged for no name" in record["findings"][len(codes) + 1]["detail"]
    if codes:
        assert record["findings"][0]["detail"].startswith(
            "the key log has ECH_SECRET for the encrypted ClientHello, and not ECH_CONFIG"
        )


@pytest.mark.parametrize("damage", ["config", "secret", "both twice"])
def test_lines_that_do_not_fit_open_nothing(damage: str) -> None:
    lines = (CAPTURES / "ech-accepted" / "ech-accepted.keys").read_text("ascii").splitlines()
    wrong = []
    for line in lines:
        label, random, value = line.split()
        if damage in label.lower():
            value = value[:-8] + "00000001"
        wrong += (
            [f"{label} {random} {value}", f"{label} {random} {value[:-2]}ff"]
            if damage[0] == "b"
            else [" ".join((label, random, value))]
        )
    keylog = KeyLog()
    keylog.feed("\n".join([*wrong, ""]).encode())
    path = CAPTURES / "ech-accepted" / "ech-accepted.pcapng"
    (session,) = read_sessions(CaptureReader([str(path)]), Engine(keylog=keylog))
    record = session_record(session, True)
    opened = damage == "both twice"  # the right lines are among them
    assert record["ech"]["inner_server_name"] == ("secret.example.com" if opened else None)
    accepted = record["ech"]["status"] == "accepted"
    assert accepted == (damage != "secret")  # else the traffic secrets are damaged too, and nobody knows
    outer = None if accepted else "public.example.com"
    assert record["server_name"] == ("secret.example.com" if opened else outer)
    told = [finding["detail"] for finding in record["findings"] if finding["code"] == "ech_not_opened"]
    assert len(told) == (0 if opened else 1)
    assert all(detail.startswith("ECH_SECRET and ECH_CONFIG of the key log do not open") for detail in told)


@cache
def grease() -> bytes:
    """An extension from a client without a configuration: the form, filled with random bytes."""
    body = b"\0\0\1\0\1\x2a\0\x20" + bytes(range(32)) + b"\0\xb0" + bytes(range(176))
    return b"\xfe\x0d" + len(body).to_bytes(2, "big") + body


def with_extension(flights: tuple[Flight, ...], extension: bytes) -> list[Flight]:
    """A conversation whose ClientHello has one more extension."""
    side, hello = flights[0]
    body = bytearray(hello)
    at = 5 + 4 + 34
    at += 1 + body[at]
    at += 2 + int.from_bytes(body[at : at + 2], "big")
    at += 1 + body[at]
    for place, width in ((3, 2), (6, 3), (at, 2)):
        length = int.from_bytes(body[place : place + width], "big") + len(extension)
        body[place : place + width] = length.to_bytes(width, "big")
    body[at + 2 : at + 2] = extension
    return [(side, bytes(body)), *flights[1:]]


def test_a_client_that_goes_on_after_tls_1_2_was_chosen_sent_grease() -> None:
    tap = Tap()
    tap.feed(*packetise(with_extension(talk("TLSv1_2"), grease())))
    (record,) = tap.records()
    assert (record["ech"]["status"], record["ech"]["config_id"]) == ("grease", 0x2A)


def test_with_tls_1_3_that_takes_the_secrets() -> None:
    tap = Tap()
    tap.feed(*packetise(with_extension(talk("TLSv1_3"), grease())))
    (record,) = tap.records()
    assert record["ech"]["status"] == "offered"


@pytest.mark.parametrize("extension", [b"\xfe\x0d\0\1\1", b"\xfe\x0d\0\0", b"\xfe\x0d\0\3\0\0\1", b"\xfe\x0d\0\1\7"])
def test_what_is_no_outer_hello_is_no_offer(extension: bytes) -> None:
    tap = Tap()
    tap.feed(*packetise(with_extension(talk("TLSv1_3"), extension)))
    (record,) = tap.records()
    assert record["ech"] is None
