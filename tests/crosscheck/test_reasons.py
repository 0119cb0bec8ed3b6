"""The conditions of the reasons: each explains what its cause makes, and nothing else."""

from typing import Any

import pytest

from analyzer.crosscheck.comparison import Difference
from analyzer.crosscheck.facts import Fact
from analyzer.crosscheck.reasons import Case, reason
from analyzer.crosscheck.tshark_facts import StreamFacts

OLD, NEW = (4, 0, 17), (4, 6, 9)


def message(kind: str, sender: str, frame: int, encrypted: bool = False, problems: Any = ()) -> dict[str, Any]:
    one = {"type": kind, "from": sender, "frame": frame, "encrypted": encrypted, "message": None}
    return one | ({"problems": list(problems)} if problems else {})


def case(version: tuple[int, int, int] = NEW, before: int = 0, psks: bool = False, plain: bool = True, **changed: Any) -> Case:
    hellos = [message("client_hello", "client", 4), message("server_hello", "server", 6)]
    record = {
        "handshake": hellos, "gaps": [], "ech": None, "findings": [], "version": "TLS 1.3", "resumption": None, "resumes": None,
        "last_frame": 40,
    }  # fmt: skip
    server = ("192.0.2.1", 443)
    found = [("handshake", server, Fact("encrypted", 8)), ("fragment", server, Fact("Encrypted Extensions (fragment)", 10))]
    stream = StreamFacts(0, frozenset(), 4, found=found)
    return Case(record | changed, stream, version, before, psks, plain)


def lacks(field: str, text: str, frame: int = 20) -> Difference:
    return Difference(field, Fact(text, frame), None)


GAP = {"from": "server", "after_frame": 12}
ACCEPTED = {"status": "accepted"}
BROKEN = {"code": "protocol_violation", "detail": "byte 9 of the server's stream: no record begins here", "frames": [12]}
CUT_OFF = [message("certificate", "server", 8, problems=["a length"])]
EVERYTHING = {"gaps": [GAP], "ech": ACCEPTED, "findings": [BROKEN]}
TWICE = [message("finished", "client", 8), message("finished", "client", 16)]
SWAPPED = [message("client_hello", "client", 6), message("server_hello", "server", 4)]
SWAPPED_CASE = case(handshake=SWAPPED)
COMPRESSED = [message("compressed_certificate", "server", 6, True)]
LATE_CERTIFICATE = [message("certificate", "server", 20)]


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
        (lacks("certificates", "server ab", 0), case(handshake=COMPRESSED), "compressed_certificate"),
        (lacks("certificates", "client ab", 0), case(handshake=COMPRESSED), None),
        (Difference("handshake", None, Fact("server encrypted", 8)), case(handshake=LATE_CERTIFICATE), "fragmented_message"),
        (Difference("handshake", None, Fact("client encrypted", 8)), case(handshake=LATE_CERTIFICATE), None),
        (Difference("handshake", None, Fact("server encrypted", 30)), case(handshake=LATE_CERTIFICATE), None),
        (lacks("certificates", "server ab", 0), case(handshake=LATE_CERTIFICATE), "fragmented_message"),
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
        (lacks("session", "client to server"), case(before=19), "upgrade_not_followed"),
        (lacks("session", "client to server"), case(before=0), None),
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
