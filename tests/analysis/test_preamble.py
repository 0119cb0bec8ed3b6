"""Entries of what stood before TLS have all keys, and only short text of the wire."""

from analyzer.analysis.preamble import KEYS, authority, entry, place, text


def test_an_entry_has_all_keys():
    assert tuple(entry("smtp")) == KEYS
    assert entry("smtp", user="me")["user"] == "me"
    assert entry("smtp")["details"] is not entry("smtp")["details"]


def test_text_is_short_and_readable():
    assert text(b"a\xff\x1b") == "a\\xff\x1b"
    assert len(text(b"a" * 1000)) == 255


def test_an_authority():
    assert authority(b"a.test:443") == {"host": "a.test", "port": 443}
    assert authority(b"[2001:db8::1]:8443") == {"host": "2001:db8::1", "port": 8443}
    assert authority(b"a.test") == {"host": "a.test", "port": None}
    assert authority(b"a.test:99999") == {"host": "a.test:99999", "port": None}
    assert len(place("a" * 1000, 1)["host"]) == 255
