"""The findings about whole sessions: the same with and without kept fields, and shared only where the facts are the same."""

import orjson
import pytest
from conversations import Tap, packetise, read_sessions
from sessions_by_hand import CLIENT, NAMES, SERVER, Hand, capture_of, client_hello, keylog_of, server_hello
from talks import converse

from analyzer.analysis.session_findings import session_findings
from analyzer.capture.capture_reader import CaptureReader
from analyzer.engine import Engine
from analyzer.store.chain_verdicts import default_chains
from analyzer.store.session_json import session_json
from analyzer.store.session_record import session_record


@pytest.mark.parametrize("name", NAMES)
def test_the_findings_do_not_depend_on_who_reads_them(name: str):
    path = str(capture_of(name))
    kept = read_sessions(CaptureReader([path]), Engine(keylog=keylog_of(name)))
    light = read_sessions(CaptureReader([path]), Engine(keylog=keylog_of(name), fields=False))
    chains = default_chains()
    for one, other in zip(kept, light, strict=True):
        findings = session_record(one, False)["findings"]
        assert session_record(other, False)["findings"] == findings
        assert orjson.loads(session_json(other, False, chains))["findings"] == findings


def test_equal_hellos_to_two_ports_have_each_their_own_findings():
    flights = converse("TLSv1_2").flights
    found = []
    for port in (443, 4444, 443):
        tap = Tap()
        tap.feed(*packetise(flights, ports=(50000, port)))
        found.append({finding["code"] for finding in tap.records()[0]["findings"]})
    assert found == [{"self_signed_service"}, {"self_signed_service", "unusual_port"}, {"self_signed_service"}]


def test_a_session_without_an_answer_has_no_finding():
    hand = Hand()
    hand.handshake(CLIENT, client_hello())
    hand.end()
    assert session_findings(hand.session) == []


def test_a_session_without_a_client_hello_is_read_by_its_answer():
    hand = Hand(mid_stream=True)
    hand.handshake(SERVER, server_hello(suite=b"\xc0\x11"))
    hand.end()
    assert [one.code for one in session_findings(hand.session)] == ["rc4"]
