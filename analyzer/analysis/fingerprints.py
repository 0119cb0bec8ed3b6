"""Computes fingerprints of a hello: JA3, JA3S and JA4.

JA3 (github.com/salesforce/ja3) is the MD5 of a ClientHello's numbers, in decimal and in wire order: version, cipher suites,
extensions, groups, point formats. JA3S is the MD5 of a ServerHello's version, cipher suite and extensions.

JA4 (github.com/FoxIO-LLC/ja4, technical_details/JA4.md) is a readable prefix and two truncated SHA-256 hashes of sorted lists.
A client that shuffles its extensions therefore keeps the same JA4. GREASE values (RFC 8701) are left out of all three.

A list of uint16 values is a tuple of numbers, or the `bytes` from the wire. A client sends the same values in every session, so
results are cached by their arguments. A client with random GREASE and shuffled extensions misses this cache; for it, the
results of the unchanged parts are cached.
"""

from collections.abc import Callable
from functools import lru_cache
from hashlib import md5, sha256
from struct import unpack_from
from typing import TypeAlias, TypeVar

Numbers: TypeAlias = bytes | tuple[int, ...]
"""uint16 values in wire order: a tuple of numbers, or the bytes from the wire, two for each value."""

GREASE = frozenset(range(0x0A0A, 0x10000, 0x1010))

REMEMBERED = 4096
"""Maximum number of results that each function caches: more than the kinds of clients on one busy link."""

REMEMBERED_LENGTH = 512
"""Maximum length of cached arguments, in elements. Browsers send about 100; a hello may hold 32767, which could fill the
memory."""

_EMPTY = "000000000000"
_IN_PREFIX = (0, 16)
"""server_name and application_layer_protocol_negotiation. They are in the prefix; without them the hash is the same for all
servers."""
_VERSION_CODES = {
    0x0304: "13",
    0x0303: "12",
    0x0302: "11",
    0x0301: "10",
    0x0300: "s3",
    0x0002: "s2",
    0xFEFF: "d1",
    0xFEFD: "d2",
    0xFEFC: "d3",
}


def ja3(version: int, cipher_suites: Numbers, extensions: Numbers, groups: Numbers, point_formats: Numbers) -> str:
    """Return the JA3 of a ClientHello, 32 hex digits.

    version: `legacy_version`. extensions: their types. point_formats: in `bytes`, one byte for each value. A field that the
    hello does not have is empty.
    """
    if len(cipher_suites) + len(extensions) + len(groups) + len(point_formats) > REMEMBERED_LENGTH:
        return _ja3(version, cipher_suites, extensions, groups, point_formats)
    return _ja3_remembered(version, cipher_suites, extensions, groups, point_formats)


def ja3s(version: int, cipher_suite: int, extensions: Numbers) -> str:
    """Return the JA3S of a ServerHello, 32 hex digits. version: `legacy_version`; extensions: their types."""
    if len(extensions) > REMEMBERED_LENGTH:
        return _ja3s(version, cipher_suite, extensions)
    return _ja3s_remembered(version, cipher_suite, extensions)


def ja4(
    transport: str,
    version: int,
    has_server_name: bool,
    cipher_suites: Numbers,
    extensions: Numbers,
    first_alpn: bytes | None,
    signature_algorithms: Numbers,
) -> str:
    """Return the JA4 of a ClientHello, such as `t13d1516h2_8daaf6152771_e5627efa2ab1`.

    transport: `t` for TLS over TCP, `q` for QUIC, `d` for DTLS. version: the result of `highest_version`. has_server_name:
    whether the hello has a server_name extension. extensions: their types. first_alpn: the first protocol name offered; None if
    there is none.
    """
    if len(cipher_suites) + len(extensions) + len(signature_algorithms) > REMEMBERED_LENGTH:
        return _ja4(transport, version, has_server_name, cipher_suites, extensions, first_alpn, signature_algorithms)
    return _ja4_remembered(transport, version, has_server_name, cipher_suites, extensions, first_alpn, signature_algorithms)


def ja3_text(version: int, cipher_suites: Numbers, extensions: Numbers, groups: Numbers, point_formats: Numbers) -> str:
    """Return the text of which JA3 is the hash. The arguments are those of `ja3`."""
    return f"{version},{_decimal(cipher_suites)},{_decimal(extensions)},{_decimal(groups)},{'-'.join(map(str, point_formats))}"


def ja3s_text(version: int, cipher_suite: int, extensions: Numbers) -> str:
    """Return the text of which JA3S is the hash. The arguments are those of `ja3s`."""
    return f"{version},{cipher_suite},{_decimal(extensions)}"


def ja4_text(fingerprint: str, cipher_suites: Numbers, extensions: Numbers, signature_algorithms: Numbers) -> str:
    """Return JA4_r, which has the lists in place of their hashes. fingerprint: the JA4; the rest are arguments of `ja4`."""
    suites = sorted([number for number in _numbers(cipher_suites) if number not in GREASE])
    types = sorted([number for number in _numbers(extensions) if number not in GREASE and number not in _IN_PREFIX])
    parts = [fingerprint.partition("_")[0], _hex(tuple(suites)), _hex(tuple(types)), _hex(signature_algorithms)]
    return "_".join(parts if parts[3] else parts[:3])


def highest_version(legacy_version: int, supported_versions: Numbers) -> int:
    """Return the version that JA4 names: the highest number in supported_versions that is not GREASE, else `legacy_version`.

    The specification compares numbers. Therefore a DTLS 1.3 client that still offers DTLS 1.2 (0xfefd > 0xfefc) counts as
    DTLS 1.2.
    """
    return max((number for number in _numbers(supported_versions) if number not in GREASE), default=legacy_version)


def _ja3(version: int, cipher_suites: Numbers, extensions: Numbers, groups: Numbers, point_formats: Numbers) -> str:
    text = ja3_text(version, cipher_suites, extensions, groups, point_formats)
    return md5(text.encode(), usedforsecurity=False).hexdigest()


def _ja3s(version: int, cipher_suite: int, extensions: Numbers) -> str:
    text = ja3s_text(version, cipher_suite, extensions)
    return md5(text.encode(), usedforsecurity=False).hexdigest()


def _ja4(
    transport: str,
    version: int,
    has_server_name: bool,
    cipher_suites: Numbers,
    extensions: Numbers,
    first_alpn: bytes | None,
    signature_algorithms: Numbers,
) -> str:
    n_ciphers, ciphers_hash = _ciphers(cipher_suites)
    types = [number for number in _numbers(extensions) if number not in GREASE]
    hashed = _hex(tuple(sorted([number for number in types if number not in _IN_PREFIX])))
    if hashed and (algorithms := _hex(signature_algorithms)):
        hashed += "_" + algorithms
    return (
        f"{transport}{_VERSION_CODES.get(version, '00')}{'d' if has_server_name else 'i'}"
        f"{min(n_ciphers, 99):02}{min(len(types), 99):02}{_alpn_ends(first_alpn)}_{ciphers_hash}_{_hash(hashed)}"
    )


def _alpn_ends(name: bytes | None) -> str:
    """Return the first and last character of a protocol name, or of its hex digits if one of them is not alphanumeric."""
    if not name:
        return "00"
    ends = name[:1] + name[-1:]
    if ends.isalnum():  # on bytes: true for ASCII letters and digits only
        return ends.decode("ascii")
    return f"{name[0]:02x}"[0] + f"{name[-1]:02x}"[1]


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:12] if text else _EMPTY


def _numbers(numbers: Numbers) -> tuple[int, ...]:
    """Return the numbers; a single byte left at the end of `bytes` is ignored."""
    if isinstance(numbers, bytes):
        return unpack_from(f">{len(numbers) // 2}H", numbers)
    return numbers


_Result = TypeVar("_Result")


def _remembered(function: Callable[[Numbers], _Result]) -> Callable[[Numbers], _Result]:
    """Wrap a function of one list in a cache for short lists."""
    short = lru_cache(maxsize=REMEMBERED)(function)

    def choose(numbers: Numbers) -> _Result:
        return short(numbers) if len(numbers) <= REMEMBERED_LENGTH else function(numbers)

    return choose


@_remembered
def _decimal(numbers: Numbers) -> str:
    """Return the numbers joined as in JA3."""
    return "-".join([str(number) for number in _numbers(numbers) if number not in GREASE])


@_remembered
def _hex(numbers: Numbers) -> str:
    """Return the numbers joined as in JA4, in the given order."""
    return ",".join([f"{number:04x}" for number in _numbers(numbers) if number not in GREASE])


@_remembered
def _ciphers(cipher_suites: Numbers) -> tuple[int, str]:
    """Return the number of cipher suites, and JA4's hash of them."""
    counted = sorted([number for number in _numbers(cipher_suites) if number not in GREASE])
    return len(counted), _hash(",".join([f"{number:04x}" for number in counted]))


_ja3_remembered = lru_cache(maxsize=REMEMBERED)(_ja3)
_ja3s_remembered = lru_cache(maxsize=REMEMBERED)(_ja3s)
_ja4_remembered = lru_cache(maxsize=REMEMBERED)(_ja4)
