"""Replaces addresses by pseudonyms, `host-1` and so on, in the order in which they first appear.

IPv4 (RFC 791), IPv6 in all its spellings (RFC 4291, RFC 5952; an IPv4-mapped address is the IPv4 address) and MAC addresses. An
address is found by its form, wherever it stands; its other forms (names for reverse DNS, RFC 1035 section 3.5 and RFC 3596;
hyphens as in `ip-192-0-2-1`; the bare bytes in hexadecimal) are found too: those only of an address that was seen plainly.
"""

import ipaddress
import re
from typing import Final

from analyzer.report.phrases import Phrases

_V4 = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?!\d|\.\d)")
_V6 = re.compile(r"(?<![0-9A-Za-z:.])(?=[0-9A-Fa-f:]*:[0-9A-Fa-f]*:)[0-9A-Fa-f:]{2,45}(?:\.\d{1,3}){0,3}(?![0-9A-Za-z:])")
_V6_ANYWHERE = re.compile(r"[0-9A-Fa-f:]{0,34}:(?:\d{1,3}\.){3}\d{1,3}(?!\d|\.\d)")
_MAC = re.compile(
    r"(?<![0-9A-Za-z:-])[0-9A-Fa-f]{2}(?:([:-])[0-9A-Fa-f]{2})(?:\1[0-9A-Fa-f]{2}){4}(?![0-9A-Za-z]|[:-][0-9A-Fa-f])"
)
_MAC_DOTTED = re.compile(r"(?<![0-9A-Za-z.])[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}(?![0-9A-Za-z.])")
_REVERSE_V4 = re.compile(r"(?<![\d.])((?:\d{1,3}\.){4})(?=in-addr\.arpa)", re.IGNORECASE)
_REVERSE_V6 = re.compile(r"(?<![0-9A-Za-z.])((?:[0-9a-f]\.){32})(?=ip6\.arpa)", re.IGNORECASE)
_JOINED = re.compile(r"(?<!\d)(\d{1,3})([-_])(\d{1,3})\2(\d{1,3})\2(\d{1,3})(?!\d)")
_HEX = re.compile(r"(?<![0-9A-Za-z])(?:0x)?([0-9A-Fa-f]{8}|[0-9A-Fa-f]{12}|[0-9A-Fa-f]{32})(?![0-9A-Za-z])")
_OBJECT_IDENTIFIERS: Final = ("2.5.4.", "2.5.29.")
"""Numbers of X.520 attributes and X.509 extensions look like IPv4 addresses. In texts on certificates they stay."""


class AddressPseudonyms:
    """The pseudonyms of the addresses that were seen so far."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}
        """Canonical text of the address, and its pseudonym."""
        self._packed: dict[str, str] = {}
        """The same, by the bytes of the address in hexadecimal."""
        self._phrases = Phrases()
        """The same, by each text in which an address was seen: it is found where something clings to it."""

    def __len__(self) -> int:
        return len(self._known)

    def pseudonym(self, address: str) -> str | None:
        """Return the pseudonym of an address in any spelling, without port; None if the text is no address."""
        try:
            parsed = ipaddress.ip_address(
                _without_zeros(address) if address.count(".") == 3 and ":" not in address else address
            )
        except ValueError:
            return None
        if isinstance(parsed, ipaddress.IPv6Address):
            parsed = parsed.ipv4_mapped or ipaddress.IPv6Address(int(parsed))  # without its zone
        known = self._give(str(parsed), parsed.packed)
        self._phrases.add(address, known)
        return known

    def replace(self, text: str, about_certificates: bool = False) -> str:
        """Return the text with pseudonyms. about_certificates: leave object identifiers of X.500, see `_OBJECT_IDENTIFIERS`."""
        if "." in text or ":" in text or "-" in text:
            if ".arpa" in text.lower():
                text = _REVERSE_V4.sub(lambda found: self._reversed_v4(found[1]), text)
                text = _REVERSE_V6.sub(lambda found: self._reversed_v6(found[1]), text)
            if ":" in text or "-" in text:
                text = _MAC.sub(lambda found: self._mac(found[0]), text)
                if ":" in text:
                    text = _V6_ANYWHERE.sub(self._address, text)
                    text = _V6.sub(self._address, text)
            if "." in text:
                text = _MAC_DOTTED.sub(lambda found: self._mac(found[0]), text)
                text = _V4.sub(lambda found: self._v4(found[0], about_certificates), text)
        if self._known:
            text = _JOINED.sub(self._joined, text)
            text = _HEX.sub(lambda found: self._packed.get(found[1].lower(), found[0]), text)
            text = self._phrases.replace(text)
        return text

    def _give(self, canonical: str, packed: bytes) -> str:
        known = self._known.get(canonical)
        if known is None:
            known = f"host-{len(self._known) + 1}"
            self._known[canonical] = known
            if any(packed):
                self._packed[packed.hex()] = known
        return known

    def _address(self, found: re.Match[str]) -> str:
        text = found[0]
        if text == "::":
            return text
        known = self.pseudonym(text)
        if known is not None:
            return known
        address, colon, port = text.rpartition(":")  # a colon of the sentence, or a port without the brackets of RFC 3986
        known = self.pseudonym(address) if not port or port.isdecimal() else None
        return text if known is None else f"{known}{colon}{port}"

    def _v4(self, text: str, about_certificates: bool) -> str:
        if about_certificates and text.startswith(_OBJECT_IDENTIFIERS) and text not in self._known:
            return text
        known = self.pseudonym(text)
        return text if known is None else known

    def _mac(self, text: str) -> str:
        digits = re.sub("[^0-9a-f]", "", text.lower())
        return self._give(":".join(digits[at : at + 2] for at in range(0, 12, 2)), bytes.fromhex(digits))

    def _reversed_v4(self, text: str) -> str:
        known = self.pseudonym(".".join(reversed(text.rstrip(".").split("."))))
        return text if known is None else f"{known}."

    def _reversed_v6(self, text: str) -> str:
        digits = text.replace(".", "")[::-1]
        known = self.pseudonym(":".join(digits[at : at + 4] for at in range(0, 32, 4)))
        return text if known is None else f"{known}."

    def _joined(self, found: re.Match[str]) -> str:
        address = _without_zeros(".".join((found[1], found[3], found[4], found[5])))
        return self._known.get(address, found[0])


def _without_zeros(address: str) -> str:
    return ".".join(part.lstrip("0") or "0" for part in address.split("."))
