"""What becomes of connections that never become a session."""

from pathlib import Path

import pytest
from wire import CLIENT, SERVER, Wire, failure, play, short

from analyzer.analysis.service_traits import is_tls_port


def test_refused(tmp_path: Path):
    found = failure(tmp_path, Wire(port=22).syn().rst(SERVER))
    assert short(found) == ("failed", "server", "tcp", "connection_refused")
    assert found is not None
    assert found["frames"] == [1, 2]
    assert found["durations"]["tcp"] is None


def test_refused_again_and_again_is_one_failure(tmp_path: Path):
    found = failure(tmp_path, Wire().syn().rst(SERVER).wait(0.5).syn().rst(SERVER))
    assert short(found) == ("failed", "server", "tcp", "connection_refused")


def test_no_answer(tmp_path: Path):
    found = failure(tmp_path, Wire().syn().wait(1).syn().wait(2).syn())
    assert short(found) == ("abandoned", "nobody", "tcp", "no_answer")
    assert found is not None
    assert (found["certainty"], found["frames"]) == ("certain", [1, 3])


def test_one_syn_at_the_end_of_a_capture_is_no_failure(tmp_path: Path):
    assert failure(tmp_path, Wire().syn()) is None


def test_empty(tmp_path: Path):
    assert short(failure(tmp_path, Wire().open().close(SERVER))) == ("failed", "server", "tcp", "closed_without_alert")
    assert short(failure(tmp_path, Wire().open().rst(SERVER))) == ("failed", "server", "tcp", "reset_by_peer")
    assert short(failure(tmp_path, Wire().open().rst(SERVER, hops=30))) == ("failed", "between", "tcp", "reset_between")
    assert short(failure(tmp_path, Wire().open().close(CLIENT))) == ("abandoned", "client", "tcp", "closed_without_alert")
    assert short(failure(tmp_path, Wire().open().wait(60).close(SERVER))) == ("failed", "server", "tcp", "peer_silent")
    assert failure(tmp_path, Wire(port=22).open().close(SERVER)) is None, "TLS does not belong there"


def test_plaintext_on_a_port_for_tls(tmp_path: Path):
    request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    refused = b"HTTP/1.1 400 Bad Request\r\n\r\nThe plain HTTP request was sent to HTTPS port"
    found = failure(tmp_path, Wire().open().say(CLIENT, request).say(SERVER, refused).close(SERVER))
    assert short(found) == ("failed", "server", "before_tls", "client_speaks_no_tls")
    assert found is not None
    assert found["certainty"] == "certain"
    found = failure(tmp_path, Wire().open().say(CLIENT, request).close(SERVER))
    assert short(found) == ("failed", "server", "before_tls", "client_speaks_no_tls")
    good = b"HTTP/1.1 200 OK\r\n\r\n"
    assert failure(tmp_path, Wire().open().say(CLIENT, request).say(SERVER, good).close(SERVER)) is None


@pytest.mark.parametrize(
    ("port", "asks", "says", "cause"),
    [
        (3128, b"CONNECT a.test:443 HTTP/1.1\r\n\r\n", b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "proxy_refused"),
        (3128, b"CONNECT a.test:443 HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", None),
        (1080, b"\4\1\1\xbb\x0a\0\0\1me\0", b"\0\x5b\0\0\0\0\0\0", "proxy_refused"),
        (25, b"EHLO me\r\nSTARTTLS\r\n", b"454 TLS not available\r\n", "starttls_refused"),
        (143, b"a1 STARTTLS\r\n", b"a1 NO not now\r\n", "starttls_refused"),
        (110, b"STLS\r\n", b"-ERR no\r\n", "starttls_refused"),
        (5432, b"\0\0\0\x08\x04\xd2\x16\x2f", b"N", "starttls_refused"),
        (25, b"EHLO me\r\nQUIT\r\n", b"250 fine\r\n", None),
    ],
)
def test_refused_before_tls(tmp_path: Path, port: int, asks: bytes, says: bytes, cause: str | None):
    found = failure(tmp_path, Wire(port=port).open().say(CLIENT, asks).say(SERVER, says).close(CLIENT))
    if cause is None:
        assert found is None
    else:
        assert short(found) == ("failed", "server", "before_tls", cause)


@pytest.mark.parametrize("port", [443, 3128])
def test_the_last_answer_of_a_proxy_counts(tmp_path: Path, port: int):
    asked, granted = b"CONNECT a.test:443 HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"
    refused = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 2\r\n\r\nno"
    once = Wire(port=port).open().say(CLIENT, asked).say(SERVER, refused).say(CLIENT, asked)
    assert failure(tmp_path, once.say(SERVER, granted).close(CLIENT)) is None
    twice = Wire(port=port).open().say(CLIENT, asked).say(SERVER, refused).say(CLIENT, asked).say(SERVER, refused)
    assert short(failure(tmp_path, twice.close(CLIENT))) == ("failed", "server", "before_tls", "proxy_refused")
    page = Wire(port=port).open().say(CLIENT, b"GET / HTTP/1.1\r\n\r\n").say(SERVER, b"HTTP/1.1 204 No\r\n\r\n")
    found = failure(tmp_path, page.say(CLIENT, asked).say(SERVER, refused).close(CLIENT))
    assert short(found) == ("failed", "server", "before_tls", "proxy_refused")


def test_where_tls_was_spoken_it_is_expected(tmp_path: Path):
    from wire import hello

    spoken = Wire(port=12345).open().say(CLIENT, hello()).close(SERVER)
    empty = Wire(port=12345, source=50001, start=spoken.at + 10**9).open().close(SERVER)
    assert [one["session"] for one in play(tmp_path, spoken, empty)["failures"]] == [0, None]
    assert is_tls_port(443)
    assert is_tls_port(993)
    assert not is_tls_port(12345)
