"""The inner hello of Encrypted Client Hello as fields: beside the outer one where the key log opens it, and not without."""

from pathlib import Path

import pytest

from analyzer.filters.inner_hellos import encoded_inner
from analyzer.tls.events import HandshakeMessage
from analyzer.tls.messages.numbers import CLIENT_HELLO
from tests.filters.field_readings import fields_of, keylog_of, readings

NAMES = ("tls.handshake.extensions_server_name", "tls.ech.client_hello_type", "tls.handshake.random")


def hellos(folder: Path, keys: Path | None):
    (path,) = folder.glob("*.pcapng")
    rows = enumerate(readings(path, fields_of(*NAMES), keys, engine=True), 1)
    return {number: values for number, values in rows if values[1]}


@pytest.mark.parametrize(
    ("name", "frames"), [("ech-accepted", [4]), ("ech-rejected", [4]), ("ech-hello-retry-request", [4, 12])]
)
def test_both_hellos_have_fields_with_the_secrets_of_the_outer_one(repository, name, frames):
    folder = repository / "captures" / name
    (keys,) = folder.glob("*.keys")
    opened, closed = hellos(folder, keys), hellos(folder, None)
    for frame in frames:
        names, types, randoms = opened[frame]
        assert (names, types) == (["public.example.com", "secret.example.com"], [0, 1])
        assert len(set(randoms)) == 2
        assert [values[:1] for values in closed[frame][:2]] == [["public.example.com"], [0]]
        assert closed[frame][2] == randoms[:1]


def test_a_cut_or_changed_hello_has_no_inner_one(repository):
    from analyzer.capture.capture_reader import CaptureReader
    from analyzer.engine import Engine, run
    from analyzer.engine.run import Listener

    folder = repository / "captures" / "ech-accepted"
    (path,), (keys,) = folder.glob("*.pcapng"), folder.glob("*.keys")
    kept = []

    class Kept(Listener):
        def take(self, events):
            kept.extend(one for one in events if isinstance(one, HandshakeMessage) and one.type == CLIENT_HELLO)

    run(CaptureReader([str(path)]), Engine(detailed=True), [Kept()])
    (message,), keylog = kept, keylog_of(keys)
    whole = message.raw
    assert encoded_inner(message, keylog)
    assert encoded_inner(message, None) == b""
    for place in range(38, len(whole), 7):
        message.raw = whole[:place] + bytes((whole[place] ^ 1,)) + whole[place + 1 :]
        assert encoded_inner(message, keylog) == b""
    for end in range(0, len(whole), 5):
        message.raw = whole[:end]
        assert encoded_inner(message, keylog) == b""
