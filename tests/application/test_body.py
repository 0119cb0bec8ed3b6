import gzip
from hashlib import sha256

from analyzer.application.body import DECODING_MAX, Bodies, Body

Notes = list[tuple[str, str, int]]


def bodies(hashing: bool = True) -> tuple[Bodies, Notes]:
    notes: Notes = []
    return Bodies(hashing, lambda *note: notes.append(note)), notes


def test_a_body_is_counted_hashed_and_passed_on() -> None:
    shared, notes = bodies()
    got: list[bytes] = []
    body = Body(shared, ["gzip"], got.append)
    coded = gzip.compress(b"text" * 100)
    body.feed(coded[:20], 1)
    body.feed(coded[20:], 2)
    assert (body.sha256, body.complete) == (None, False)
    body.finish(2)
    assert (body.length, body.n_wire, body.complete) == (400, len(coded), True)
    assert body.sha256 == sha256(b"text" * 100).hexdigest()
    assert (b"".join(got), notes, shared.n_decoding) == (b"text" * 100, [], 0)


def test_only_what_is_needed_is_done() -> None:
    shared, _ = bodies(hashing=False)
    body = Body(shared, [], None)
    assert body.plain
    body.skip(10)
    body.finish(1)
    assert (body.length, body.complete, body.sha256) == (10, True, None)
    assert not Body(shared, ["gzip"], None).plain
    assert not Body(shared, [], [].append).plain


def test_a_body_with_a_gap_has_no_hash_and_passes_nothing_on_after_it() -> None:
    shared, notes = bodies()
    got: list[bytes] = []
    plain, coded = Body(shared, [], got.append), Body(shared, ["br"], got.append)
    plain.feed(b"one", 1)
    for body in (plain, coded):
        body.lose()
        body.feed(b"two", 2)
        body.finish(3)
        assert (body.complete, body.sha256) == (False, None)
    assert (plain.length, coded.length, coded.n_wire, got, notes) == (6, 0, 3, [b"one"], [])


def test_a_bad_coding_truncates_the_body_and_is_reported_once() -> None:
    shared, notes = bodies()
    body = Body(shared, ["gzip"], None)
    body.feed(gzip.compress(b"x" * 1000)[:15] + b"\xff" * 50, 4)
    body.feed(b"more", 5)
    body.finish(6)
    assert [(code, frame) for code, _, frame in notes] == [("malformed_content_coding", 4)]
    assert (body.complete, body.sha256, shared.n_decoding) == (False, None, 0)


def test_a_coding_that_does_not_end_is_reported() -> None:
    shared, notes = bodies()
    body = Body(shared, ["gzip"], None)
    body.feed(gzip.compress(b"x" * 1000)[:-1], 4)
    body.finish(6)
    assert [(code, frame) for code, _, frame in notes] == [("malformed_content_coding", 6)]
    assert not body.complete


def test_a_bomb_is_truncated() -> None:
    shared, notes = bodies(hashing=False)
    body = Body(shared, ["gzip"], None)
    body.feed(gzip.compress(bytes(50_000_000)), 4)
    assert [code for code, _, _ in notes] == ["decompression_bomb"]
    assert body.length < 20_000_000


def test_what_cannot_be_decoded_is_left_as_it_is_and_has_no_hash() -> None:
    shared, notes = bodies()
    for codings, code in ((["compress"], "unknown_content_coding"), (["gzip"] * 4, "too_many_content_codings")):
        body = Body(shared, codings, None)
        body.feed(b"as it is", 1)
        body.finish(2)
        assert (body.length, body.complete, body.decoded, body.sha256) == (8, True, False, None)
        assert notes.pop()[0] == code
    assert notes == []


def test_the_number_of_bodies_being_decoded_is_bounded() -> None:
    shared, notes = bodies()
    open_bodies = [Body(shared, ["gzip"], None) for _ in range(DECODING_MAX + 1)]
    for body in open_bodies:
        body.feed(gzip.compress(b"text")[:10], 1)
    assert [code for code, _, _ in notes] == ["too_many_bodies"]
    for body in open_bodies:
        body.lose()
    assert shared.n_decoding == 0


def test_an_empty_body_has_the_hash_of_nothing_and_no_coding() -> None:
    shared, notes = bodies()
    body = Body(shared, ["gzip"], None)
    body.finish(1)
    assert (body.length, body.sha256, notes) == (0, sha256(b"").hexdigest(), [])
