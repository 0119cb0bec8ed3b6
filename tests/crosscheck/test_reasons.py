"""The conditions of the reasons: each explains what its cause makes, and nothing else."""

from dataclasses import replace
from typing import Any

import pytest

from analyzer.crosscheck.comparison import Difference
from analyzer.crosscheck.facts import Fact
from analyzer.crosscheck.reasons import Case, reason
from analyzer.crosscheck.tshark_dtls import LATE_FRAGMENT
from analyzer.crosscheck.tshark_facts import StreamFacts

OLD, NEW = (4, 0, 17), (4, 6, 9)


DECRYPTED = {"status": "decrypted", "bytes": {"client": 73, "server": 43}}


def message(kind: str, sender: str, frame: int, encrypted: bool = False, problems: Any = ()) -> dict[str, Any]:
    one = {"type": kind, "from": sender, "frame": frame, "encrypted": encrypted, "message": None}
    return one | ({"problems": list(problems)} if problems else {})


CLIENT, SERVER = ("192.0.2.9", 50000), ("192.0.2.1", 443)


def case(
    build: tuple[int, int, int] = NEW, before: int = 0, psks: bool = False, plain: bool = True, joined: bool = False,
    tshark: Any = (), hello_from: Any = CLIENT, **changed: Any,
) -> Case:  # fmt: skip
    """tshark: what it found besides two records of the server. hello_from: None where it saw no ClientHello."""
    hellos = [message("client_hello", "client", 4), message("server_hello", "server", 6)]
    record = {
        "handshake": hellos, "gaps": [], "ech": None, "findings": [], "version": "TLS 1.3", "resumption": None, "resumes": None,
        "last_frame": 40, "alpn": None, "alerts": [], "http": [], "decryption": DECRYPTED,
        "before": [], "quic": None, "first_frame": 4,
    }  # fmt: skip
    found = [("handshake", SERVER, Fact("encrypted", 8)), ("fragment", SERVER, Fact("Encrypted Extensions (fragment)", 10))]
    stream = StreamFacts(0, frozenset(), 4, found=[*found, *tshark], hellos=[(hello_from, 4)] if hello_from else [])
    return Case(record | changed, stream, build, before, psks, plain, joined)


def lacks(field: str, text: str, frame: int = 20) -> Difference:
    return Difference(field, Fact(text, frame), None)


GAP = {"from": "server", "after_frame": 12}
ACCEPTED = {"status": "accepted", "public_name": "outer.example", "inner_server_name": "inner.example"}
UNOPENED = ACCEPTED | {"public_name": None, "inner_server_name": None}
BROKEN = {"code": "protocol_violation", "detail": "byte 9 of the server's stream: no record begins here", "frames": [12]}
CUT_OFF = [message("certificate", "server", 8, problems=[{"detail": "a length"}])]
SHORT = [message("server_hello", "server", 6, problems=[{"detail": "40 of 118 bytes are not in the capture"}])]
EVERYTHING = {"gaps": [GAP], "ech": ACCEPTED, "findings": [BROKEN]}
TWICE = [message("finished", "client", 8), message("finished", "client", 16)]
SWAPPED = [message("client_hello", "client", 6), message("server_hello", "server", 4)]
CLOSING = [{"from": "server", "frame": 8, "encrypted": True}]
SWAPPED_CASE = case(handshake=SWAPPED, alerts=CLOSING)
COMPRESSED = [message("compressed_certificate", "server", 6, True)]
LATE_CERTIFICATE = [message("certificate", "server", 20)]
OPENED = [message("server_hello", "server", 6), message("finished", "server", 20, True)]
TWO_CERTIFICATES = [message("certificate", "server", 6), message("certificate", "server", 7)]
CLOSED_HELLO = [("handshake", SERVER, Fact("encrypted", 6))]
TWO_RANDOMS = [("client_random", CLIENT, Fact("0a", 4)), ("client_random", CLIENT, Fact("0b", 4))]
OLD_FIELD = [("legacy_version", SERVER, Fact("TLS 1.1", 6))]
ALPN_OF_HELLO = [("alpn", SERVER, Fact("h2", 6))]


def finding(code: str, frame: int, detail: str = "") -> dict[str, Any]:
    return {"code": code, "detail": detail, "frames": [frame]}


CUT_HELLO = {"from": "client", "after_frame": 4}
NO_HEAD = [finding("bad_start_line", 12, "no head of the server: 'xHTTP/1.1'")]
A_RECORD = "a record of the server has the version"
OTHER_VERSION = finding("wrong_record_version", 12, f"{A_RECORD} 0x0304, and records of this session have 0x0303")
KNOWN_VERSION = finding("wrong_record_version", 12, f"{A_RECORD} 0x0301, and records of this session have 0x0303")
SEALED = Difference("handshake", None, Fact("client encrypted", 16))
DONE = [message("finished", "client", 8), message("finished", "server", 20)]
ANOTHER_FIRST = case()
assert ANOTHER_FIRST.record is not None
ANOTHER_FIRST.record["before"] = [{"protocol": "http"}]
REJECTED = [finding("early_data_rejected", 20)]
PLAINTEXT_CASE = case(handshake=LATE_CERTIFICATE, findings=[finding("plaintext_record", 20)])


@pytest.mark.parametrize(
    ("difference", "known", "code"),
    [
        (lacks("alerts", "server warning close_notify"), case(gaps=[GAP]), "lost_segment"),
        (lacks("alerts", "client warning close_notify"), case(gaps=[GAP]), None),
        (lacks("alerts", "server warning close_notify", 10), case(gaps=[GAP]), None),
        (Difference("server_name", Fact("a.example", 4), Fact("b.example", 4)), case(ech=ACCEPTED), "inner_hello"),
        (Difference("server_name", Fact("a.example", 4), Fact("b.example", 4)), case(ech={"status": "rejected"}), None),
        (lacks("requests", "GET /"), case(OLD, ech=ACCEPTED), "ech_not_opened"),
        (lacks("requests", "GET /"), case(NEW, ech=ACCEPTED), None),
        (lacks("requests", "GET /"), case(NEW, ech=UNOPENED), "ech_not_opened"),
        (lacks("requests", "GET /"), case(NEW, ech=UNOPENED | {"status": "rejected"}), None),
        (lacks("certificates", "server ab", 0), case(handshake=COMPRESSED), "compressed_certificate"),
        (lacks("certificates", "client ab", 0), case(handshake=COMPRESSED), None),
        (Difference("handshake", None, Fact("server encrypted", 8)), case(handshake=LATE_CERTIFICATE), "fragmented_message"),
        (Difference("handshake", None, Fact("client encrypted", 8)), case(handshake=LATE_CERTIFICATE), None),
        (Difference("handshake", None, Fact("server encrypted", 30)), case(handshake=LATE_CERTIFICATE), None),
        (lacks("certificates", "server ab", 0), case(handshake=LATE_CERTIFICATE), "fragmented_message"),
        (lacks("cipher_suite", "TLS_AES_128_GCM_SHA256", 6), case(handshake=SHORT), "cut_message"),
        (lacks("cipher_suite", "TLS_AES_128_GCM_SHA256", 7), case(handshake=SHORT), None),
        (lacks("server_name", "a.example", 6), case(handshake=SHORT), None),
        (lacks("cipher_suite", "TLS_AES_128_GCM_SHA256", 8), case(handshake=CUT_OFF), None),
        (lacks("handshake", "server finished"), case(handshake=CUT_OFF), "broken_message"),
        (lacks("handshake", "server finished", 7), case(handshake=CUT_OFF), None),
        (lacks("handshake", "server encrypted", 10), case(), "ciphertext_as_message"),
        (lacks("handshake", "server encrypted", 11), case(), None),
        (lacks("handshake", "server finished", 10), case(), None),
        (lacks("alerts", "client encrypted"), case(findings=[BROKEN]), "broken_record"),
        (lacks("alerts", "client encrypted", 11), case(findings=[BROKEN]), None),
        (lacks("alerts", "client warning close_notify"), case(handshake=TWICE), "post_handshake_keys"),
        (lacks("alerts", "server warning close_notify"), case(handshake=TWICE), None),
        (lacks("statuses", "200"), case(plain=False), "key_log_not_plain"),
        (lacks("server_name", "a"), case(plain=False), None),
        (Difference("handshake", None, Fact("server finished", 8)), case(plain=False), None),
        (lacks("requests", "GET /"), case(handshake=SWAPPED), "frames_out_of_order"),
        (Difference("alerts", Fact("server a", 8), Fact("server encrypted", 8)), SWAPPED_CASE, "frames_out_of_order"),
        (Difference("handshake", Fact("server finished", 8), Fact("client finished", 8)), case(handshake=SWAPPED), None),
        (lacks("statuses", "200"), case(psks=True, resumption="psk"), "psk_kept_back"),
        (lacks("statuses", "200"), case(psks=False, resumption="psk"), None),
        (lacks("session", "client to server"), case(gaps=[{"from": "server", "after_frame": 6}, CUT_HELLO]), "lost_segment"),
        (lacks("session", "client to server"), case(gaps=[CUT_HELLO]), None),
        (lacks("session", "client to server"), case(gaps=[CUT_HELLO], handshake=[]), None),
        (lacks("version", "TLS 1.3", 13), case(gaps=[GAP]), "lost_segment"),
        (lacks("ja3", "57da", 13), case(gaps=[GAP]), None),
        (lacks("version", "TLS 1.3", 6), case(hello_from=None, tshark=CLOSED_HELLO), "change_before_hello"),
        (lacks("version", "TLS 1.3", 6), case(tshark=CLOSED_HELLO), None),
        (lacks("version", "TLS 1.3", 6), case(hello_from=None), None),
        (Difference("handshake", Fact("server 0x63", 8), Fact("server encrypted", 8)), case(), "unknown_message"),
        (Difference("handshake", Fact("server finished", 8), Fact("server encrypted", 8)), case(), None),
        (Difference("certificates", None, Fact("server ab", 0)), case(handshake=TWO_CERTIFICATES), "other_certificate"),
        (Difference("certificates", None, Fact("client ab", 0)), case(handshake=TWO_CERTIFICATES), None),
        (Difference("certificates", Fact("server ab", 0), Fact("server cd", 0)), case(handshake=TWO_CERTIFICATES), None),
        (lacks("certificates", "server ab", 0), case(handshake=TWO_CERTIFICATES), None),
        (Difference("certificates", None, Fact("server ab", 0)), PLAINTEXT_CASE, "other_certificate"),
        (lacks("handshake", "server finished"), case(handshake=OPENED, hello_from=None), "no_client_hello"),
        (lacks("handshake", "server finished"), case(handshake=OPENED), None),
        (lacks("handshake", "server encrypted"), case(handshake=OPENED, hello_from=None), None),
        (lacks("handshake", "server server_hello", 6), case(handshake=OPENED, hello_from=None), None),
        (lacks("certificates", "server ab", 0), case(handshake=TWO_CERTIFICATES, hello_from=None), None),
        (SEALED, case(handshake=DONE, version="TLS 1.2"), "sealed_again"),
        (SEALED, case(handshake=DONE[1:], version="TLS 1.2"), None),
        (SEALED, case(handshake=DONE), None),
        (Difference("handshake", None, Fact("client certificate", 16)), case(handshake=DONE, version="TLS 1.2"), None),
        (lacks("requests", "GET /"), case(tshark=TWO_RANDOMS), "second_random"),
        (lacks("requests", "GET /"), case(tshark=[TWO_RANDOMS[0], TWO_RANDOMS[0]]), None),
        (lacks("statuses", "200"), case(findings=[OTHER_VERSION, *NO_HEAD]), "wrong_record_version"),
        (lacks("statuses", "200", 11), case(findings=[OTHER_VERSION]), None),
        (lacks("requests", "GET /"), case(findings=[OTHER_VERSION]), None),
        (Difference("statuses", None, Fact("200", 20)), case(findings=[OTHER_VERSION], alpn="http/1.1"), None),
        (lacks("statuses", "200"), case(findings=[KNOWN_VERSION]), None),
        (lacks("alpn", "h2", 6), case(tshark=OLD_FIELD), "legacy_version"),
        (lacks("alpn", "h2", 6), case(tshark=OLD_FIELD, version="TLS 1.2"), None),
        (Difference("alpn", None, Fact("h2", 6)), case(tshark=ALPN_OF_HELLO), "alpn_in_server_hello"),
        (Difference("alpn", None, Fact("h2", 6)), case(tshark=ALPN_OF_HELLO, version="TLS 1.2"), None),
        (lacks("requests", "GET /"), case(tshark=ALPN_OF_HELLO), "alpn_in_server_hello"),
        (lacks("requests", "GET /"), case(tshark=ALPN_OF_HELLO, alpn="h2"), None),
        (lacks("statuses", "200"), case(findings=NO_HEAD), "rest_before_http"),
        (lacks("requests", "GET /"), case(findings=NO_HEAD), None),
        (lacks("statuses", "200", 11), case(findings=NO_HEAD), None),
        (Difference("statuses", None, Fact("200", 20)), case(), "not_http_of_the_client"),
        (Difference("statuses", None, Fact("200", 20)), case(decryption=DECRYPTED | {"status": "partial"}), None),
        (Difference("statuses", None, Fact("200", 20)), case(alpn="http/1.1"), None),
        (Difference("statuses", None, Fact("200", 20)), case(http=[{}]), None),
        (Difference("requests", None, Fact("GET /", 20)), case(findings=[finding("no_preface", 20)]), "not_as_agreed"),
        (Difference("requests", None, Fact("GET /", 19)), case(findings=[finding("no_preface", 20)]), None),
        (Difference("requests", None, Fact("GET /", 20)), case(findings=REJECTED), "rejected_early_data"),
        (Difference("requests", None, Fact("GET /", 21)), case(findings=REJECTED), None),
        (lacks("requests", "GET /"), case(findings=REJECTED), None),
        (lacks("statuses", "200"), case(findings=[finding("injected_segment", 20)]), "inserted_segment"),
        (lacks("statuses", "200", 19), case(findings=[finding("injected_segment", 20)]), None),
        (lacks("session", "client to server"), case(joined=True), "port_used_again"),
        (Difference("client_bytes", Fact("9", 40), Fact("12", 41)), case(), "port_used_again"),
        (Difference("client_bytes", Fact("9", 40), Fact("12", 40)), case(), None),
        (lacks("session", "client to server"), case(before=19), "upgrade_not_followed"),
        (lacks("session", "client to server"), case(before=0), None),
        (lacks("session", "client to server"), ANOTHER_FIRST, "upgrade_not_followed"),
        (Difference("server_bytes", Fact("9", 40), Fact("12", 39)), case(findings=[BROKEN]), "rest_is_no_record"),
        (Difference("server_bytes", Fact("12", 40), Fact("9", 39)), case(findings=[BROKEN]), None),
        (Difference("client_bytes", Fact("9", 40), Fact("12", 39)), case(findings=[BROKEN]), None),
        (Difference("version", Fact("TLS 1.3", 6), Fact("TLS 1.2", 6)), case(**EVERYTHING), None),
    ],
)  # fmt: skip
def test_a_reason_explains_what_its_cause_makes_and_nothing_else(difference: Difference, known: Case, code: str | None):
    assert reason(difference, known) == code


def test_a_session_that_only_tshark_has_is_never_explained():
    only = Difference("session", None, Fact("two ends", 4))
    assert reason(only, Case(None, case().stream, NEW, 0, False)) is None


QUIET = {"client": 0, "server": 0}
QUIC = {"retries": [], "missing": QUIET, "connection_ids": {"client": ["0a"], "server": ["0b", "0c"]}}
LATE_HELLO = [message("client_hello", "client", 6), message("certificate", "server", 20, True)]
BEGUN = StreamFacts(-1, frozenset(), 4, begun=1)


@pytest.mark.parametrize(
    ("difference", "known", "code"),
    [
        (lacks("statuses", "200"), case(quic=QUIC | {"retries": [5]}, handshake=LATE_HELLO), "hello_after_retry"),
        (lacks("statuses", "200"), case(quic=QUIC, handshake=LATE_HELLO), None),
        (lacks("connection_ids", "server 0c"), case(quic=QUIC | {"missing": QUIET | {"server": 2}}), "unseen_connection_id"),
        (lacks("connection_ids", "server 0c"), case(quic=QUIC), None),
        (lacks("connection_ids", "server 0c"), case(quic=QUIC, decryption={"status": "none"}), "unseen_connection_id"),
        (lacks("ja3", "ab", 4), replace(case(quic=QUIC), stream=BEGUN), "hello_after_negotiation"),
        (lacks("ja3", "ab", 4), case(quic=QUIC), None),
    ],
)
def test_reasons_of_quic(difference: Difference, known: Case, code: str | None):
    assert reason(difference, known) == code


LATE = [(LATE_FRAGMENT, SERVER, Fact("certificate", 20))]
LATE_CASE = case(handshake=LATE_CERTIFICATE, tshark=LATE, version="DTLS 1.2")
SEALED13 = [message("finished", "server", 20, True)]


@pytest.mark.parametrize(
    ("difference", "known", "code"),
    [
        (lacks("handshake", "server certificate"), LATE_CASE, "late_fragment"),
        (Difference("handshake", Fact("server certificate", 20), Fact("server certificate", 24)), LATE_CASE, "late_fragment"),
        (Difference("handshake", Fact("server certificate", 20), Fact("server certificate", 14)), LATE_CASE, None),
        (lacks("certificates", "server ab"), LATE_CASE, "late_fragment"),
        (lacks("certificates", "client ab"), LATE_CASE, None),
        (lacks("handshake", "server certificate", 21), LATE_CASE, None),
        (lacks("handshake", "server server_key_exchange"), LATE_CASE, None),
        (lacks("handshake", "server finished"), case(OLD, handshake=SEALED13, version="DTLS 1.3"), "dtls13_closed"),
        (lacks("handshake", "server finished"), case(NEW, handshake=SEALED13, version="DTLS 1.3"), None),
        (lacks("handshake", "server finished"), case(OLD, handshake=SEALED13, version="DTLS 1.2"), None),
        (lacks("handshake", "server server_hello", 6), case(OLD, version="DTLS 1.3"), None),
        (lacks("alpn", "h2", 20), case(OLD, version="DTLS 1.3"), "dtls13_closed"),
    ],
)  # fmt: skip
def test_reasons_of_dtls(difference: Difference, known: Case, code: str | None):
    assert reason(difference, known) == code
