"""Replaces the names of hosts and of certificates by pseudonyms, `name-1.invalid` and so on (RFC 2606: no such host exists).

A name is learned where a field says that it is one; from then on it is found in every text. With a host name its domain is
learned, its last two labels: `mail.example.org` in a text is replaced when `www.example.org` is known. A-labels and U-labels
(RFC 5890) are the same name.
"""

import ipaddress
import re
from typing import Final

from analyzer.report.phrases import Phrases, folded
from analyzer.text.escape import harmless

SHORTEST_VALUE: Final = 4
"""Fewest characters of a value of a distinguished name that is looked for in texts: `CA` is a word of every report."""

LABELS_MAX: Final = 127
"""Most labels of a name in DNS (RFC 1035); what has more is one name as a whole."""

_HOST = re.compile(r"(?:\*\.)?\w[\w-]*(?:\.\w[\w-]*)*")
_ASCII_HOST = re.compile(r"(?<![0-9A-Za-z_])(?:\*\.)?[0-9A-Za-z_][0-9A-Za-z_-]*(?:\.[0-9A-Za-z_][0-9A-Za-z_-]*)+")
_HOST_OF_URL = re.compile(r"(?<![:\w])(?:[A-Za-z][A-Za-z0-9+.-]*:)?//(?:[^/?#\s@\"'<>]*@)?([^/?#\s:\]\[\"'<>@,;]+)")
_LOCAL_PART = re.compile(r"(?<![\w.+-])[\w.+-]+@(?=(?:name-\d+\.invalid))")
_ATTRIBUTE = re.compile(r"(?<![^,+])([A-Za-z\d][\w.-]*)=((?:\\.|[^,+\\])*)", re.DOTALL)
_ESCAPED = re.compile(r"((?:\\[0-9A-Fa-f]{2})+)|\\(.)", re.DOTALL)
_PSEUDONYM = re.compile(r"name-\d+\.invalid|host-\d+")
_TOP_DOMAIN = re.compile(r"[^\W\d_]{2,63}|xn--[a-z0-9-]+")


class NamePseudonyms:
    """The pseudonyms of the names that were seen so far."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}
        self._domains: set[str] = set()
        self._phrases = Phrases("-")

    def __len__(self) -> int:
        return len(self._known)

    def host(self, name: str) -> str:
        """Return the pseudonym of a host name, and learn the name. An address, or an empty text, stays as it is."""
        star, rest = ("*.", name[2:]) if name.startswith("*.") else ("", name)
        canonical = _canonical(rest)
        if not canonical or _is_address(canonical):
            return name
        known = self._known.get(canonical)
        if known is None:
            known = self._give(canonical)
            domain = ".".join(canonical.split(".")[-2:])
            if "." in domain and not _PSEUDONYM.fullmatch(domain):
                self._domains.add(domain)
            if not _PSEUDONYM.fullmatch(canonical):  # else it would be found in what takes the place of other names
                for phrase in (rest, canonical, harmless(rest)):
                    self._phrases.add(phrase, known)
        return star + known

    def value(self, text: str) -> str:
        """Return the pseudonym of another name, such as that of an organization, and learn it."""
        canonical = _canonical(text)
        if not canonical or _is_address(canonical):
            return text
        if "." in canonical and _HOST.fullmatch(canonical.removeprefix("*.")):
            return self.host(text)
        known = self._known.get(canonical)
        if known is None:
            known = self._give(canonical)
            if len(canonical) >= SHORTEST_VALUE:
                for phrase in (text, harmless(text)):
                    self._phrases.add(phrase, known)
        return known

    def distinguished_name(self, text: str) -> str:
        """Return a distinguished name (RFC 4514) with a pseudonym for every value except of a country (C)."""
        parts = list(_ATTRIBUTE.finditer(text))
        if not parts or sum(len(part[0]) for part in parts) + len(parts) - 1 != len(text):
            return self.value(text)
        written = []
        for part in parts:
            value = _unescaped(part[2])
            if part[1].upper() != "C" and value:
                known = self.value(value)
                if part[2] != value and len(value) >= SHORTEST_VALUE:
                    self._phrases.add(part[2], known)
                value = known
            written.append(f"{part[1]}={value}")
        return ",".join(written)

    def alternative_name(self, text: str) -> str:
        """Return an entry of subject_alt_names with pseudonyms: a host name, `email:…`, `URI:…`, a distinguished name."""
        kind, colon, rest = text.partition(":")
        if not colon or not kind.isalpha():
            return self.replace(text) if "@" in text and self.host(text.rpartition("@")[2]) else self.host(text)
        if "//" in rest:
            return f"{kind}:{self.replace(self.learn_urls(rest))}"
        if "=" in rest:
            return f"{kind}:{self.distinguished_name(rest)}"
        local, at, domain = rest.rpartition("@")
        return f"{kind}:user@{self.host(domain)}" if at and local else f"{kind}:{self.host(rest)}"

    def learn_urls(self, text: str) -> str:
        """Learn the hosts of the URLs in a text, and return the text as it is."""
        if "//" in text:
            for found in _HOST_OF_URL.finditer(text):
                self.host(found[1])
        return text

    def learn_hosts(self, text: str) -> None:
        """Learn all that looks like a host name in a text that is made to hold some, as the field Forwarded of HTTP."""
        for found in _HOST.finditer(text):
            labels = found[0].split(".")
            if len(labels) > 1 and _TOP_DOMAIN.fullmatch(labels[-1].lower()):
                self.host(found[0])

    def replace(self, text: str) -> str:
        """Return the text with pseudonyms for all names that are known, and for names in the domains that are known."""
        if not self._known:
            return text
        changed = text
        if "." in text:
            changed = _HOST.sub(self._in_domain, text)
            if not changed.isascii():  # a name between letters of another script
                changed = _ASCII_HOST.sub(lambda one: one[0] if _PSEUDONYM.fullmatch(one[0]) else self._in_domain(one), changed)
        changed = self._phrases.replace(changed)
        return _LOCAL_PART.sub("user@", changed) if "@" in changed else changed

    def _give(self, canonical: str) -> str:
        known = f"name-{len(self._known) + 1}.invalid"
        self._known[canonical] = known
        return known

    def _in_domain(self, found: re.Match[str]) -> str:
        text = found[0]
        if "." not in text:
            return text
        star, rest = ("*.", text[2:]) if text.startswith("*.") else ("", text)
        canonical = _canonical(rest)
        known = self._known.get(canonical)
        if known is not None:
            return star + known
        labels = canonical.split(".")
        if len(labels) > LABELS_MAX:
            return text
        last = len(labels) - 1
        if any(f"{labels[at]}.{labels[at + 1]}" in self._domains for at in range(last)):
            return star + self.host(rest)
        return text


def _canonical(name: str) -> str:
    """Return a host name in lower case, with U-labels, and without the last dot. What is not printable is escaped."""
    lower = folded(harmless(name.strip())).removesuffix(".")
    if "xn--" not in lower:
        return lower
    return ".".join(_u_label(label) for label in lower.split("."))


def _u_label(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        return label[4:].encode("ascii").decode("punycode")
    except (UnicodeError, OverflowError):
        return label  # not an encoding of anything: a name all the same


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return False
    return True


def _unescaped(value: str) -> str:
    """Return a value of RFC 4514 without its escapes."""
    if "\\" not in value:
        return value
    return _ESCAPED.sub(_unescape, value)


def _unescape(found: re.Match[str]) -> str:
    return bytes.fromhex(found[1].replace("\\", "")).decode("utf-8", "backslashreplace") if found[1] else found[2]
