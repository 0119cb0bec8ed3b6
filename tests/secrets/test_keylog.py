"""Key logs with any line ends, in any pieces, growing, damaged, contradicting, and in older forms."""

import random

import pytest

from analyzer.secrets import keylog
from analyzer.secrets.keylog import KeyLog
from analyzer.secrets.labels import TRAFFIC_SECRETS

FIRST, SECOND = bytes(range(32)), bytes(range(100, 132))
SECRET, OTHER = bytes(range(32, 64)), bytes(range(64, 96))
MASTER = bytes(range(48))

RFC_LABELS = [
    "CLIENT_EARLY_TRAFFIC_SECRET",
    "EARLY_EXPORTER_SECRET",
    "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
    "SERVER_HANDSHAKE_TRAFFIC_SECRET",
    "CLIENT_TRAFFIC_SECRET_0",
    "SERVER_TRAFFIC_SECRET_0",
    "EXPORTER_SECRET",
    "ECH_SECRET",
    "ECH_CONFIG",
]


def entry(label, name=FIRST, secret=SECRET):
    return f"{label} {name.hex()} {secret.hex()}\n".encode()


def read(*pieces, source="a.log"):
    log = KeyLog()
    for piece in pieces:
        log.feed(piece, source)
    log.close()
    return log


def problems(log):
    return [(problem.line, problem.why) for problem in log.problems]


@pytest.mark.parametrize("label", RFC_LABELS)
def test_every_label_of_the_rfc(label):
    log = read(entry(label))
    assert log.secrets(FIRST) == {label: SECRET}
    assert problems(log) == []


def test_a_session_up_to_tls_12():
    log = read(entry("CLIENT_RANDOM", secret=MASTER))
    assert log.master_secret(FIRST) == MASTER
    assert log.master_secret(SECOND) is None


def test_more_of_the_encrypted_premaster_than_names_it():
    log = read(f"RSA {'0011223344556677' * 32} {MASTER.hex()}\n".encode())
    assert log.premaster(bytes.fromhex("0011223344556677")) == MASTER


def test_lines_of_a_session_by_all_its_names():
    log = read(
        entry("ECH_SECRET"),
        entry("ECH_SECRET"),
        f"RSA Session-ID:{SECOND.hex()} Master-Key:{MASTER.hex()}\n".encode(),
        f"RSA 0011223344556677 {MASTER.hex()}\n".encode(),
    )
    encrypted = bytes.fromhex("0011223344556677") + bytes(248)
    assert [line.line for line in log.lines_of(FIRST, SECOND, encrypted)] == [1, 3, 4]
    assert log.lines_of(SECOND) == []
    assert not any(line.used for line in log.lines())
    assert [(first.line, second.line) for first, second in log.repeats] == [(1, 2)]
    assert log.sources() == {"a.log": 4}


def test_labels_with_quic_before_them_are_the_same_labels():
    log = read(entry("QUIC_CLIENT_TRAFFIC_SECRET_0"), entry("QUIC_SERVER_TRAFFIC_SECRET_1"))
    assert log.secrets(FIRST) == {"CLIENT_TRAFFIC_SECRET_0": SECRET, "SERVER_TRAFFIC_SECRET_1": SECRET}


def test_the_forms_before_client_random():
    premaster = b"\3\3" + MASTER[2:]
    log = read(
        f"RSA 0011223344556677 {premaster.hex()}\n".encode(),
        f"RSA Session-ID:{SECOND.hex().upper()} Master-Key:{MASTER.hex().upper()}\n".encode(),
    )
    assert log.premaster(bytes.fromhex("0011223344556677") + bytes(248)) == premaster
    assert log.premaster(bytes(256)) is None
    assert log.by_session_id(SECOND) == MASTER
    assert log.by_session_id(FIRST) is None
    assert [line.used for line in log.lines()] == [True, True]


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_line_ends_dripped_and_whole(end):
    text = b"# a comment" + end + end + entry("ECH_SECRET")[:-1] + end + b"bad" + end + entry("EXPORTER_SECRET")[:-1]
    for pieces in ([text], [text[i : i + 1] for i in range(len(text))], [text[:100], text[100:]]):
        log = read(*pieces)
        assert set(log.secrets(FIRST)) == {"ECH_SECRET", "EXPORTER_SECRET"}
        assert problems(log) == [(4, "no line of a key log")]
        assert log.counts().lines == 5


def test_a_growing_file_and_two_sources():
    log = KeyLog()
    text = entry("CLIENT_TRAFFIC_SECRET_0") + entry("SERVER_TRAFFIC_SECRET_0")
    log.feed(text[:-20], "grows")
    assert set(log.secrets(FIRST)) == {"CLIENT_TRAFFIC_SECRET_0"}
    log.feed(entry("CLIENT_RANDOM", SECOND, MASTER) + b"nonsense", "other")
    log.feed(text[-20:], "grows")
    assert set(log.secrets(FIRST)) == {"CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"}
    log.close("other")
    assert [(problem.source, problem.line) for problem in log.problems] == [("other", 2)]
    assert log.master_secret(SECOND) == MASTER


def test_a_byte_order_mark_is_tolerated_with_a_warning():
    log = read(b"\xef\xbb\xbf" + entry("ECH_SECRET"))
    assert log.secrets(FIRST)
    assert problems(log) == [(1, "begins with a byte order mark, which a key log may not")]
    assert log.counts().bad == 0


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_utf_16_is_read_and_named(encoding: str, end: str):
    lines = ["# a comment", *(entry(label).decode().strip() for label in ("ECH_SECRET", "EXPORTER_SECRET"))]
    text = end.join(lines).encode(encoding)
    if encoding == "utf-16-be":
        text = b"\xfe\xff" + text
    for pieces in ([text], [text[i : i + 1] for i in range(len(text))], [text[:101], text[101:]]):
        log = read(*pieces)
        assert problems(log) == [(1, "UTF-16, and a key log is UTF-8; it was read all the same")]
        assert log.secrets(FIRST) == {"ECH_SECRET": SECRET, "EXPORTER_SECRET": SECRET}
        assert (log.counts().lines, log.counts().bad) == (3, 0)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"CLIENT_RANDOM", "CLIENT_RANDOM with 0 values, not client random and secret"),
        (entry("CLIENT_RANDOM", secret=MASTER)[:-1] + b" 00", "CLIENT_RANDOM with 3 values, not client random and secret"),
        (entry("CLIENT_RANDOM", FIRST[1:], MASTER), "CLIENT_RANDOM with a client random of 31 bytes"),
        (entry("CLIENT_RANDOM", secret=MASTER[1:]), "CLIENT_RANDOM with a secret of 47 bytes"),
        (entry("CLIENT_TRAFFIC_SECRET_0", secret=SECRET[1:]), "CLIENT_TRAFFIC_SECRET_0 with a secret of 31 bytes"),
        (entry("ECH_CONFIG").replace(b"00", b"0g"), "ECH_CONFIG with a value that is not hex"),
        (entry("ECH_CONFIG")[:-2], "ECH_CONFIG with a value that is not hex"),
        (b"ECH_CONFIG " + FIRST.hex().encode() + "é".encode(), "ECH_CONFIG with 1 values, not client random and secret"),
        (b"RSA 001122 " + MASTER.hex().encode(), "RSA with 3 bytes of the encrypted secret, not 8"),
        (b"RSA Session-ID: Master-Key:" + MASTER.hex().encode(), "a session id of 0 bytes"),
        (b"RSA Session-ID:00 Master-Key:00", "RSA with a secret of 1 bytes"),
        (b"RSA", "RSA with 0 values, not 2"),
        (b"RSA 0 0", "RSA with a value that is not hex"),
        (entry("FUTURE_LABEL_2"), "unknown label FUTURE_LABEL_2"),
        (SECRET.hex().encode(), "no line of a key log"),
        (b"\0\xff\xfe", "no line of a key log"),
        (b" # not a comment", "no line of a key log"),
    ],
)
def test_a_bad_line_affects_only_itself(line, why):
    log = read(entry("ECH_SECRET"), line.rstrip(b"\n") + b"\n", entry("EXPORTER_SECRET"))
    assert problems(log) == [(2, why)]
    assert len(log.secrets(FIRST)) == 2
    counts = log.counts()
    assert counts.bad + counts.unknown == 1


def test_what_is_repeated_and_what_contradicts():
    log = read(entry("ECH_SECRET"), entry("ECH_SECRET"), entry("ECH_SECRET", secret=OTHER), entry("ECH_SECRET", SECOND, OTHER))
    assert log.secrets(FIRST) == {"ECH_SECRET": SECRET}
    assert log.candidates(FIRST, "ECH_SECRET") == [SECRET, OTHER]
    assert [(first.line, second.line) for first, second in log.conflicts()] == [(1, 3)]
    assert problems(log) == [(3, "ECH_SECRET contradicts line 1 of a.log")]
    counts = log.counts()
    assert (counts.secrets, counts.repeated, counts.conflicting, counts.sessions) == (3, 1, 1, 2)


def test_secrets_after_key_updates_do_not_contradict_each_other():
    label = "SERVER_TRAFFIC_SECRET_N"
    log = read(entry(label), entry(label, secret=OTHER), entry(label, secret=OTHER), entry("CLIENT_TRAFFIC_SECRET_2"))
    assert problems(log) == []
    assert list(log.conflicts()) == []
    assert log.candidates(FIRST, label) == [SECRET, OTHER]
    assert log.counts().repeated == 1
    assert log.candidates(FIRST, "CLIENT_TRAFFIC_SECRET_2") == [SECRET]


def test_used_and_unused_lines():
    log = read(entry("ECH_SECRET"), entry("EXPORTER_SECRET", SECOND), entry("ECH_CONFIG"))
    assert log.knows(FIRST)
    assert len(list(log.unused())) == 3
    log.secrets(FIRST)
    assert [(line.label, line.line) for line in log.unused()] == [("EXPORTER_SECRET", 2)]
    assert log.counts().used == 2


def test_the_lines_of_one_session_written_again():
    text = entry("ECH_SECRET") + entry("EXPORTER_SECRET")
    log = read(text, entry("ECH_SECRET", SECOND))
    assert log.write(FIRST) == text
    assert log.write(bytes(32)) == b""


def test_no_secret_in_any_text():
    log = read(
        entry("ECH_SECRET"),
        entry("ECH_SECRET", secret=OTHER),
        b"X" + entry("A_B", secret=OTHER),
        OTHER.hex().encode() + b" x y",
    )
    held = [getattr(log, name, None) for name in KeyLog.__slots__]
    said = repr(log) + repr(log.problems) + repr(list(log.lines())) + repr(log.counts()) + str(held)
    for secret in (SECRET, OTHER):
        assert secret.hex() not in said
        assert repr(secret)[2:-1] not in said.replace(repr(FIRST)[2:-1], "")


def test_a_line_without_end_is_not_kept():
    log = KeyLog()
    for _ in range(5):
        log.feed(b"A" * keylog.LONGEST_LINE, "a.log")
    log.feed(b"\n" + entry("ECH_SECRET"), "a.log")
    log.close()
    assert problems(log) == [(1, f"longer than {keylog.LONGEST_LINE} octets")]
    assert [line.line for line in log.lines()] == [2]


def test_limits_of_sessions_problems_and_lines(monkeypatch):
    log = read(*(entry(f"CLIENT_TRAFFIC_SECRET_{number}") for number in range(keylog.MOST_LINES_OF_SESSION + 3)))
    assert log.counts().secrets == keylog.MOST_LINES_OF_SESSION
    assert log.counts().bad == 3
    log = read(b"bad\n" * (keylog.MOST_PROBLEMS + 5))
    assert len(log.problems) == keylog.MOST_PROBLEMS
    assert log.counts().bad == keylog.MOST_PROBLEMS + 5
    monkeypatch.setattr(keylog, "MOST_LINES", 2)
    log = read(*(entry("ECH_SECRET", bytes([number]) * 32) for number in range(5)))
    assert (log.counts().secrets, log.counts().bad) == (2, 3)


def test_any_bytes_are_read_without_an_exception():
    chance = random.Random(5)
    text = bytearray(
        entry("CLIENT_RANDOM", secret=MASTER) + entry("ECH_CONFIG") + b"RSA Session-ID:00 Master-Key:" + MASTER.hex().encode()
    )
    for _ in range(2000):
        damaged = bytearray(text)
        for _ in range(3):
            damaged[chance.randrange(len(damaged))] = chance.choice(b"\0\n\r #:0gZ\xff")
        log = read(bytes(damaged))
        assert log.counts().lines >= 2


def test_sessions_that_have_a_label_are_found_without_reading_the_others():
    label = "SERVER_HANDSHAKE_TRAFFIC_SECRET"
    log = read(entry(label), entry(label, secret=OTHER), entry(label, SECOND), entry("EXPORTER_SECRET", SECRET))
    assert list(log.sessions(label)) == [(FIRST, SECRET), (SECOND, SECRET)]
    log.candidates(FIRST, label)
    assert list(log.sessions(label)) == [(SECOND, SECRET), (FIRST, SECRET)]
    assert list(log.sessions("SERVER_TRAFFIC_SECRET_0")) == []


def test_what_is_not_kept_leaves_no_trace(monkeypatch):
    monkeypatch.setattr(keylog, "MOST_LINES", 1)
    log = read(entry("EXPORTER_SECRET"), entry("EXPORTER_SECRET", SECOND))
    assert log.knows(FIRST)
    assert not log.knows(SECOND)
    assert log.counts().sessions == 1


def test_news_are_reported_from_the_first_call_on():
    log = read(entry("EXPORTER_SECRET"))
    assert log.new_sessions() is None
    assert log.new_sessions() == set()
    log.feed(entry("EXPORTER_SECRET") + entry("EXPORTER_SECRET", SECOND) + entry("CLIENT_TRAFFIC_SECRET_0", SECOND))
    assert log.new_sessions() == {SECOND}
    assert log.new_sessions() == set()


def test_the_sessions_that_were_read_first_are_forgotten_first():
    keylog = KeyLog()
    randoms = [bytes([number]) * 32 for number in range(6)]
    for name in randoms:
        lines = "".join(f"{label} {name.hex()} {'cd' * 32}\n" for label in TRAFFIC_SECRETS)
        keylog.feed(lines.encode())
    assert keylog.n_kept == 6 * len(TRAFFIC_SECRETS)
    keylog.forget(2 * len(TRAFFIC_SECRETS))
    assert [keylog.knows(name) for name in randoms] == [False] * 4 + [True] * 2
    assert [name for name, _ in keylog.sessions(TRAFFIC_SECRETS[0])] == randoms[4:]
    assert keylog.n_kept == len(list(keylog.lines())) == 2 * len(TRAFFIC_SECRETS)
    keylog.feed(f"{TRAFFIC_SECRETS[0]} {randoms[0].hex()} {'ef' * 32}\n".encode())
    assert keylog.secrets(randoms[0]) == {TRAFFIC_SECRETS[0]: b"\xef" * 32}
    keylog.forget(0, {randoms[5]})
    assert [keylog.knows(name) for name in randoms] == [False] * 5 + [True]
    assert keylog.n_kept == len(TRAFFIC_SECRETS)
    keylog.forget(0)
    assert list(keylog.lines()) == []
