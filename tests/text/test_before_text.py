"""What stood before TLS, as a line for people."""

from analyzer.analysis.preamble import entry
from analyzer.text.before_text import before_lines, before_text


def test_each_protocol_has_a_line():
    proxy = entry(
        "proxy",
        version="1",
        client={"address": "203.0.113.77", "port": 55555},
        server={"address": "2001:db8::1", "port": 443},
    )
    socks = entry("socks", version="5", target={"host": "a.test", "port": 443}, user="me", status=0)
    mail = entry("smtp", client_name="pc.test", server_name="mx.test", details={"command": "STARTTLS"})
    other = entry("unknown", bytes={"client": 1, "server": 20})
    assert before_lines([proxy, socks, mail, other]) == [
        "PROXY 1: real client 203.0.113.77:55555, to [2001:db8::1]:443",
        "SOCKS 5: to a.test:443, user me, answer 0",
        "SMTP: client pc.test, server mx.test, command STARTTLS",
        "unknown: 1 byte of the client, 20 bytes of the server",
    ]
    assert before_text([mail, other]).count("; ") == 1
    assert before_text([entry("postgresql")]) == "PostgreSQL"


def test_nothing_before_and_not_known():
    assert before_text([]) == before_text(None) == ""
