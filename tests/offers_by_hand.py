"""Makes hellos for the rules about offers and answers: their bytes, decoded messages, and what a rule says of them."""

from collections.abc import Iterable
from typing import Any

from sessions_by_hand import RETRY_RANDOM, extension, message

from analyzer.tls.handshake.client_offer import Breach, ClientOffer, client_offer
from analyzer.tls.messages.hello import ClientHello, HelloRetryRequest, ServerHello

X25519, P256, P384 = b"\0\x1d", b"\0\x17", b"\0\x18"
AES, CHACHA, ECDHE_ECDSA, ECDHE_RSA = b"\x13\1", b"\x13\3", b"\xc0\x2b", b"\xc0\x2f"
EMPTY = b"\0\0"


def listed(content: bytes, width: int = 2) -> bytes:
    """Bytes after their length."""
    return len(content).to_bytes(width, "big") + content


def share(group: bytes, key: bytes = b"K" * 32) -> bytes:
    """An entry of a key share."""
    return group + listed(key)


def groups(*numbers: bytes) -> bytes:
    """The extension supported_groups."""
    return extension(10, listed(b"".join(numbers)))


def shares(*entries: bytes) -> bytes:
    """The extension key_share of a ClientHello."""
    return extension(51, listed(b"".join(entries)))


def alpn(*names: bytes) -> bytes:
    """The extension of ALPN, of either side."""
    return extension(16, listed(b"".join(listed(name, 1) for name in names)))


VERSIONS_13 = extension(43, listed(b"\3\4\3\3", 1))
CHOSEN_13 = extension(43, b"\3\4")
SCHEMES = extension(13, listed(b"\4\3\x08\4"))
POINTS = extension(11, listed(b"\0", 1))
GROUPS, SHARES = groups(X25519, P256), shares(share(X25519))
CHOSEN_SHARE = extension(51, share(X25519))
MODES = extension(45, b"\1\1")
KEYS = extension(41, listed(listed(b"ticket") + b"\0\0\0\1") + listed(listed(b"B" * 32, 1)))
CHOSEN_KEY = extension(41, b"\0\0")
COOKIE = extension(44, listed(b"cookie"))
ASKED = extension(51, P256)
GREASE_EXTENSION = extension(0x2A2A, b"\0")


def hello(
    *extensions: bytes,
    suites: bytes = AES + CHACHA,
    session: bytes = b"session",
    compression: bytes = b"\0",
    version: bytes = b"\3\3",
    random: bytes = b"C" * 32,
) -> bytes:
    """A ClientHello."""
    head = version + random + listed(session, 1) + listed(suites) + listed(compression, 1)
    return message(1, head + listed(b"".join(extensions)))


def hello_13(*extensions: bytes, **others: Any) -> bytes:
    """A ClientHello of TLS 1.3 with one key share, of x25519. The extensions come behind its own."""
    return hello(VERSIONS_13, GROUPS, SCHEMES, SHARES, *extensions, **others)


def answer(
    *extensions: bytes,
    suite: bytes = AES,
    session: bytes = b"session",
    compression: bytes = b"\0",
    version: bytes = b"\3\3",
    random: bytes = b"S" * 32,
) -> bytes:
    """A ServerHello."""
    head = version + random + listed(session, 1) + suite + compression
    return message(2, head + listed(b"".join(extensions)))


def retry(*extensions: bytes, **others: Any) -> bytes:
    """A HelloRetryRequest."""
    return answer(CHOSEN_13, *extensions, random=RETRY_RANDOM, **others)


def read(table: Any, raw: bytes) -> Any:
    """A message decoded, which must be without a problem."""
    body, problems = table.read(raw[4:])
    assert problems == []
    return body


def offer_of(raw: bytes) -> ClientOffer:
    """What a ClientHello offers."""
    found = client_offer(read(ClientHello, raw))
    assert found is not None
    return found


def server_hello(raw: bytes) -> Any:
    """A ServerHello or HelloRetryRequest decoded."""
    return read(HelloRetryRequest if raw[6:38] == RETRY_RANDOM else ServerHello, raw)


def told(breaches: Iterable[Breach]) -> list[tuple[str, str]]:
    """Codes and details, without the rule at the end."""
    found = list(breaches)
    assert all(one.severity == "medium" and " (RFC " in one.detail for one in found)
    return [(one.code, one.detail.rpartition(" (RFC ")[0]) for one in found]
