"""One line of a key log: the name of its session, its secret, and why it is not kept."""

import pytest

from analyzer.secrets.keylog_line import BY_CLIENT_RANDOM, BY_ENCRYPTED, BY_SESSION_ID, Line, UnreadableLine, read_line

RANDOM, SECRET, MASTER = bytes(range(32)), bytes(range(64, 96)), bytes(range(48))


def read(text: str) -> Line | UnreadableLine:
    found = read_line(text.encode().split(), "a.log", 7)
    assert isinstance(found, Line | UnreadableLine)
    return found


@pytest.mark.parametrize(
    ("text", "label", "key", "session", "secret"),
    [
        (f"CLIENT_RANDOM {RANDOM.hex()} {MASTER.hex()}", "CLIENT_RANDOM", BY_CLIENT_RANDOM, RANDOM, MASTER),
        (f"ECH_CONFIG {RANDOM.hex()} {bytes(65535).hex()}", "ECH_CONFIG", BY_CLIENT_RANDOM, RANDOM, bytes(65535)),
        (f"EXPORTER_SECRET\t{RANDOM.hex().upper()}  {SECRET.hex()}", "EXPORTER_SECRET", BY_CLIENT_RANDOM, RANDOM, SECRET),
        (f"QUIC_EXPORTER_SECRET {RANDOM.hex()} {SECRET.hex()}", "EXPORTER_SECRET", BY_CLIENT_RANDOM, RANDOM, SECRET),
        (f"CLIENT_TRAFFIC_SECRET_N {RANDOM.hex()} {SECRET.hex()}", "CLIENT_TRAFFIC_SECRET_N", BY_CLIENT_RANDOM, RANDOM, SECRET),
        (f"RSA Session-ID:{RANDOM.hex()} Master-Key:{MASTER.hex()}", "RSA", BY_SESSION_ID, RANDOM, MASTER),
        (f"RSA Session-ID:{RANDOM[:8].hex()} Master-Key:{MASTER.hex()}", "RSA", BY_SESSION_ID, RANDOM[:8], MASTER),
        (f"RSA {RANDOM[:8].hex()} {MASTER.hex()}", "RSA", BY_ENCRYPTED, RANDOM[:8], MASTER),
        (f"RSA {RANDOM.hex()} {MASTER.hex()}", "RSA", BY_ENCRYPTED, RANDOM[:8], MASTER),
    ],
    ids=lambda value: value[:24] if isinstance(value, str) else "",
)
def test_every_form_of_a_line(text: str, label: str, key: int, session: bytes, secret: bytes) -> None:
    line = read(text)
    assert isinstance(line, Line)
    assert (line.label, line.key, line.session, line.secret) == (label, key, session, secret)
    assert (line.source, line.line, line.used) == ("a.log", 7, False)
    assert repr(line) == f"<{label} of a.log:7>"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("EXPORTER_SECRET", "EXPORTER_SECRET with 0 values, not client random and secret"),
        (f"EXPORTER_SECRET {RANDOM.hex()} zz", "EXPORTER_SECRET with a value that is not hex"),
        (f"EXPORTER_SECRET {RANDOM[1:].hex()} {SECRET.hex()}", "EXPORTER_SECRET with a client random of 31 bytes"),
        (f"EXPORTER_SECRET {RANDOM.hex()} {SECRET[1:].hex()}", "EXPORTER_SECRET with a secret of 31 bytes"),
        (f"CLIENT_RANDOM {RANDOM.hex()} {SECRET.hex()}", "CLIENT_RANDOM with a secret of 32 bytes"),
        (f"ECH_SECRET {RANDOM.hex()} {bytes(65536).hex()}", "ECH_SECRET with a secret of 65536 bytes"),
        (f"RSA {MASTER.hex()}", "RSA with 1 values, not 2"),
        (f"RSA {RANDOM.hex()} 0", "RSA with a value that is not hex"),
        (f"RSA {RANDOM[:7].hex()} {MASTER.hex()}", "RSA with 7 bytes of the encrypted secret, not 8"),
        (f"RSA {RANDOM.hex()} {SECRET.hex()}", "RSA with a secret of 32 bytes"),
        (f"RSA Session-ID: Master-Key:{MASTER.hex()}", "a session id of 0 bytes"),
        (f"RSA Session-ID:{bytes(33).hex()} Master-Key:{MASTER.hex()}", "a session id of 33 bytes"),
        (f"QUIC_CLIENT_RANDOM {RANDOM.hex()} {MASTER.hex()}", "unknown label QUIC_CLIENT_RANDOM"),
        (f"NEW_SECRET {RANDOM.hex()} {SECRET.hex()}", "unknown label NEW_SECRET"),
        (f"NEW_SECRET {RANDOM.hex()}", "no line of a key log"),
        (f"new_secret {RANDOM.hex()} {SECRET.hex()}", "no line of a key log"),
    ],
    ids=lambda value: value[:24],
)
def test_why_a_line_is_not_kept(text: str, why: str) -> None:
    found = read(text)
    assert isinstance(found, UnreadableLine)
    assert (found.why, found.unknown) == (why, why.startswith("unknown"))
