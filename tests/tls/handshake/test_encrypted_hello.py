"""Inner hellos from outer ones: those of Go's endpoints, and the rules to rebuild an encoded hello."""

import contextlib
from functools import cache
from pathlib import Path

import pytest
from conversations import read_sessions

from analyzer.capture.capture_reader import CaptureReader
from analyzer.engine import Engine
from analyzer.secrets.decryption_error import MALFORMED, WRONG_SECRET, DecryptionError
from analyzer.secrets.keylog import KeyLog
from analyzer.tls.handshake import encrypted_hello as ech

CAPTURES = Path(__file__).resolve().parents[3] / "captures"
INNER_NAME = b"secret.example.com"

RANDOM = bytes(range(32))
FRONT = b"\x03\x03" + RANDOM
CIPHERS = b"\x00\x02\x13\x01" + b"\x01\x00"
MARK = b"\xfe\x0d\x00\x01\x01"
SESSION_ID = b"s" * 32


@cache
def hellos(name: str) -> tuple[tuple[bytes, ...], tuple[bytes, ...], bytes, bytes]:
    """The client's and the server's hellos of a demonstration capture, ECH_SECRET and ECH_CONFIG."""
    (session,) = read_sessions(CaptureReader([str(CAPTURES / name / f"{name}.pcapng")]), Engine())
    keylog = KeyLog()
    keylog.feed((CAPTURES / name / f"{name}.keys").read_bytes())
    sent: tuple[list[bytes], list[bytes]] = [], []
    for message in session.log.messages:
        sent[message.role].append(message.raw)
    secrets = keylog.secrets(sent[0][0][6:38])
    return tuple(sent[0]), tuple(sent[1]), secrets["ECH_SECRET"], secrets["ECH_CONFIG"]


def hello(*extensions: tuple[int, bytes]) -> bytes:
    """An outer ClientHello."""
    body = b"".join(extension(number, data) for number, data in extensions)
    hello = FRONT + b"\x20" + SESSION_ID + CIPHERS + len(body).to_bytes(2, "big") + body
    return b"\x01" + len(hello).to_bytes(3, "big") + hello


def extension(number: int, data: bytes) -> bytes:
    return number.to_bytes(2, "big") + len(data).to_bytes(2, "big") + data


def encoded(extensions: bytes, padding: bytes = b"", session_id: bytes = b"") -> bytes:
    """An EncodedClientHelloInner."""
    sized = len(extensions).to_bytes(2, "big") + extensions
    return FRONT + len(session_id).to_bytes(1, "big") + session_id + CIPHERS + sized + padding


def outer_extensions(*numbers: int) -> bytes:
    listed = b"".join(number.to_bytes(2, "big") for number in numbers)
    return extension(0xFD00, len(listed).to_bytes(1, "big") + listed)


def opened(name: str, change: bytes = b"") -> bytes:
    """The inner hello of the first one."""
    (outer, *_), _, secret, config = hellos(name)
    offer = ech.find_offer(outer)
    assert offer is not None
    (read,) = ech.read_configs(config)
    assert (offer.config_id, read.config_id, read.public_name) == (7, 7, b"public.example.com")
    return ech.open_inner(ech.recipient(offer, read, change or secret), 0, outer, offer)


@pytest.mark.parametrize("name", ["ech-accepted", "ech-hello-retry-request", "ech-rejected"])
def test_the_inner_hello_is_found(name: str) -> None:
    outer = hellos(name)[0][0]
    inner = opened(name)
    assert INNER_NAME in inner
    assert INNER_NAME not in outer
    assert inner[38:71] == outer[38:71]  # the session id


def test_only_an_accepted_hello_is_confirmed() -> None:
    for name, accepted in (("ech-accepted", True), ("ech-rejected", False)):
        inner = opened(name)
        server_hello = hellos(name)[1][0]
        assert ech.accepts("SHA256", inner[6:38], inner, server_hello) is accepted
        assert not ech.accepts("SHA256", inner[6:38], inner[:-1] + b"!", server_hello)
        assert not ech.accepts("SHA256", inner[6:38], inner, server_hello[:37])


def test_a_second_hello_goes_on_with_the_context_of_the_first() -> None:
    (first, second), (retry, server_hello), secret, config = hellos("ech-hello-retry-request")
    offers = ech.find_offer(first), ech.find_offer(second)
    assert offers[0] is not None
    assert offers[1] is not None
    assert offers[1].enc == b""
    recipient = ech.recipient(offers[0], ech.read_configs(config)[0], secret)
    inner = opened("ech-hello-retry-request")
    assert ech.accepts_retry("SHA256", inner[6:38], inner, retry)
    assert not ech.accepts_retry("SHA256", bytes(32), inner, retry)
    again = ech.open_inner(recipient, 1, second, offers[1])
    preceding = ech.before_retry("SHA256", inner) + retry + again
    assert ech.accepts("SHA256", inner[6:38], preceding, server_hello)
    with pytest.raises(DecryptionError):
        ech.open_inner(recipient, 0, second, offers[1])


def test_another_secret_opens_nothing() -> None:
    with pytest.raises(DecryptionError) as error:
        opened("ech-accepted", change=bytes(32))
    assert error.value.reason == WRONG_SECRET


def test_a_list_of_configs_is_read_like_one() -> None:
    config = hellos("ech-accepted")[3]
    unknown = b"\xfe\x0a\x00\x03abc"
    both = unknown + config
    assert ech.read_configs(len(both).to_bytes(2, "big") + both) == ech.read_configs(config)
    assert len(ech.read_configs(config * 100)) <= 16
    for n_bytes in range(1, len(config)):
        with pytest.raises(DecryptionError):
            ech.read_configs(config[:n_bytes])


def test_every_truncated_hello_is_malformed_or_offers_nothing() -> None:
    outer = hellos("ech-accepted")[0][0]
    found = []
    for n_bytes in range(len(outer)):
        with contextlib.suppress(DecryptionError):
            found.append(ech.find_offer(outer[:n_bytes]))
    assert set(found) == {None}


def test_an_ordinary_hello_offers_nothing() -> None:
    assert ech.find_offer(hello((0, b"name"))) is None
    assert ech.find_offer(hello((0xFE0D, b"\x01"))) is None


def test_extensions_of_the_outer_hello_are_put_where_they_are_named() -> None:
    outer = hello((10, b"groups"), (0xFE0D, b"\0"), (51, b"share"), (43, b"versions"))
    inner = ech.rebuild(encoded(extension(0, b"name") + outer_extensions(10, 43) + MARK, bytes(13)), outer)
    listed = extension(0, b"name") + extension(10, b"groups") + extension(43, b"versions") + MARK
    body = FRONT + b"\x20" + SESSION_ID + CIPHERS + len(listed).to_bytes(2, "big") + listed
    assert inner == b"\x01" + len(body).to_bytes(3, "big") + body


@pytest.mark.parametrize(
    "form",
    [
        pytest.param(encoded(MARK, b"\0\1\0"), id="padding of something else"),
        pytest.param(encoded(MARK, session_id=b"s"), id="a session id of its own"),
        pytest.param(encoded(extension(0, b"name")), id="no mark of an inner hello"),
        pytest.param(encoded(outer_extensions(43, 10) + MARK), id="not in the order of the outer hello"),
        pytest.param(encoded(outer_extensions(10, 10) + MARK), id="one twice"),
        pytest.param(encoded(outer_extensions(10) + outer_extensions(43) + MARK), id="two lists"),
        pytest.param(encoded(outer_extensions(99) + MARK), id="one that is not there"),
        pytest.param(encoded(outer_extensions(0xFE0D)), id="the sealed hello itself"),
        pytest.param(encoded(extension(0xFD00, b"\x01\x00") + MARK), id="half a number"),
        pytest.param(encoded(extension(0xFD00, b"\x00") + MARK), id="none"),
        pytest.param(encoded(MARK)[:-1], id="an extension that is cut"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_what_breaks_the_rules_is_malformed(form: bytes) -> None:
    outer = hello((10, b"groups"), (0xFE0D, b"\0"), (43, b"versions"))
    with pytest.raises(DecryptionError) as error:
        ech.rebuild(form, outer)
    assert error.value.reason == MALFORMED


def test_a_hello_does_not_grow_beyond_its_parts() -> None:
    outer = hello(*((number, bytes(100)) for number in range(100, 500)), (0xFE0D, b"\0"))
    inner = ech.rebuild(encoded(outer_extensions(*range(100, 220)) + MARK), outer)
    assert len(inner) < len(outer)
    long = b"".join(extension(number, bytes(600)) for number in range(600, 700))
    with pytest.raises(DecryptionError, match="bytes of extensions"):
        ech.rebuild(encoded(long + outer_extensions(*range(100, 220)) + MARK), outer)
