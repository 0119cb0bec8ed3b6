"""Which keys a role of TLS 1.3 uses after a message."""

import pytest

from analyzer.tls.events import handshake_message
from analyzer.tls.handshake.key_changes import changed_epoch
from analyzer.tls.handshake.states import RoleState


@pytest.mark.parametrize(
    ("number", "name", "encrypted", "epoch"),
    [
        (2, "server_hello", False, "handshake"),
        (2, "hello_retry_request", False, ""),
        (1, "client_hello", False, ""),
        (5, "end_of_early_data", True, "handshake"),
        (8, "encrypted_extensions", True, ""),
        (20, "finished", True, "application"),
        (20, "finished", False, ""),
        (24, "key_update", True, "updated"),
    ],
)
def test_the_epoch_that_a_message_begins(number: int, name: str, encrypted: bool, epoch: str):
    said = handshake_message(number, name, 1, 1, 0, 4, b"", None, [], encrypted)
    assert changed_epoch(said, RoleState(1)) == epoch


def test_only_the_first_finished_begins_one():
    sender = RoleState(0)
    said = handshake_message(20, "finished", 0, 1, 0, 4, b"", None, [], True)
    assert [changed_epoch(said, sender) for _ in range(2)] == ["application", ""]
