"""A certificate and its key are compared with those of the first host that had them, once for each host."""

from hierarchy import hierarchy

from analyzer.analysis.certificate_places import CertificatePlaces


def key(host: int) -> bytes:
    return bytes((10, 0, 0, 1, 10, 0, 0, host)) + b"\xc3\x50\x01\xbb"


def test_each_host_is_told_once():
    places, leaf = CertificatePlaces(), hierarchy().leaf.der
    told = []
    for session, host in enumerate((2, 3, 3, 4, 2, 4)):
        known = places.knows(key(host), leaf, None)
        told += [] if known else places.take(session, session + 1, leaf, key(host), None)
    assert [finding.code for finding in told] == ["shared_certificate"] * 2
    assert [finding.frames for finding in told] == [[1, 2], [1, 4]]
    assert "10.0.0.3" in told[0].detail
    assert "in session 0" in told[0].detail


def test_a_full_memory_repeats_nothing(monkeypatch):
    places, leaf = CertificatePlaces(), hierarchy().leaf.der
    assert not places.take(0, 1, leaf, key(2), b"a.test")
    assert len(places.take(1, 2, leaf, key(3), b"b.test")) == 1
    places.known.clear()
    assert not places.knows(key(3), leaf, b"b.test")
    assert not places.take(2, 3, leaf, key(3), b"b.test")
    for number in range(4096 + 10):
        places.knows(key(2), leaf, b"%d.test" % number)
    assert len(places.known) <= 4096


def test_what_is_no_certificate_is_compared_too():
    places = CertificatePlaces()
    assert not places.take(0, 1, b"\xff" * 40, key(2), None)
    (finding,) = places.take(1, 2, b"\xff" * 40, key(3), "\u202e\x1b".encode())
    assert finding.code == "shared_certificate"
