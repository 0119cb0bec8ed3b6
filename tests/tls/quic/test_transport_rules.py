"""What a whole connection must not do."""

import pytest
from aioquic.tls import CipherSuite
from quic_talks import CLIENT, SERVER, Talk, only, read_talk

from analyzer.secrets.quic_versions import VERSION_1
from analyzer.store.session_record import session_record
from analyzer.tls.quic import transport_rules
from analyzer.tls.quic.transport_facts import APPLICATION, TransportFacts
from analyzer.tls.quic.transport_rules import transport_problems
from analyzer.tls.suites import suite


@pytest.mark.parametrize(
    ("number", "limit"),
    [(0x1301, 1 << 23), (0x1302, 1 << 23), (0x1304, int(2**21.5)), (0x1303, None)],
    ids=["aes-128-gcm", "aes-256-gcm", "aes-128-ccm", "chacha20"],
)
def test_how_many_packets_a_key_may_seal(number: int, limit: int | None) -> None:
    facts = TransportFacts(VERSION_1, b"original")
    server = facts.sent[4 + APPLICATION]
    server.count = limit or 1 << 40
    assert list(transport_problems(facts, suite(number))) == []
    server.count += 1
    found = list(transport_problems(facts, suite(number)))
    if limit is None:
        assert found == []
    else:
        detail = f"the server has protected at least {limit + 1} packets with one key; {limit} are allowed"
        assert found == [("overused_key", detail)]
    assert list(transport_problems(facts, None)) == []


def test_each_key_is_counted_alone() -> None:
    facts = TransportFacts(VERSION_1, b"original")
    client = facts.sent[APPLICATION]
    for generation, packets in ((0, 10), (1, 30), (3, 20)):
        for _ in range(packets):
            client.count += 1
            if generation:
                facts.take_update(CLIENT, generation, client.count)
    assert (client.most, client.begun, client.with_one_key) == (30, 40, 30)
    client.count += 20
    assert client.with_one_key == 40


def test_a_connection_that_uses_a_key_too_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(transport_rules.CONFIDENTIALITY_LIMITS, "AES_128_GCM", 12)
    talk = Talk(suites=[CipherSuite.AES_128_GCM_SHA256]).connect()
    talk.say(CLIENT, 0, b"question").say(SERVER, 0, bytes(40000)).close()
    session = only(read_talk(talk.sent * 2, talk.keys))
    count = session.transport.n_packets(SERVER, APPLICATION)
    assert count > 12
    (finding,) = session_record(session, False)["findings"]
    assert finding["code"] == "overused_key"
    assert f"the server has protected at least {count} packets" in finding["detail"]
