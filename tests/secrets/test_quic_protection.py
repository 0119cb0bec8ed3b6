"""Vectors of RFC 9001 appendix A and RFC 9369 appendix A, packet numbers of RFC 9000 appendix A, and key updates."""

import pytest

from analyzer.secrets.decryption_error import DecryptionError
from analyzer.secrets.key_schedule13 import IV_LENGTH
from analyzer.secrets.quic_protection import (
    SHORT_BITS_WITH_LOSS,
    PacketDecryptor,
    has_retry_tag,
    initial_decryptors,
    initial_secrets,
    nearest_number,
)
from analyzer.secrets.quic_versions import VERSION_1, VERSION_2, VERSIONS

CONNECTION_ID = bytes.fromhex("8394c8f03e515708")

CLIENT_FRAMES = bytes.fromhex(
    "060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47f06a2b69484c00000413011302010000c000000010000e00"
    "000b6578616d706c652e636f6dff01000100000a00080006001d0017001800100007000504616c706e00050005010000000000330026002400"
    "1d00209370b2c9caa47fbabaf4559fedba753de171fa71f50f1ce15d43e994ec74d748002b0003020304000d0010000e04030503060302030804"
    "08050806002d00020101001c00024001003900320408ffffffffffffffff05048000ffff07048000ffff0801100104800075300901100f088394"
    "c8f03e51570806048000ffff"
).ljust(1162, b"\0")
SERVER_FRAMES = bytes.fromhex(
    "02000000000600405a020000560303eefce7f7b37ba1d1632e96677825ddf73988cfc79825df566dc5430b9a045a1200130100002e0033002400"
    "1d00209d3c940d89690b84d08a60993c144eca684d1081287c834d5311bcf32bb9da1a002b00020304"
)
CLIENT_HEADERS = {
    VERSION_1: "c300000001088394c8f03e5157080000449e00000002",
    VERSION_2: "d36b3343cf088394c8f03e5157080000449e00000002",
}
CLIENT_PACKETS = {
    VERSION_1: ("c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11", "e221af44860018ab0856972e194cd934"),
    VERSION_2: (
        "d76b3343cf088394c8f03e5157080000449ea0c95e82ffe67b6abcdb4298b485dd04de806071bf03dceebfa162e75d6c",
        "6f4c4938ae79324dc402894b44faf8afbab35282ab659d13c93f70412e85cb199a37ddec600545473cfb5a05e08d0b20"
        "9973b2172b4d21fb69745a262ccde96ba18b2faa745b6fe189cf772a9f84cbfc",
    ),
}
SERVER_PACKETS = {
    VERSION_1: (
        "cf000000010008f067a5502a4262b5004075c0d95a482cd0991cd25b0aac406a5816b6394100f37a1c69797554780bb38cc5a99f5ede4cf7"
        "3c3ec2493a1839b3dbcba3f6ea46c5b7684df3548e7ddeb9c3bf9c73cc3f3bded74b562bfb19fb84022f8ef4cdd93795d77d06edbb7aaf2f"
        "58891850abbdca3d20398c276456cbc42158407dd074ee"
    ),
    VERSION_2: (
        "dc6b3343cf0008f067a5502a4262b5004075d92faaf16f05d8a4398c47089698baeea26b91eb761d9b89237bbf872630179153582300"
        "35f7fd3945d88965cf17f9af6e16886c61bfc703106fbaf3cb4cfa52382dd16a393e42757507698075b2c984c707f0a0812d8cd5a6881eaf"
        "21ceda98f4bd23f6fe1a3e2c43edd9ce7ca84bed8521e2e140"
    ),
}
SECRET = bytes.fromhex("9ac312a7f877468ebe69422748ad00a15443f18203a07d6060f688f30f21632b")
SHORT_PACKETS = {
    VERSION_1: "4cfe4189655e5cd55c41f69080575d7999c25a5bfb",
    VERSION_2: "5558b1c60ae7b6b932bc27d786f4bc2bb20f2162ba",
}
RETRIES = {
    VERSION_1: "ff000000010008f067a5502a4262b5746f6b656e04a265ba2eff4d829058fb3f0f2496ba",
    VERSION_2: "cf6b3343cf0008f067a5502a4262b5746f6b656ec8646ce8bfe33952d955543665dcc7b6",
}
BOTH = [VERSION_1, VERSION_2]


def protect(keys: PacketDecryptor, header: bytes, n_number: int, number: int, frames: bytes) -> bytes:
    """Return a packet with its protection. n_number: how many bytes of `header` are the packet number."""
    made = keys.keys.aead.encrypt((keys.keys.iv ^ number).to_bytes(IV_LENGTH, "big"), frames, header)  # type: ignore[attr-defined]
    mask = keys.masks.mask(made[4 - n_number : 20 - n_number])
    hidden = bytearray(header)
    hidden[0] ^= mask[0] & (0x0F if header[0] & 0x80 else 0x1F)
    for i in range(n_number):
        hidden[len(header) - n_number + i] ^= mask[1 + i]
    return bytes(hidden) + made


def test_initial_secrets_of_rfc_9001_and_9369() -> None:
    assert [secret.hex() for secret in initial_secrets(VERSIONS[VERSION_1], CONNECTION_ID)] == [
        "c00cf151ca5be075ed0ebfb5c80323c42d6b7db67881289af4008f1f6c357aea",
        "3c199828fd139efd216c155ad844cc81fb82fa8d7446fa7d78be803acdda951b",
    ]
    assert [secret.hex() for secret in initial_secrets(VERSIONS[VERSION_2], CONNECTION_ID)] == [
        "14ec9d6eb9fd7af83bf5a668bc17a7e283766aade7ecd0891f70f9ff7f4bf47b",
        "0263db1782731bf4588e7e4d93b7463907cb8cd8200b5da55a8bd488eafc37c1",
    ]


@pytest.mark.parametrize("number", BOTH)
def test_client_initial_of_the_appendix(number: int) -> None:
    keys, _ = initial_decryptors(VERSIONS[number], CONNECTION_ID)
    packet = protect(keys, bytes.fromhex(CLIENT_HEADERS[number]), 4, 2, CLIENT_FRAMES)
    first, last = CLIENT_PACKETS[number]
    assert packet.hex().startswith(first)
    assert packet.hex().endswith(last)
    opened = keys.open(b"before" + packet + b"behind", 6, 6 + 18, 6 + len(packet))
    assert opened is not None
    assert (opened.number, opened.plaintext) == (2, CLIENT_FRAMES)


@pytest.mark.parametrize("number", BOTH)
def test_server_initial_of_the_appendix(number: int) -> None:
    packet = bytes.fromhex(SERVER_PACKETS[number])
    opened = initial_decryptors(VERSIONS[number], CONNECTION_ID)[1].open(packet, 0, 18, len(packet))
    assert opened is not None
    assert (opened.number, opened.plaintext) == (1, SERVER_FRAMES)


@pytest.mark.parametrize("number", BOTH)
def test_chacha20_packet_of_the_appendix(number: int) -> None:
    packet = bytes.fromhex(SHORT_PACKETS[number])
    keys = PacketDecryptor(VERSIONS[number], "CHACHA20_POLY1305", "SHA256", SECRET, True)
    keys.largest = 654360560
    opened = keys.open(packet, 0, 1, len(packet))
    assert opened is not None
    assert (opened.number, opened.plaintext) == (654360564, b"\x01")
    updated = "1223504755036d556342ee9361d253421a826c9ecdf3c7148684b36b714881f9"
    if number == VERSION_2:
        updated = "c69374c49e3d2a9466fa689e49d476db5d0dfbc87d32ceeaa6343fd0ae4c7d88"
    assert keys.keys.updated().secret.hex() == updated


@pytest.mark.parametrize("number", BOTH)
def test_the_tag_of_a_retry(number: int) -> None:
    packet = bytes.fromhex(RETRIES[number])
    assert has_retry_tag(VERSIONS[number], CONNECTION_ID, packet)
    assert not has_retry_tag(VERSIONS[number], CONNECTION_ID[:-1], packet)
    for i in range(len(packet)):
        assert not has_retry_tag(VERSIONS[number], CONNECTION_ID, packet[:i] + bytes([packet[i] ^ 1]) + packet[i + 1 :])
    assert not has_retry_tag(VERSIONS[number], CONNECTION_ID, packet[:16])


def test_retry_of_draft_29_has_another_key() -> None:
    packet = bytes.fromhex("ffff00001d0008f067a5502a4262b5746f6b656ed16926d81f6f9ca2953a8aa4575e1e49")
    assert has_retry_tag(VERSIONS[0xFF00001D], CONNECTION_ID, packet)
    assert not has_retry_tag(VERSIONS[VERSION_1], CONNECTION_ID, packet)


def test_packet_numbers_of_rfc_9000() -> None:
    assert nearest_number(0xA82F30EA, 0x9B32, 2) == 0xA82F9B32
    assert nearest_number(-1, 0, 1) == 0
    assert nearest_number(-1, 255, 1) == 255
    assert nearest_number(255, 0, 1) == 256
    assert nearest_number(256, 255, 1) == 255
    assert nearest_number((1 << 62) - 2, 0, 1) == (1 << 62) - 256


def short(keys: PacketDecryptor, number: int, frames: bytes = b"\x01\0\0\0", n_number: int = 1, phase: int = 0) -> bytes:
    """Return a 1-RTT packet without connection ID. keys: of its generation."""
    header = bytes([0x40 | phase << 2 | n_number - 1]) + (number % 256**n_number).to_bytes(n_number, "big")
    return protect(keys, header, n_number, number, frames)


def test_key_updates_and_packets_that_arrive_after_them() -> None:
    sender, reader = (PacketDecryptor(VERSIONS[VERSION_1], "AES_128_GCM", "SHA256", SECRET, True) for _ in range(2))
    packets = [short(sender, 0), short(sender, 1)]
    sender.keys = sender.keys.updated()
    packets += [short(sender, 2, phase=1), short(sender, 3, phase=1)]
    sender.keys = sender.keys.updated()
    packets += [short(sender, 4), short(sender, 5)]
    for at, generation in ((0, 0), (2, 1), (1, 0), (3, 1), (5, 2), (4, 2)):
        opened = reader.open(packets[at], 0, 1, len(packets[at]))
        assert opened is not None
        assert (opened.number, opened.generation) == (at, generation)


def test_a_whole_phase_that_the_capture_lacks() -> None:
    sender, reader = (PacketDecryptor(VERSIONS[VERSION_1], "AES_256_GCM", "SHA384", SECRET + bytes(16), True) for _ in range(2))
    first = short(sender, 0)
    sender.keys = sender.keys.updated().updated()
    later = short(sender, 90)
    assert reader.open(first, 0, 1, len(first)) is not None
    opened = reader.open(later, 0, 1, len(later))
    assert opened is not None
    assert (opened.number, opened.generation) == (90, 2)


@pytest.mark.parametrize("bits", [0x00, 0x08, 0x10, 0x18])
def test_loss_bits_are_not_hidden(bits: int) -> None:
    sender, reader = (PacketDecryptor(VERSIONS[VERSION_1], "AES_128_GCM", "SHA256", SECRET, True) for _ in range(2))
    hidden = 0
    for number in range(8):
        header = bytes([0x41 | bits, 0, number])
        packet = protect(sender, header, 2, number, b"\x01\0\0\0")
        mask = sender.masks.mask(packet[5:21])
        hidden |= mask[0] & 0x18
        packet = bytes([packet[0] ^ mask[0] & 0x18]) + packet[1:]
        assert packet[0] & 0x18 == bits
        reader.hidden = SHORT_BITS_WITH_LOSS
        opened = reader.open(packet, 0, 1, len(packet))
        assert opened is not None
        assert (opened.number, opened.first) == (number, header[0])
    assert hidden == 0x18


def test_numbers_far_behind_a_gap() -> None:
    sender, reader = (PacketDecryptor(VERSIONS[VERSION_1], "AES_128_CCM", "SHA256", SECRET, True) for _ in range(2))
    packet = short(sender, 9000)
    opened = reader.open(packet, 0, 1, len(packet))
    assert opened is not None
    assert opened.number == 9000
    assert reader.largest == 9000


def test_what_does_not_open_changes_nothing() -> None:
    reader = PacketDecryptor(VERSIONS[VERSION_1], "AES_128_GCM", "SHA256", SECRET, True)
    assert reader.open(bytes(40), 0, 1, 40) is None
    assert reader.open(b"\x44" + bytes(40), 0, 1, 41) is None
    assert reader.open(bytes(20), 0, 1, 20) is None
    assert (reader.largest, reader.keys.generation) == (-1, 0)


def test_wrong_lengths_and_ciphers_are_reported() -> None:
    with pytest.raises(DecryptionError, match="traffic secret of 31 bytes"):
        PacketDecryptor(VERSIONS[VERSION_1], "AES_128_GCM", "SHA256", SECRET[:31])
    with pytest.raises(DecryptionError):
        PacketDecryptor(VERSIONS[VERSION_1], "ARIA_128_GCM", "SHA256", SECRET)
    with pytest.raises(DecryptionError, match="no header protection"):
        PacketDecryptor(VERSIONS[VERSION_1], "CHACHA20_POLY1305_OLD", "SHA256", SECRET)
