"""Which keys a role of TLS 1.3 uses after a message."""

import pytest

from analyzer.tls.events import handshake_message
from analyzer.tls.handshake.key_changes import changed_epoch, changed_keys
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


def test_a_server_hello_changes_the_keys_of_both_unless_early_data_may_follow():
    said = handshake_message(2, "server_hello", 1, 7, 9, 4, b"", None, [], False)
    assert [(one.epoch, one.role, one.frame) for one in changed_keys(said, RoleState(1), False)] == [
        ("handshake", 0, 7),
        ("handshake", 1, 7),
    ]
    assert [one.role for one in changed_keys(said, RoleState(1), True)] == [1]
    assert changed_keys(handshake_message(1, "client_hello", 0, 7, 9, 4, b"", None, [], False), RoleState(0), False) == []
