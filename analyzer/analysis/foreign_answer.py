"""Names the protocol that begins with some bytes, where TLS was expected: HTTP, mail, SSH, databases and others.

The first bytes of a connection nearly always tell its protocol, because servers greet with a fixed word, and requests have a
fixed form (RFC 9112 sections 3 and 4, RFC 5321 section 4.2, RFC 9051 section 7.1, RFC 4253 section 4.2).
"""

import re

SHOWN = 60
"""Bytes of the first line that are shown."""

_BEGINNINGS = (
    (re.compile(rb"HTTP/\d"), "HTTP"),
    (re.compile(rb"[A-Z]{3,16} \S+ HTTP/1\.[01]\r?\n"), "HTTP"),
    (re.compile(rb"(?:GET|POST|PUT|HEAD|OPTIONS|DELETE|PATCH|CONNECT|TRACE) \S"), "HTTP"),
    (re.compile(rb"PRI \* HTTP/2"), "HTTP/2"),
    (re.compile(rb"<!DOCTYPE|<html", re.IGNORECASE), "HTML"),
    (re.compile(rb"SSH-\d"), "SSH"),
    (re.compile(rb"RFB \d{3}\."), "VNC"),
    (re.compile(rb"\+OK|-ERR"), "POP3"),
    (re.compile(rb"\* (?:OK|BYE|BAD|PREAUTH)\b|\S{1,16} (?:BAD|NO) "), "IMAP"),
    (re.compile(rb"(?:220|221|421|451|500|501|502|503|530|554)[ -].*(?:SMTP|ESMTP|mail|command)", re.IGNORECASE), "SMTP"),
    (re.compile(rb"(?:220|421|500|501|503|530)[ -].*FTP", re.IGNORECASE), "FTP"),
    (re.compile(rb"(?:EHLO|HELO|LHLO) \S", re.IGNORECASE), "SMTP"),
    (re.compile(rb"[2-5]\d\d[ -]"), "a dialogue in lines, such as SMTP or FTP"),
    (re.compile(rb"<\?xml|<stream:"), "XMPP"),
    (re.compile(rb"RTSP/\d"), "RTSP"),
    (re.compile(rb"SIP/\d"), "SIP"),
    (re.compile(rb".{3}\x00[\x09\x0a]\d+\.\d+", re.DOTALL), "MySQL"),
    (re.compile(rb"[\x05\x04][\x01-\x09\x5a]"), "SOCKS"),
    (re.compile(rb"\xff[\xfb-\xfe]"), "Telnet"),
    (re.compile(rb"PROXY (?:TCP|UNKNOWN)|\r\n\r\n\x00\r\nQUIT\n"), "the PROXY protocol"),
    (re.compile(rb"-(?:ERR|NOAUTH|DENIED)"), "Redis"),
)


def protocol_of(data: bytes) -> str | None:
    """Return the name of the protocol that begins with these bytes; None if it is not known."""
    return next((name for form, name in _BEGINNINGS if form.match(data)), None)


def http_status(data: bytes) -> int | None:
    """Return the status of an HTTP response that begins with these bytes; None for something else."""
    found = re.match(rb"HTTP/\d(?:\.\d)? (\d{3})", data)
    return None if found is None else int(found[1])


def excerpt(data: bytes) -> str:
    """Return the first line of bytes from the wire, shortened, with escapes for what is not printable ASCII."""
    line = data.split(b"\r\n", 1)[0].split(b"\n", 1)[0][:SHOWN]
    text = ascii(line.decode("latin-1"))[1:-1]
    return text.replace('"', "'")
