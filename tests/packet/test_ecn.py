"""The ECN codepoint before a datagram."""

import pytest

from analyzer.packet.ecn import codepoint_before

IP4 = bytes.fromhex("45000030000100004011000000000000c0000201")[:20]
UDP = bytes.fromhex("c00001bb001c0000")


@pytest.mark.parametrize("codepoint", range(4))
def test_a_plain_header(codepoint: int) -> None:
    four = bytes([0x45, 0xB8 | codepoint, 0, 48]) + IP4[4:]
    frame = bytes(14) + four + UDP + bytes(20)
    assert codepoint_before(frame, 42, 12) == codepoint
    six = bytes([0x6B, 0x80 | codepoint << 4, 0, 0, 0, 28, 17, 64]) + bytes(32)
    assert codepoint_before(bytes(14) + six + UDP + bytes(20), 62, 36) == codepoint


def test_anything_else_is_not_known() -> None:
    frame = bytes(14) + IP4 + UDP + bytes(20)
    assert codepoint_before(frame, 42, 12) == 0
    for at, value in ((14, 0x46), (23, 6), (17, 49), (39, 1)):
        changed = bytearray(frame)
        changed[at] = value
        assert codepoint_before(bytes(changed), 42, 12) == -1
    assert codepoint_before(frame, 8, 12) == -1
    assert codepoint_before(frame, 42, 36) == -1
    assert codepoint_before(frame[:20], 42, 12) == -1
