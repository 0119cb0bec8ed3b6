"""Names for the numbers on the wire: one CSV file for each registry, one loader for all.

Every number that a protocol names is in `registries/NAME.csv`, as IANA (or another registration authority) lists it. The
columns are `value` in decimal or 0x hex, `name`, `recommended` (Y, N, D for discouraged, or empty: RFC 8447 and RFC 9847),
`reference` (items separated by spaces) and, if the registry has that column, `dtls_ok`. The sets of numbers are open: a number
without a name stays a number, and is written in hex with its width on the wire. Under RFC 8701, clients send numbers without a
meaning, so that servers continue to accept unknown numbers. Those have the name GREASE in every registry that reserves them.

A file is read when its registry is first requested, so start-up reads no file.
"""

import csv
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

DIRECTORY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "registries")

NAMES_REMEMBERED = 1 << 16
"""Texts of unknown numbers that a registry caches, at most: enough for a whole 16-bit field, and a limit for wider fields."""

_BITS = {
    "alpn_protocol_ids": 0,
    "certificate_compression_algorithms": 16,
    "cipher_suites": 16,
    "doq_error_codes": 0,
    "ether_types": 16,
    "extensions": 16,
    "hpke_aead_ids": 16,
    "hpke_kdf_ids": 16,
    "hpke_kem_ids": 16,
    "http2_error_codes": 32,
    "http2_settings": 16,
    "http3_error_codes": 0,
    "http3_frame_types": 0,
    "http3_settings": 0,
    "http3_stream_types": 0,
    "http_capsule_types": 0,
    "link_types": 0,
    "quic_frame_types": 0,
    "quic_transport_error_codes": 0,
    "quic_transport_parameters": 0,
    "quic_versions": 32,
    "services": 0,
    "signature_schemes": 16,
    "srtp_protection_profiles": 16,
    "ssl2_cipher_kinds": 24,
    "ssl2_error_codes": 16,
    "supplemental_data_formats": 16,
    "supported_groups": 16,
    "tls_kdf_ids": 16,
    "versions": 16,
}
"""Width in bits of the registries that do not have 8 bits.

0: the numbers have no fixed width, and are written with as many digits as they need.
"""

_OF_CODES = {
    "alert_meanings", "chain_problems", "crosscheck_reasons", "decryption_failures", "findings", "outcome_causes",
}  # fmt: skip
"""The files in the same directory that are not registries of numbers: see `codes`."""

_INSIDE = {"ssl2_cipher_kinds": "cipher_suites"}
"""Registries that share numbers with a narrower one.

A ClientHello in the form of SSL 2.0 lists TLS suites as cipher kinds whose first byte is 0 (RFC 5246 appendix E.2).
"""

_GREASE_16 = frozenset({"cipher_suites", "extensions", "signature_schemes", "supported_groups", "versions"})
_GREASE_31 = frozenset({"http3_error_codes", "http3_frame_types", "http3_settings", "http3_stream_types"})


@dataclass(frozen=True, slots=True)
class RegistryEntry:
    """One line of a registry. `recommended` is Y, N, D or empty. `dtls_ok` is None if the registry does not say."""

    number: int
    name: str
    recommended: str
    reference: str
    dtls_ok: bool | None


def is_grease(number: int) -> bool:
    """Return whether a 16-bit number is one of the sixteen in RFC 8701 section 2: 0x0a0a, 0x1a1a, and so on to 0xfafa."""
    return number & 0x0F0F == 0x0A0A and number >> 8 == number & 0xFF


class Names(dict[int, str]):
    """A dict from number to name. `names[number]` works for every number. It holds the registered names from the start."""

    __slots__ = ("_registry", "_room")

    def __init__(self, registry: "Registry", rows: dict[int, str]) -> None:
        super().__init__(rows)
        self._registry = registry
        self._room = len(rows) + NAMES_REMEMBERED

    def __missing__(self, number: int) -> str:
        name = self._registry.unregistered(number)
        if len(self) < self._room:
            self[number] = name
        return name


class Registry:
    """One registry, read from its file. Get it with `registry(name)`, which keeps one object for each name."""

    __slots__ = ("_names", "_numbers", "_rows", "bits", "title")

    def __init__(self, title: str, path: str) -> None:
        """Read the CSV file at `path`. Raise ValueError, with the line number, if a line has a wrong number of cells."""
        self.title = title
        self.bits = _BITS.get(title, 8)
        self._rows: dict[int, list[str]] = {}
        with open(path, encoding="utf-8", newline="") as file:
            lines = csv.reader(file)
            columns = next(lines)
            for cells in lines:
                if len(cells) != len(columns):
                    raise ValueError(f"{path}:{lines.line_num}: {len(cells)} cells, not {len(columns)}")
                self._rows[int(cells[0], 0)] = cells
        self._names = Names(self, {number: cells[1] for number, cells in self._rows.items()})
        # In reverse order: if several numbers have the same name (a protocol on many ports), the first number wins.
        self._numbers = {cells[1]: number for number, cells in reversed(self._rows.items())}

    @property
    def names(self) -> Names:
        """A dict with a name for every number. This is the fast way to get names."""
        return self._names

    def name(self, number: int) -> str:
        """Return the registered name, or `GREASE 0x2a2a` if the number is reserved so, or hex with the registry's width."""
        return self._names[number]

    def number(self, name: str) -> int:
        """Return the number with this name, the first one if several have it.

        The texts that `name()` returns for unregistered numbers are accepted too. Raise KeyError, with the name and the
        registry, if there is no such number.
        """
        found = self._numbers.get(name)
        if found is not None:
            return found
        if self.title in _INSIDE and name in (inside := registry(_INSIDE[self.title]))._numbers:
            return inside._numbers[name]
        digits = name.removeprefix("GREASE ")
        if digits.startswith("0x"):
            try:
                number = int(digits, 16)
            except ValueError:
                number = -1
            if number >= 0 and number not in self._rows and self.unregistered(number) == name:
                return number
        raise KeyError(f"no {name!r} in the registry {self.title}")

    def known(self, number: int) -> bool:
        """Return whether the registry has a name for the number. GREASE numbers are not known."""
        return number in self._rows

    def entry(self, number: int) -> RegistryEntry:
        """Return the whole line of a number. Raise KeyError, with the number, if it is not registered."""
        try:
            cells = self._rows[number]
        except KeyError:
            raise KeyError(f"no {self._names[number]} in the registry {self.title}") from None
        dtls_ok = {"Y": True, "N": False, "": None}[cells[4]] if len(cells) > 4 else None
        return RegistryEntry(number, cells[1], cells[2], cells[3], dtls_ok)

    def is_grease(self, number: int) -> bool:
        """Return whether this registry reserves the number for greasing.

        RFC 8701; RFC 9000 sections 15 and 18.1; RFC 9114 section 7.2.8.
        """
        if self.title in _GREASE_16:
            return is_grease(number)
        if self.title in _GREASE_31:
            return number % 31 == 2 and number >= 33
        if self.title == "quic_transport_parameters":
            return number % 31 == 27
        if self.title == "psk_key_exchange_modes":
            return number % 31 == 11
        if self.title == "quic_versions":
            return number & 0x0F0F0F0F == 0x0A0A0A0A
        return self.title == "alpn_protocol_ids" and number <= 0xFFFF and is_grease(number)

    def unregistered(self, number: int) -> str:
        """Return the text for a number that is not in this registry: `0x1a2b`, or `GREASE 0x2a2a`.

        It is the name of a narrower registry where both share their numbers: TLS suites among the cipher kinds of SSL 2.0.
        """
        if self.title in _INSIDE and (inside := registry(_INSIDE[self.title])).known(number):
            return inside.name(number)
        digits = f"0x{number:0{self.bits // 4 or 2}x}"
        return f"GREASE {digits}" if self.is_grease(number) else digits

    def __iter__(self) -> Iterator[int]:
        """Iterate over the registered numbers, in the order of the file."""
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)


@cache
def registry(name: str) -> Registry:
    """Return the registry with this name, such as `cipher_suites`, always the same object. Raise KeyError if there is none."""
    path = os.path.join(DIRECTORY, name + ".csv")
    if not name.isidentifier() or not os.path.exists(path):
        raise KeyError(f"no registry named {name!r}")
    return Registry(name, path)


def registries() -> list[str]:
    """Return the names of all registries of numbers, sorted."""
    names = {file.removesuffix(".csv") for file in os.listdir(DIRECTORY) if file.endswith(".csv")}
    return sorted(names - _OF_CODES)
