"""Both opinions on captures: they agree, and where they do not, both values and the reason are told."""

from pathlib import Path

import pytest
from damage import frames_of
from frames_by_hand import write
from sessions_by_hand import NAMES, capture_of, keylog_of

from analyzer.capture.capture_reader import CaptureReader
from analyzer.cli.main import main
from analyzer.crosscheck.reasons import DTLS13_SINCE
from analyzer.crosscheck.second_opinion import HTTP3_SINCE, JA4_SINCE, SecondOpinion, Tally
from analyzer.crosscheck.tshark_process import TsharkRun
from analyzer.crosscheck.tshark_program import find_tshark
from analyzer.crosscheck.tshark_settings import FRAMES, arguments
from analyzer.engine import Engine, run
from analyzer.secrets.keylog import KeyLog
from analyzer.store.secret_files import add_secrets_of

pytestmark = pytest.mark.peer("tshark")


UNREAD_BY_TSHARK = {"quic-retry", "quic-connection-ids", "quic-version-negotiation"}
"""Captures of which some tshark cannot read a part; `test_quic_is_compared_and_each_difference_has_its_reason` has them."""


def tally_of(capture: Path, keylog: KeyLog | None = None, keys: Path | None = None) -> Tally:
    reader, tally = CaptureReader([str(capture)]), Tally()
    words = arguments(None if keys is None else str(keys))
    with TsharkRun(find_tshark(), str(capture), words, FRAMES, 60) as tshark:
        opinion = SecondOpinion(tshark, lambda: reader.frame.number, tally)
        run(reader, Engine(detailed=True, fields=False, keylog=add_secrets_of([str(capture)], keylog)), [opinion])
    return tally


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith("dtls")])  # those of DTLS are below
def test_both_agree_on_the_demonstration_captures(name: str):
    capture = capture_of(name)
    keys = next(iter(capture.parent.glob("*.keys")), None)
    tally = tally_of(capture, keylog_of(name), keys)
    assert [told for told in tally.differences if told.reason is None] == []
    assert tally.explained == len(tally.differences)
    if not name.startswith("ech-") and name not in UNREAD_BY_TSHARK:
        assert tally.n_agreed >= 0.95 * tally.n_compared
    assert tally.n_compared > 10 or tally.sessions <= 1


def test_everything_is_compared():
    tally = tally_of(capture_of("demo"))
    fields = {name for name, count in tally.compared.items() if count}
    wanted = {
        "session",
        "version",
        "cipher_suite",
        "group",
        "server_name",
        "alpn",
        "ja3",
        "ja3s",
        "client_bytes",
        "server_bytes",
    }
    wanted |= {"handshake", "alerts", "certificates", "requests", "statuses"}
    assert fields == wanted | ({"ja4"} if find_tshark().version >= JA4_SINCE else set())
    assert tally.sessions == 8
    assert tally.n_agreed == tally.n_compared > 150


def test_everything_of_quic_is_compared():
    name = "quic-http3"
    tally = tally_of(capture_of(name), keylog_of(name), capture_of(name).with_suffix(".keys"))
    fields = {field for field, count in tally.compared.items() if count}
    wanted = {"session", "version", "cipher_suite", "group", "server_name", "alpn", "ja3", "ja3s", "quic_version"}
    wanted |= {"handshake", "certificates", "connection_ids"}
    version = find_tshark().version
    wanted |= {"requests", "statuses"} if version >= HTTP3_SINCE else set()
    assert fields == wanted | ({"ja4"} if version >= JA4_SINCE else set())
    assert tally.differences == []
    assert tally.compared["connection_ids"] == 16


@pytest.mark.parametrize(
    ("name", "reasons"),
    [
        ("quic-retry", {"hello_after_retry"}),
        ("quic-connection-ids", {"unseen_connection_id"}),
        ("quic-version-negotiation", {"hello_after_negotiation", "no_client_hello"}),
        ("quic-migration", set()),
    ],
)
def test_quic_is_compared_and_each_difference_has_its_reason(name: str, reasons: set[str]):
    tally = tally_of(capture_of(name), keylog_of(name), capture_of(name).with_suffix(".keys"))
    assert tally.sessions == 1
    assert {told.reason for told in tally.differences} in (reasons, set())


DTLS = [name for name in NAMES if name.startswith("dtls")]


@pytest.mark.parametrize("name", DTLS)
def test_dtls_is_compared_and_each_difference_has_its_reason(name: str):
    version = find_tshark().version
    tally = tally_of(capture_of(name), keylog_of(name), capture_of(name).with_suffix(".keys"))
    expected = {"late_fragment"} if name in ("dtls12-fragments", "dtls12-gnutls-loss") else set()
    if version < DTLS13_SINCE:
        expected |= {"dtls13_closed"} if name.startswith("dtls13") else set()
        expected |= {"second_random", "sealed_again"} if name == "dtls12-renegotiation" else set()
    assert {told.reason for told in tally.differences} == expected
    assert tally.compared["handshake"] >= 7
    assert tally.compared["version"] == tally.compared["ja3"] == tally.sessions > 0
    assert tally.differing["version"] == tally.differing["ja3"] == 0


def test_other_keys_for_dtls_have_no_reason():
    name = "dtls12-cookie"
    tally = tally_of(capture_of(name), keylog_of(name), None)
    assert {(told.reason, told.difference.field) for told in tally.differences} == {(None, "handshake"), (None, "alerts")}


def test_other_keys_for_quic_have_no_reason():
    name = "quic-http3"
    tally = tally_of(capture_of(name), keylog_of(name), None)
    assert {told.reason for told in tally.differences if told.difference.field != "connection_ids"} == {None}


def test_without_the_keys_tshark_disagrees_and_no_reason_is_made_up():
    name = "tls13-rsa"
    tally = tally_of(capture_of(name), keylog_of(name), None)
    open_ones = [told.difference for told in tally.differences if told.reason is None]
    assert {one.field for one in open_ones} >= {"handshake", "certificates", "requests", "statuses"}
    assert all(one.tshark is None for one in open_ones)
    assert all(one.frame for one in open_ones if one.field == "handshake")


def test_what_only_tshark_sees_is_a_difference(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("analyzer.crosscheck.second_opinion.SecondOpinion.take", lambda opinion, events: None)
    tally = tally_of(capture_of("tls13-rsa"))
    [told] = tally.differences
    assert (told.session, told.difference.field, told.difference.ours) == (None, "session", None)
    assert told.difference.tshark is not None
    assert "192.0.2.10" in told.difference.tshark.text


@pytest.mark.corpus
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("zeek/tls/tls-fragmented-handshake.pcap.gz", "fragmented_message"),
        ("zeek/tls/tls1.2-protocol-violation.pcap", "broken_message"),
        ("zeek/tls/ssl-v2.pcap", None),
        ("zeek/tls/tls1.2-late-protocol-error.pcap", "broken_record"),
        ("zeek/starttls/globus-url-copy.pcap", "rest_is_no_record"),
        ("zeek/starttls/rdp-to-ssl.pcap", "upgrade_not_followed"),
        ("ja4/tls-handshake.pcapng", None),
        ("zeek/quic/quic-go-retry.pcap", None),
        ("zeek/tls/dtls1_2.pcap", None),
        ("zeek/tls/dtls13-cid.pcap", None),
        ("zeek/quic/quic-go-zerortt.pcap", "unseen_connection_id"),
    ],
)
def test_known_differences_in_the_corpus(corpus: Path, name: str, reason: str | None):
    reasons = {told.reason for told in tally_of(corpus / name).differences}
    assert reasons <= {reason}
    if reason not in ("broken_record", "upgrade_not_followed"):  # not with every tshark
        assert reasons == ({reason} if reason else set())


@pytest.mark.parametrize("name", ["tls13-hello-retry-request", "tls12-client-certificate", "tls13-rsa"])
def test_a_capture_that_ends_anywhere_is_compared_up_to_there(name: str):
    """As after a signal: tshark has read on, and what it says of later frames does not count."""
    capture = capture_of(name)
    keys = next(iter(capture.parent.glob("*.keys")))
    for n_frames in (5, 7, 9, 11):
        reader, tally = CaptureReader([str(capture)]), Tally()
        with TsharkRun(find_tshark(), str(capture), arguments(str(keys)), FRAMES, 60) as tshark:
            opinion = SecondOpinion(tshark, lambda reader=reader: reader.frame.number, tally)  # type: ignore[misc]
            run(reader, Engine(detailed=True, fields=False, keylog=keylog_of(name)), [opinion], n_frames)
        assert tally.differences == []
        assert tally.sessions == 1


@pytest.mark.parametrize(
    ("name", "lost", "reasons"),
    [
        ("tls13-rsa", 4, {"no_client_hello"}),
        ("tls13-rsa", 6, set()),
        ("tls12-client-certificate", 4, set()),
        ("tls12-client-certificate", 6, set()),
        ("tls12-client-certificate", 9, set()),
    ],
)
def test_a_capture_that_begins_inside_a_handshake(name: str, lost: int, reasons: set[str], tmp_path: Path):
    capture = write(tmp_path / "late.pcapng", [(one.at, one.data) for one in frames_of(name)[lost:]])
    tally = tally_of(capture, keylog_of(name), next(iter(capture_of(name).parent.glob("*.keys"))))
    assert {told.reason for told in tally.differences} == reasons
    assert tally.explained == len(tally.differences)


@pytest.mark.peer("tshark")
def test_sessions_in_eap_are_left_out(capsys):
    """tshark finds them too, but the frames of one side are no TCP stream."""
    folder = Path(__file__).parents[1] / "vectors" / "nested"
    assert main(["crosscheck", str(folder / "wpa-supplicant-hostapd.pcap")]) == 0
    assert "4 sessions in EAP were not compared" in capsys.readouterr().err
