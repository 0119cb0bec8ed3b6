"""Reads dialogues in lines of text that change to TLS: mail, news, FTP, IRC, ManageSieve, and the XML streams of XMPP.

SMTP and LMTP (RFC 3207), IMAP and POP3 (RFC 2595), FTP (RFC 4217), NNTP (RFC 4642), ManageSieve (RFC 5804), IRC (IRCv3 tls),
XMPP (RFC 6120 section 5). The command of the client names the protocol; names of hosts are in greetings and in EHLO. Whatever
else was said is not kept, because it can be a password.
"""

import re

from analyzer.analysis.preamble import Read, entry, text

MOST_LINES = 256
"""Lines of each side that are looked at."""

_GREETING = re.compile(rb"^220[ -](?P<host>[A-Za-z0-9][A-Za-z0-9._-]*)")
_EHLO = re.compile(rb"^(?P<verb>EHLO|HELO|LHLO)\s+(?P<name>\S{1,255})", re.IGNORECASE)
_SERVED = re.compile(rb"^(?:\* OK|\+OK|20[01]|\"IMPLEMENTATION\")", re.IGNORECASE)
_NAMED = re.compile(rb"(?:^|[\s\[(<@])(?P<host>[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,})\b")
_TO = re.compile(rb"<(?:\w+:)?stream\b[^>]{0,1024}?\sto\s*=\s*['\"](?P<name>[^'\"<>]{1,255})['\"]")
_FROM = re.compile(rb"<(?:\w+:)?stream\b[^>]{0,1024}?\sfrom\s*=\s*['\"](?P<name>[^'\"<>]{1,255})['\"]")
_ASKS = re.compile(rb"^(?:(?:\S{1,64} )?STARTTLS|STLS|AUTH (?:TLS|SSL|TLS-C))[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_IRC_HOST = re.compile(rb"^:(?P<host>\S{1,255}) ")


def line_dialogue(client: bytes, server: bytes) -> Read | None:
    """Return the entry of a dialogue in lines, up to the command that asks for TLS."""
    n_behind = len(behind_command(client))
    client = client[: len(client) - n_behind]
    lines = [line.strip() for line in client.split(b"\n", MOST_LINES)[:MOST_LINES]]
    answers = [line.rstrip(b"\r") for line in server.split(b"\n", MOST_LINES)[:MOST_LINES]]
    words = [line.upper().split() for line in lines]
    command = next((word for word in reversed(words) if word), [])
    protocol = _protocol(words, command, answers[0])
    if protocol is None:
        return None
    found = entry(protocol)
    greeting = _GREETING.match(answers[0]) if protocol in ("smtp", "lmtp", "ftp") else None
    if greeting is not None and (protocol != "ftp" or b"." in greeting["host"]):
        found["server_name"] = text(greeting["host"])
    elif protocol in ("imap", "pop3", "nntp", "ftp") and (named := _NAMED.search(answers[0][:512])) is not None:
        found["server_name"] = text(named["host"])
    elif protocol == "irc":
        hosts = (_IRC_HOST.match(line) for line in answers)
        found["server_name"] = next((text(host["host"]) for host in hosts if host is not None), None)
    for line in lines:
        said = _EHLO.match(line)
        if said is not None:
            found["client_name"] = text(said["name"])
    found["details"] = {"command": text(b" ".join(command[:2]))}
    return found, len(client), len(server)


def behind_command(client: bytes) -> bytes:
    """Return what a client sent in plaintext behind its last command that asks for TLS: nothing, or what RFC 3207 forbids."""
    end = max((found.end() for found in _ASKS.finditer(client)), default=len(client))
    rest = client[end:].lstrip(b"\r\n")
    return rest if rest.strip() else b""


def _protocol(words: list[list[bytes]], command: list[bytes], greeting: bytes) -> str | None:
    """Return the protocol. words: those of each line of the client, in capitals; command: those of its last line."""
    verbs = {word[0] for word in words if word}
    if command == [b"STLS"]:
        return "pop3"
    if command[:1] == [b"AUTH"] and command[1:2] in ([b"TLS"], [b"SSL"], [b"TLS-C"]):
        return "ftp"
    if command[1:2] == [b"STARTTLS"]:
        return "imap"
    if command != [b"STARTTLS"]:
        return None
    if b"LHLO" in verbs:
        return "lmtp"
    if verbs & {b"EHLO", b"HELO"} or greeting.startswith(b"220"):
        return "smtp"
    if greeting.startswith((b"200", b"201")):
        return "nntp"
    if _SERVED.match(greeting):
        return "sieve"
    return "irc" if greeting.startswith(b":") or verbs & {b"NICK", b"USER", b"CAP"} else None


def xmpp(client: bytes, server: bytes) -> Read | None:
    """Return the entry of an XML stream of XMPP, with the host that the client asked for."""
    if b"<starttls" not in client and b"<proceed" not in server:
        return None
    asked, answered = _TO.search(client[:4096]), _FROM.search(server[:4096])
    if asked is None and answered is None:
        return None
    of_client = _FROM.search(client[:4096])
    return (
        entry(
            "xmpp",
            client_name=None if of_client is None else text(of_client["name"]),
            server_name=text(asked["name"]) if asked is not None else text(answered["name"]) if answered is not None else None,
            details={"command": "starttls"},
        ),
        len(client),
        len(server),
    )


LINE_READERS = (line_dialogue, xmpp)
