"""Servers that accept a pre-shared key: with its right binder, with a wrong one, and where nothing proves the key."""

import pytest
from offers_by_hand import (
    CHOSEN_13,
    CHOSEN_KEY,
    CHOSEN_SHARE,
    GROUPS,
    SCHEMES,
    SHARES,
    VERSIONS_13,
    answer,
    extension,
    hello,
    listed,
)
from sessions_by_hand import CLIENT, SERVER, Hand

from analyzer.secrets import key_schedule13
from analyzer.secrets.keylog import KeyLog
from analyzer.secrets.labels import EARLY_LABEL, HANDSHAKE_LABELS
from analyzer.secrets.suite_interface import hash_function
from analyzer.tls.decryption.external_psk import VerifiedPsk, offered_identities
from analyzer.tls.decryption.key_material import KeyMaterial
from analyzer.tls.events import Finding

IDENTITY, KEY, OTHER = b"somebody", b"k" * 32, b"o" * 32
SHA = hash_function("SHA256")


def offer(key: bytes, wrong: bool) -> bytes:
    """A ClientHello that offers the key."""
    identities = listed(listed(IDENTITY) + bytes(4))
    body = hello(
        VERSIONS_13, GROUPS, SCHEMES, SHARES, extension(45, b"\2\0\1"), extension(42, b""),
        extension(41, identities + listed(listed(bytes(32), 1))),
    )  # fmt: skip
    early = key_schedule13.early_secret("SHA256", key)
    base = key_schedule13.derive_secret("SHA256", early, b"ext binder", SHA(b"").digest())
    binder = key_schedule13.finished("SHA256", base, SHA(body[: -2 - 33]).digest())
    return body[:-32] + (bytes(reversed(binder)) if wrong else binder)


def told(first: bytes, answered: bytes, logged: dict[str, bytes], given: bytes = KEY) -> list[str]:
    """Codes of the findings about a session whose secrets are logged, with `given` as the key of the identity."""
    keylog = KeyLog()
    for label, secret in logged.items():
        keylog.feed(f"{label} {(b'C' * 32).hex()} {secret.hex()}\n".encode())
    hand = Hand(KeyMaterial(keylog=keylog, psks={IDENTITY: given}))
    hand.handshake(CLIENT, first)
    hand.handshake(SERVER, answered)
    hand.end()
    return [one.code for one in hand.of(Finding) if one.code == "wrong_binder"]


def secrets(first: bytes, answered: bytes, key: bytes) -> dict[str, bytes]:
    """What an endpoint logs that has this key, and uses no key exchange."""
    bound = VerifiedPsk(0, "SHA256", key_schedule13.early_secret("SHA256", key))
    both = bound.handshake_traffic_secrets(first + answered)
    return {EARLY_LABEL: bound.early_traffic_secret(first), **dict(zip(HANDSHAKE_LABELS, both, strict=True))}


ACCEPTED, EXCHANGED = answer(CHOSEN_13, CHOSEN_KEY), answer(CHOSEN_13, CHOSEN_SHARE, CHOSEN_KEY)


@pytest.mark.parametrize("answered", [ACCEPTED, EXCHANGED])
@pytest.mark.parametrize("wrong", [False, True])
def test_the_secrets_prove_the_key(answered: bytes, wrong: bool):
    first = offer(KEY, wrong)
    assert told(first, answered, secrets(first, answered, KEY)) == ["wrong_binder"] * wrong


def test_without_early_data_the_secrets_of_the_handshake_prove_it():
    first = offer(KEY, wrong=True)
    logged = secrets(first, ACCEPTED, KEY)
    del logged[EARLY_LABEL]
    assert told(first, ACCEPTED, logged) == ["wrong_binder"]
    assert told(first, EXCHANGED, logged) == []  # other secrets go into these


def test_another_key_that_was_given_proves_nothing():
    first = offer(KEY, wrong=False)
    assert told(first, ACCEPTED, secrets(first, ACCEPTED, KEY), OTHER) == []
    wrong = offer(KEY, wrong=True)
    assert told(wrong, ACCEPTED, secrets(wrong, ACCEPTED, KEY), OTHER) == []


def test_a_key_that_was_not_chosen_is_not_accepted():
    first = offer(KEY, wrong=True)
    answered = answer(CHOSEN_13, CHOSEN_SHARE)
    assert told(first, answered, secrets(first, answered, KEY)) == []


def test_the_identities_of_a_hello():
    assert offered_identities(offer(KEY, wrong=False)) == [IDENTITY]
    assert offered_identities(hello(VERSIONS_13)) == []
