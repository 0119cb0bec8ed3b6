"""The transcript: the same order for any order of the capture, and nothing after a missing message."""

import itertools
import random

import pytest

from analyzer.tls.handshake.transcript import Transcript
from analyzer.tls.limits import MAX_TRANSCRIPT
from analyzer.tls.messages.hello import HELLO_RETRY_REQUEST_RANDOM

CLIENT, SERVER = 0, 1
Said = tuple[int, bytes]


def message(number: int, content: bytes = b"") -> bytes:
    return bytes([number]) + len(content).to_bytes(3, "big") + content


def hello(number: int, rnd: bytes) -> bytes:
    return message(number, b"\x03\x03" + rnd + bytes(3))


CH, CH2, SH = hello(1, b"c" * 32), hello(1, b"c" * 31 + b"2"), hello(2, b"s" * 32)
RETRY = hello(2, HELLO_RETRY_REQUEST_RANDOM)
EE, CERT, VERIFY, FIN, DONE, CKE, TICKET, END = (message(n, b"x") for n in (8, 11, 15, 20, 14, 16, 4, 5))
C_CERT, C_VERIFY, C_FIN = (message(n, b"client") for n in (11, 15, 20))

FULL12 = [(0, CH), (1, SH), (1, CERT), (1, DONE), (0, C_CERT), (0, CKE), (0, C_VERIFY), (0, C_FIN), (1, TICKET), (1, FIN)]
RESUMED12 = [(0, CH), (1, SH), (1, TICKET), (1, FIN), (0, C_FIN)]
FULL13 = [(0, CH), (1, SH), (1, EE), (1, CERT), (1, VERIFY), (1, FIN), (0, C_CERT), (0, C_VERIFY), (0, C_FIN)]
RETRIED13 = [(0, CH), (1, RETRY), (0, CH2), (1, SH), (1, EE), (1, FIN), (0, C_FIN)]
EARLY13 = [(0, CH), (1, SH), (1, EE), (1, FIN), (0, END), (0, C_FIN)]
HANDSHAKES = [(FULL12, False), (RESUMED12, False), (FULL13, True), (RETRIED13, True), (EARLY13, True)]


def preceding(said: list[Said]) -> Transcript:
    transcript = Transcript()
    for role, raw in said:
        transcript.add_message(role, raw, True)
    return transcript


@pytest.mark.parametrize(("said", "tls13"), HANDSHAKES)
def test_every_interleaving_gives_the_same_order(said: list[Said], tls13: bool):
    sides = [[raw for role, raw in said if role == side] for side in (CLIENT, SERVER)]
    rng = random.Random(1)
    for _ in range(50):
        turns = [CLIENT] * len(sides[0]) + [SERVER] * len(sides[1])
        rng.shuffle(turns)
        rest = [iter(side) for side in sides]
        transcript = preceding([(role, next(rest[role])) for role in turns])
        assert list(transcript.steps(tls13)) == said
        assert transcript.complete
        assert (transcript.client_random, transcript.server_random) == (b"c" * 32, b"s" * 32)


@pytest.mark.parametrize(("said", "tls13"), HANDSHAKES)
def test_what_is_missing_is_marked_and_nothing_before_it(said: list[Said], tls13: bool):
    for lost in range(len(said)):
        transcript = Transcript()
        for number, (role, raw) in enumerate(said):
            if number == lost:
                transcript.lose(role)
            else:
                transcript.add_message(role, raw, True)
        steps = list(transcript.steps(tls13))
        assert (None in [raw for _, raw in steps]) or (said is EARLY13 and said[lost][1] == END)
        before = list(itertools.takewhile(lambda step: step[1] is not None, steps))
        assert before == said[: len(before)]


@pytest.mark.parametrize(("said", "tls13"), HANDSHAKES)
def test_every_beginning_is_open(said: list[Said], tls13: bool):
    for end in range(len(said)):
        transcript = preceding(said[:end])
        assert not transcript.complete
        steps = list(transcript.steps(tls13))
        before = list(itertools.takewhile(lambda step: step[1] is not None, steps))
        assert before == said[: len(before)]


def test_the_end_of_early_data_is_added_if_it_was_not_seen():
    transcript = preceding([step for step in EARLY13 if step[1] != END])
    transcript.early = True
    assert (0, b"\x05\0\0\0") in list(transcript.steps(True))


def test_a_message_without_its_end_counts_as_missing():
    transcript = Transcript()
    transcript.add_message(0, CH, True)
    transcript.add_message(1, SH[:-2], False)
    assert [raw for _, raw in transcript.steps(True)] == [CH, None, None]


def test_what_comes_after_the_handshake_is_not_part_of_it():
    transcript = preceding(FULL13)
    assert not transcript.add_message(1, TICKET, True)
    assert list(transcript.steps(True)) == FULL13
    transcript.forget()
    assert not transcript.has_messages


def test_a_flood_of_messages_is_not_kept():
    transcript = preceding([(0, CH), (1, SH)])
    for _ in range(20):
        transcript.add_message(1, message(11, bytes(MAX_TRANSCRIPT // 10)), True)
    kept = [raw for _, raw in transcript.steps(True) if raw is not None]
    assert sum(map(len, kept)) <= MAX_TRANSCRIPT
    assert (1, None) in list(transcript.steps(True))


def test_the_extended_master_secret_depends_on_all_before_the_change():
    transcript = preceding(FULL12)
    assert transcript.before_change() == CH + SH + CERT + DONE + C_CERT + CKE
    assert preceding([step for step in FULL12 if step[1] != CKE]).before_change() is None
