"""A capture, and facts of a report, in which every text that a stranger can choose is hostile."""

from typing import Any

from conversations import packetise, pcap
from cryptography import x509
from flights import flights
from hierarchy import make

MARKUP = (
    "<script>window.ran=1</script>",
    "\"><img src=x onerror='window.ran=1'>",
    "</style></title></textarea><svg onload=window.ran=1>",
    "javascript:window.ran=1//",
    "{{7*7}}{% raw %}${window.ran=1}",
    "]]><iframe srcdoc='<script>parent.ran=1</script>'>",
    "<link rel=stylesheet href=http://request.invalid/a.css><base href=http://request.invalid/>",
    "<meta http-equiv=refresh content='0;url=http://request.invalid/'>",
)
MARKDOWN = (
    "![a](http://request.invalid/a.png) [b](javascript:alert(1)) <http://request.invalid>",
    "a|b|c\\|d\\\\|e",
    "``` ` `` https://request.invalid www.request.invalid @octocat #1 GH-1 :smile:",
    "# heading\n- list\n> quote\n\n| a | b |",
    "$\\unicode{x}$ ***a*** ~~b~~ [^1]",
)
DECEIVING = (
    "\x1b]0;owned\x07\x1b[2Jwww.example",
    "moc.live\u202e\u200b\u2028www",
    "www.\u0430\u0440\u0440\u04cf\u0435.com",
    "xn--80ak6aa92e.com",
    "Z" + "\u0300" * 300,
    "\u05d0\u05d1\u05d2 /gpj.exe",
    "\ud7ff\ufffe\U000e0041\x00",
)
FORMULAS = ('=HYPERLINK("http://request.invalid","a")', "+1-2", "@SUM(1)", "-1+1", "\t=1")
GIANT = "A" * 100_000
LONGEST_NAME = 64
"""Bytes of a common name (RFC 5280, ub-common-name)."""

HOSTILE = (*MARKUP, *MARKDOWN, *DECEIVING, *FORMULAS, GIANT)

_OURS = {
    "anchor", "at", "blake2b", "build", "check_result", "code", "date", "decryption", "first_seen", "first_time", "from",
    "issued_at", "kind", "last_seen",
    "language", "last", "first", "last_time", "level", "media_type", "not_after", "not_before", "opened", "reason",
    "resumption", "server_signature", "client_signature", "severity", "sha256", "sha256_after", "sha512", "source", "start",
    "start_time", "end_time", "status", "style", "time", "type", "verdict", "version", "redact", "roles",
}  # fmt: skip
"""Keys whose values this program chooses: times, hashes, codes and words of a registry."""

_WORDS = {"command", "explanation", "lines", "meaning", "reference", "refuted_by", "text", "title"}
"""Keys whose values are sentences of this program. They may be hostile by a mistake, and are never giant."""

_COUNTS = {"versions", "decryption", "reasons", "verdicts", "signatures", "series", "finished", "authenticity", "options"}


def poisoned(facts: Any, key: str = "", number: list[int] | None = None) -> Any:
    """Return a copy of the facts in which every text of a stranger is one of HOSTILE, one after the other."""
    number = [0] if number is None else number
    if isinstance(facts, dict):
        return {
            name: value if name in _COUNTS or (name in _OURS and isinstance(value, str)) else poisoned(value, name, number)
            for name, value in facts.items()
        }
    if isinstance(facts, list):
        return [poisoned(one, key, number) for one in facts]
    if isinstance(facts, str) and key not in _OURS:
        number[0] += 1
        texts = HOSTILE[:-1] if key in _WORDS else HOSTILE
        return texts[number[0] % len(texts)]
    return facts


def hostile_capture() -> bytes:
    """Return a capture with one session for each hostile text: as the name that is asked for, and in the certificate."""
    segments = []
    for number, text in enumerate(HOSTILE):
        printable = text.replace("\x00", "")
        while len(printable.encode()) > LONGEST_NAME:
            printable = printable[:-1]
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, printable)])
        ascii_only = x509.DNSName(printable.encode("ascii", "replace").decode())
        made = make("x", subject_name=subject, extensions=[(x509.SubjectAlternativeName([ascii_only]), False)])
        segments += packetise(flights([made.der], text[:20_000]), ports=(40_000 + number, 443))
    return pcap(segments)
