"""Dialogues in lines: the protocol, the names of hosts, and nothing that can be a password."""

import json

import pytest

from analyzer.analysis.line_dialogues import line_dialogue, xmpp


@pytest.mark.parametrize(
    ("client", "server", "protocol", "client_name", "server_name"),
    [
        (b"EHLO pc.test\r\nSTARTTLS\r\n", b"220 mx.a.test ESMTP\r\n250 x\r\n220 go\r\n", "smtp", "pc.test", "mx.a.test"),
        (b"LHLO pc.test\r\nSTARTTLS\r\n", b"220 mx.a.test LMTP\r\n220 go\r\n", "lmtp", "pc.test", "mx.a.test"),
        (b"STARTTLS\r\n", b"220 mx.a.test ESMTP\r\n220 go\r\n", "smtp", None, "mx.a.test"),
        (b"a1 STARTTLS\r\n", b"* OK [CAPABILITY IMAP4rev1] imap.a.test ready\r\na1 OK\r\n", "imap", None, "imap.a.test"),
        (b"CAPA\r\nSTLS\r\n", b"+OK ready <12.34@pop.a.test>\r\n+OK\r\n", "pop3", None, "pop.a.test"),
        (b"AUTH TLS\r\n", b"220 ftp.a.test FTP\r\n234 ok\r\n", "ftp", None, "ftp.a.test"),
        (b"AUTH SSL\r\n", b"220 \r\n234 ok\r\n", "ftp", None, None),
        (b"STARTTLS\r\n", b"200 news.a.test ready\r\n382 go\r\n", "nntp", None, "news.a.test"),
        (b"STARTTLS\r\n", b'"IMPLEMENTATION" "x"\r\nOK\r\nOK\r\n', "sieve", None, None),
        (b"STARTTLS\r\n", b":irc.a.test 670 x :go\r\n", "irc", None, "irc.a.test"),
        (b"NICK me\r\nSTARTTLS\r\n", b"", "irc", None, None),
    ],
)
def test_who_spoke(client, server, protocol, client_name, server_name):
    found, n, back = line_dialogue(client, server)
    assert (found["protocol"], n, back) == (protocol, len(client), len(server))
    assert (found["client_name"], found["server_name"]) == (client_name, server_name)


def test_passwords_are_not_kept():
    client = b"EHLO pc.test\r\nAUTH PLAIN c2VjcmV0\r\nSTARTTLS\r\n"
    assert "c2VjcmV0" not in json.dumps(line_dialogue(client, b"220 a.test x\r\n")[0])
    assert line_dialogue(b"EHLO pc.test\r\nAUTH PLAIN c2VjcmV0\r\n", b"220 a.test x\r\n") is None


@pytest.mark.parametrize("client", [b"", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01", b"QUIT\r\n", b"AUTH LOGIN\r\n"])
def test_what_asks_for_no_tls(client):
    assert line_dialogue(client, b"220 a.test\r\n") is None


def test_xmpp():
    client = b"<?xml version='1.0'?><stream:stream to='a.test' from=\"me@a.test\" xmlns='jabber:client'><starttls/>"
    found, n, _ = xmpp(client, b"<stream:stream from='a.test'><proceed/>")
    assert (found["server_name"], found["client_name"], n) == ("a.test", "me@a.test", len(client))
    assert xmpp(b"<stream:stream to='a.test'>", b"<features/>") is None
