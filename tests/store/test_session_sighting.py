"""What an inventory keeps of one session, and that it survives the way from another process."""

import marshal
from typing import Any

from sessions_by_hand import events_of

from analyzer.store.session_sighting import Sighting, read_sighting, sighting
from analyzer.tls.events import SessionEnded


def sightings(name: str, keyed: bool = True) -> list[Sighting]:
    return [sighting(event.ended) for event in events_of(name, keyed) if isinstance(event, SessionEnded)]


def plain(value: Any) -> Any:
    return tuple(map(plain, value)) if isinstance(value, tuple) else value


def test_what_both_sides_agreed_on():
    (seen,) = sightings("tls13-x25519mlkem768")
    assert (seen.version, seen.group, seen.key_exchange, seen.answer) == ("TLS 1.3", "X25519MLKEM768", "hybrid", "accepted")
    assert seen.offer is not None
    assert "X25519MLKEM768" in seen.offer.post_quantum
    assert seen.scheme is not None
    assert seen.n_bytes > 0


def test_the_signature_of_an_encrypted_handshake_is_not_known():
    (seen,) = sightings("tls13-x25519mlkem768", keyed=False)
    assert (seen.scheme, seen.version) == (None, "TLS 1.3")


def test_a_weakness_has_its_frame():
    (seen,) = sightings("tls10-rsa")
    found = {code: (severity, frame) for code, severity, frame, _ in seen.weak}
    assert found["deprecated_version"][0] == "medium"
    assert found["deprecated_version"][1]


def test_a_sighting_is_the_same_after_its_way_through_a_pipe():
    for name in ("demo", "tls10-rsa", "alert-protocol-version"):
        for seen in sightings(name):
            assert read_sighting(marshal.loads(marshal.dumps(plain(seen)))) == seen
