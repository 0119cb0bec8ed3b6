"""Long sessions and large uploads, by their limits and in sessions made by hand."""

from sessions_by_hand import APPLICATION_DATA, CHANGE_CIPHER_SPEC, CLIENT, SERVER, START, Hand, client_hello, server_hello

from analyzer.analysis.data_volume import LARGE_UPLOAD_BYTES, LONG_SESSION_NS, volume
from analyzer.analysis.session_findings import session_findings


def codes(duration: int, sent: int, received: int) -> list[str]:
    return [code for code, _, _ in volume(duration, sent, received)]


def test_the_limits():
    assert codes(LONG_SESSION_NS, 0, 0) == ["long_session"]
    assert codes(LONG_SESSION_NS - 1, 0, 0) == []
    assert codes(-1, LARGE_UPLOAD_BYTES, LARGE_UPLOAD_BYTES // 10) == ["large_upload"]
    assert codes(-1, LARGE_UPLOAD_BYTES, LARGE_UPLOAD_BYTES // 10 + 1) == []
    assert codes(-1, LARGE_UPLOAD_BYTES - 1, 0) == []


def session_of(uploader: int, seconds: int) -> list[str]:
    """The codes of a session in which one side sends 11 MiB, and which lasts so long."""
    hand = Hand()
    hand.handshake(CLIENT, client_hello())
    hand.handshake(SERVER, server_hello(suite=b"\xcc\xa8"))
    for role in (CLIENT, SERVER):
        hand.say(role, CHANGE_CIPHER_SPEC, b"\1")
    for _ in range(704):
        hand.say(uploader, APPLICATION_DATA, bytes(16384))
    hand.session.flow.closed = "fin"
    hand.session.finish(hand.frame, START + seconds * 1_000_000_000)
    return [finding.code for finding in session_findings(hand.session)]


def test_an_upload_is_reported_and_a_download_is_not():
    assert session_of(CLIENT, 60) == ["large_upload"]
    assert session_of(SERVER, 60) == []


def test_a_long_session_is_reported():
    assert session_of(SERVER, 3600) == ["long_session"]
    assert session_of(SERVER, 3599) == []
