"""What all record decryptors guarantee: they return only what was sent, errors leave them unchanged, and gaps are found."""

import random
import ssl
from dataclasses import replace

import pytest
from plain_reader import decryptors, hellos, read_tls12

from analyzer.secrets.decryption_error import REASONS, DecryptionError
from analyzer.secrets.keylog import KeyLog
from analyzer.secrets.record_protection import open_tls13
from analyzer.tls.suites import suite

TLS_1_0, TLS_1_1, TLS_1_2 = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2
NO_ENCRYPT_THEN_MAC = 1 << 19

FAMILIES = {
    "GCM": ("AES128-GCM-SHA256", TLS_1_2, 0),
    "CCM-8": ("AES256-CCM8", TLS_1_2, 0),
    "ChaCha20": ("ECDHE-RSA-CHACHA20-POLY1305", TLS_1_2, 0),
    "CBC": ("AES128-SHA256", TLS_1_2, NO_ENCRYPT_THEN_MAC),
    "CBC, encrypt then MAC": ("CAMELLIA256-SHA", TLS_1_1, 0),
    "CBC chained": ("AES128-SHA", TLS_1_0, NO_ENCRYPT_THEN_MAC),
    "CBC chained, encrypt then MAC": ("AES128-SHA", TLS_1_0, 0),
    "NULL": ("NULL-SHA256", TLS_1_2, 0),
}
CHAINED = {"CBC chained", "CBC chained, encrypt then MAC"}


@pytest.fixture(params=FAMILIES)
def family(request):
    return request.param


@pytest.fixture
def session(family, converse):
    """The content of the hellos, the master secret, and the server's protected records with their plaintexts."""
    conversation = converse(*FAMILIES[family])
    log = KeyLog()
    log.feed(conversation.keylog)
    log.close()
    said = hellos(conversation.client, conversation.server)
    master = log.master_secret(said.client_random)
    _, _, server = read_tls12(conversation.client, conversation.server, master)
    decryptor = decryptors(said, master)[1]
    return said, master, [(record, decryptor.open(*record)) for record in server.protected]


def fresh(session):
    return decryptors(session[0], session[1])[1]


def test_another_secret_or_random_is_wrong(session):
    said, master, records = session
    master = bytes([master[0] ^ 1]) + master[1:]
    other = decryptors(said, master)[1]
    for record, _ in records:
        with pytest.raises(DecryptionError) as caught:
            other.open(*record)
        assert caught.value.reason == "wrong_secret"
        assert other.sequence == 0


def test_the_other_direction_is_wrong(session):
    decryptor = decryptors(session[0], session[1])[0]
    with pytest.raises(DecryptionError, match="wrong_secret"):
        decryptor.open(*session[2][0][0])


def test_every_flipped_bit_fails_and_leaves_the_decryptor_unchanged(session):
    decryptor, chance = fresh(session), random.Random(1)
    for record, opened in session[2]:
        content_type, version, body = record
        bits = range(8 * len(body)) if len(body) < 100 else [chance.randrange(8 * len(body)) for _ in range(50)]
        for bit in bits:
            flipped = bytearray(body)
            flipped[bit // 8] ^= 1 << bit % 8
            with pytest.raises(DecryptionError, match="wrong_secret"):
                decryptor.open(content_type, version, bytes(flipped))
        for other in ((content_type ^ 1, version, body), (content_type, version ^ 1, body)):
            with pytest.raises(DecryptionError, match="wrong_secret"):
                decryptor.open(*other)
        assert decryptor.open(*record) == opened


def test_any_other_bytes_fail(session):
    decryptor, chance = fresh(session), random.Random(2)
    body = session[2][1][0][2]
    for length in [*range(140), 1000, 65535]:
        for data in (body[:length] if length < len(body) else body[:-1], chance.randbytes(length)):
            with pytest.raises(DecryptionError) as caught:
                decryptor.open(23, 0x0303, data)
            assert caught.value.reason in {"wrong_secret", "malformed"}
            with pytest.raises(DecryptionError) as caught:
                decryptor.open_after_gap(23, 0x0303, data, 2)
            assert caught.value.reason in REASONS
    assert decryptor.sequence == 0


def test_a_record_twice_or_too_early_fails(session):
    decryptor = fresh(session)
    records = session[2]
    decryptor.open(*records[0][0])
    for record in (records[0][0], records[2][0]):
        with pytest.raises(DecryptionError, match="wrong_secret"):
            decryptor.open(*record)


def test_after_a_gap_the_next_records_open(session, family):
    decryptor = fresh(session)
    records = session[2]
    assert decryptor.open(*records[0][0]) == records[0][1]
    later = records[3:]
    lost = 2
    if family in CHAINED:
        with pytest.raises(DecryptionError, match="missing_segment"):
            decryptor.open_after_gap(*records[3][0], 10)
        later, lost = records[4:], 3
    (record, opened), *rest = later
    with pytest.raises(DecryptionError, match="wrong_secret"):
        decryptor.open(*record)
    assert decryptor.sequence == 1
    if family in CHAINED:
        # As after a gap: the record before this one is not the one that the decryptor saw last.
        decryptor = fresh(session)
        decryptor.open(*records[0][0])
        with pytest.raises(DecryptionError, match="missing_segment"):
            decryptor.open_after_gap(*records[3][0], 10)
    assert decryptor.open_after_gap(*record, 10) == (lost, *opened)
    for record, opened in rest:
        assert decryptor.open(*record) == opened


def test_a_gap_longer_than_the_limit(session, family):
    decryptor = fresh(session)
    records = session[2]
    decryptor.open(*records[0][0])
    if family in {"GCM", "CCM-8"}:
        # The explicit nonce shows the number.
        assert decryptor.open_after_gap(*records[4][0], 1) == (3, *records[4][1])
        return
    with pytest.raises(DecryptionError):
        decryptor.open_after_gap(*records[4][0], 1)
    assert decryptor.sequence == 1


def test_no_gap_at_all(session):
    decryptor = fresh(session)
    for record, opened in session[2]:
        assert decryptor.open_after_gap(*record, 3) == (0, *opened)


def test_a_changed_record_affects_only_itself(session, family):
    decryptor = fresh(session)
    records = session[2]
    decryptor.open(*records[0][0])
    content_type, version, body = records[1][0]
    changed = body[:-1] + bytes([body[-1] ^ 1])
    for _ in range(2):
        with pytest.raises(DecryptionError):
            decryptor.open(content_type, version, changed)
    if family == "CBC chained":
        # Its last block is also not the one to which the next record is chained.
        with pytest.raises(DecryptionError):
            decryptor.open_after_gap(content_type, version, changed, 0)
        with pytest.raises(DecryptionError):
            decryptor.open_after_gap(*records[2][0], 5)
        assert decryptor.open_after_gap(*records[3][0], 5) == (2, *records[3][1])
        return
    with pytest.raises(DecryptionError):
        decryptor.open_after_gap(content_type, version, changed, 0)
    assert decryptor.open_after_gap(*records[2][0], 5) == (1, *records[2][1])


def test_only_tls_13_updates_keys(session):
    with pytest.raises(DecryptionError, match="keys are updated only"):
        fresh(session).update()


def test_both_randoms_count(session):
    said, master, records = session
    for name in ("client_random", "server_random"):
        decryptor = decryptors(replace(said, **{name: bytes(32)}), master)[1]
        with pytest.raises(DecryptionError, match="wrong_secret"):
            decryptor.open(*records[0][0])


def test_texts_of_decryption_errors_have_no_secret():
    secret = bytes(range(64, 96))
    decryptor = open_tls13(suite(0x1301), secret)
    with pytest.raises(DecryptionError) as caught:
        decryptor.open(23, 0x0303, bytes(40))
    said = repr(caught.value) + str(caught.value) + repr(decryptor)
    assert secret.decode() not in said
    assert secret.hex() not in said
