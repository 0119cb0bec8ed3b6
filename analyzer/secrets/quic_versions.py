"""The constants of each version of QUIC that packet protection needs.

Initial packets are protected with keys that follow from a connection ID and a salt (RFC 9001 section 5.2), and a Retry has a
tag made with a fixed key (RFC 9001 section 5.8). Version 2 has other constants, other labels and other packet types, so that
nothing on the path gets used to those of version 1 (RFC 9369 section 3). The drafts from 27 on differ from version 1 only in
the constants; 33 and 34 have those of version 1.
"""

from dataclasses import dataclass

INITIAL, ZERO_RTT, HANDSHAKE, RETRY = 0, 1, 2, 3
"""The types of long headers as version 1 numbers them (RFC 9000 section 17.2)."""

VERSION_1, VERSION_2 = 0x00000001, 0x6B3343CF


@dataclass(frozen=True, slots=True)
class QuicVersion:
    """What a version of QUIC prescribes.

    number: as on the wire. salt: of the Initial secret. retry_key, retry_nonce: of the integrity tag of a Retry. key, iv, hp,
    ku: the labels of what is derived from a secret. types: for each value of the two bits of a long header, its type, INITIAL
    and so on.
    """

    number: int
    salt: bytes
    retry_key: bytes
    retry_nonce: bytes
    key: bytes = b"quic key"
    iv: bytes = b"quic iv"
    hp: bytes = b"quic hp"
    ku: bytes = b"quic ku"
    types: tuple[int, int, int, int] = (INITIAL, ZERO_RTT, HANDSHAKE, RETRY)


def _draft(number: int) -> QuicVersion:
    if number >= 33:
        return QuicVersion(0xFF000000 | number, _VERSION_1.salt, _VERSION_1.retry_key, _VERSION_1.retry_nonce)
    if number < 29:
        return QuicVersion(
            0xFF000000 | number,
            bytes.fromhex("c3eef712c72ebb5a11a7d2432bb46365bef9f502"),
            bytes.fromhex("4d32ecdb2a2133c841e4043df27d4430"),
            bytes.fromhex("4d1611d05513a552c587d575"),
        )
    return QuicVersion(
        0xFF000000 | number,
        bytes.fromhex("afbfec289993d24c9e9786f19c6111e04390a899"),
        bytes.fromhex("ccce187ed09a09d05728155a6cb96be1"),
        bytes.fromhex("e54930f97f2136f0530a8c1c"),
    )


_VERSION_1 = QuicVersion(
    VERSION_1,
    bytes.fromhex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a"),
    bytes.fromhex("be0c690b9f66575a1d766b54e368c84e"),
    bytes.fromhex("461599d35d632bf2239825bb"),
)
_VERSION_2 = QuicVersion(
    VERSION_2,
    bytes.fromhex("0dede3def700a6db819381be6e269dcbf9bd2ed9"),
    bytes.fromhex("8fb4b01b56ac48e260fbcbcead7ccc92"),
    bytes.fromhex("d86969bc2d7c6d9990efb04a"),
    b"quicv2 key",
    b"quicv2 iv",
    b"quicv2 hp",
    b"quicv2 ku",
    (RETRY, INITIAL, ZERO_RTT, HANDSHAKE),
)

VERSIONS: dict[int, QuicVersion] = {
    version.number: version for version in (_VERSION_1, _VERSION_2, *(_draft(number) for number in range(27, 35)))
}
"""The versions that can be read, by number."""
