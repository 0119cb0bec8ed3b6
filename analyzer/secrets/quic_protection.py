"""Removes the protection of QUIC packets, given a traffic secret (RFC 9001 section 5).

A packet has two protections. The AEAD covers the payload, with the header as associated data and the packet number in the
nonce. Header protection hides the packet number, its length and the key phase: a block cipher turns a sample of the ciphertext
into a mask. The header carries only the last bytes of a packet number; the number nearest to the one expected next is meant
(RFC 9000 appendix A.3). Keys of 1-RTT packets can be updated: the next secret follows from the current one, and a bit of the
header, the key phase, says which one is in use; the key of header protection stays (RFC 9001 section 6).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from analyzer.codec.byte_slices import slice_bytes
from analyzer.secrets.ciphers import Aead, AeadKind, aead_kind, invalid_tag
from analyzer.secrets.decryption_error import UNSUPPORTED_CIPHER, WRONG_SECRET, DecryptionError
from analyzer.secrets.key_schedule13 import IV_LENGTH, expand_label, extract
from analyzer.secrets.quic_versions import QuicVersion
from analyzer.secrets.suite_interface import Suite, hash_sizes

if TYPE_CHECKING:
    import cython

SAMPLE = 16
"""Bytes of ciphertext from which the mask of header protection is made (RFC 9001 section 5.4.2)."""

LONGEST_NUMBER = 4
"""Bytes of the longest packet number; the sample begins so many bytes after the first one of the packet number."""

RETRY_TAG = 16
"""Length in bytes of the tag of a Retry (RFC 9001 section 5.8)."""

FARTHEST_WINDOW = 48
"""How many further windows of packet numbers are tried where the capture may lack packets. 1 byte spans 256 numbers."""

MAX_ATTEMPTS = 1 << 16
"""How many attempts that failed a direction has for this: strangers can send packets that open with nothing."""

MAX_UPDATES = 3
"""How many key updates in a row are tried at a packet that opens with no key: the capture may lack all packets of a phase."""

SHORT_BITS, SHORT_BITS_WITH_LOSS = 0x1F, 0x07
"""The bits of the first byte of a short header that header protection hides: all from the reserved ones on (RFC 9001 section
5.4.1), or all behind these two, where they are the loss bits (draft-ferrieuxhamchaoui-quic-lossbits)."""

_LONG, _KEY_PHASE = 0x80, 0x04
_LARGEST_NUMBER = (1 << 62) - 1

# In the compiled build these are C variables, which other modules cannot see.
_NUMBER_AT = IV_LENGTH - 8
_SAMPLE, _LONGEST_NUMBER, _FARTHEST_WINDOW, _MAX_UPDATES = SAMPLE, LONGEST_NUMBER, FARTHEST_WINDOW, MAX_UPDATES


class OpenedPacket:
    """A packet without its protection.

    number: the whole packet number. first: the first byte of the header. plaintext: its frames. generation: how often its keys
    were updated.
    """

    __slots__ = ("first", "generation", "number", "plaintext")

    def __init__(self, number: cython.longlong, first: cython.int, plaintext: bytes, generation: cython.int) -> None:
        self.number = number
        self.first = first
        self.plaintext = plaintext
        self.generation = generation


class PacketKeys:
    """The AEAD of one direction in one generation of keys.

    version: whose labels are used. secret: the traffic secret. n_packets: how many packets it has opened. following: the keys
    after the next key update, None before they are needed. unseal: the method of `aead` that decrypts. nonce: of the last
    packet; low: the last 8 bytes of `iv`, with which packet numbers are combined.
    """

    __slots__ = (
        "aead", "following", "generation", "hash_name", "iv", "kind", "low", "n_packets", "nonce", "secret", "unseal",
        "version",
    )  # fmt: skip

    def __init__(self, version: QuicVersion, kind: AeadKind, hash_name: str, secret: bytes, generation: int = 0) -> None:
        self.version = version
        self.kind = kind
        self.hash_name = hash_name
        self.secret = secret
        self.generation = generation
        self.n_packets = 0
        self.following: PacketKeys | None = None
        self.aead: Aead = kind.build(expand_label(hash_name, secret, version.key, b"", kind.key))
        self.unseal: Any = self.aead.decrypt
        self.nonce = bytearray(expand_label(hash_name, secret, version.iv, b"", IV_LENGTH))
        self.iv = int.from_bytes(self.nonce, "big")
        self.low = int.from_bytes(self.nonce[IV_LENGTH - 8 :], "big", signed=True)

    def updated(self) -> PacketKeys:
        """Return the keys after the next key update (RFC 9001 section 6.1). They are made once."""
        if self.following is None:
            secret = expand_label(self.hash_name, self.secret, self.version.ku, b"", len(self.secret))
            self.following = PacketKeys(self.version, self.kind, self.hash_name, secret, self.generation + 1)
        return self.following

    def decrypt(self, number: cython.longlong, ciphertext: bytes, header: bytearray) -> bytes | None:
        """Return the frames of a packet; None if its tag is wrong for this packet number."""
        nonce: bytearray = self.nonce
        low: cython.longlong = self.low ^ number
        i: cython.int
        for i in range(8):
            nonce[_NUMBER_AT + i] = (low >> (56 - 8 * i)) & 0xFF
        try:
            opened: bytes = self.unseal(nonce, ciphertext, header)
        except invalid_tag():
            return None
        self.n_packets += 1
        return opened


class PacketDecryptor:
    """Opens the packets of one direction in one encryption level.

    keys: those in use; earlier, later: of the phases before and after, None if unknown. largest: the largest packet number
    opened, or acknowledged by the peer, so far; -1 before. since: the first packet number opened with the keys in use. updates:
    whether keys can be updated, in 1-RTT packets. tag: bytes of the tag of the AEAD. attempts: see MAX_ATTEMPTS. header: of the
    last packet, without its protection. hidden: the bits of the first byte of a short header that are masked, see SHORT_BITS.
    """

    __slots__ = ("attempts", "earlier", "header", "hidden", "keys", "largest", "later", "masks", "since", "tag", "updates")

    def __init__(
        self, version: QuicVersion, suite_cipher: str, hash_name: str, secret: bytes, updates: cython.bint = False
    ) -> None:
        """suite_cipher: such as AES_128_GCM. Raises DecryptionError: unsupported_cipher, or wrong_secret for a wrong length."""
        if len(secret) != hash_sizes(hash_name)[1]:
            detail = f"a traffic secret of {len(secret)} bytes, not the {hash_sizes(hash_name)[1]} of the suite's hash"
            raise DecryptionError(WRONG_SECRET, detail)
        kind = aead_kind(suite_cipher)
        self.keys: PacketKeys = PacketKeys(version, kind, hash_name, secret)
        self.earlier: PacketKeys | None = None
        self.later: PacketKeys | None = None
        self.header = bytearray()
        self.hidden = SHORT_BITS
        self.masks: HeaderMasks = header_masks(suite_cipher, expand_label(hash_name, secret, version.hp, b"", kind.key))
        self.largest = -1
        self.since = -1
        self.updates = updates
        self.tag = kind.tag
        self.attempts = MAX_ATTEMPTS

    def open(
        self, data: bytes, start: cython.Py_ssize_t, number_at: cython.Py_ssize_t, end: cython.Py_ssize_t
    ) -> OpenedPacket | None:
        """Return the packet `data[start:end]` without its protection, or None if it does not open.

        number_at: the position of its packet number in `data`. end: behind its tag.
        """
        if end - number_at < _LONGEST_NUMBER + _SAMPLE:
            return None
        sampled: cython.Py_ssize_t = number_at + _LONGEST_NUMBER
        mask: bytes = self.masks.mask(slice_bytes(data, sampled, sampled + _SAMPLE))
        first: cython.int = data[start]
        first ^= mask[0] & (0x0F if first & _LONG else self.hidden)
        n_bytes: cython.Py_ssize_t = (first & 3) + 1
        n_before: cython.Py_ssize_t = number_at - start
        header: bytearray = self.header
        if len(header) != n_before + n_bytes:
            header = self.header = bytearray(n_before + n_bytes)
        truncated: cython.longlong = 0
        i: cython.Py_ssize_t
        for i in range(n_before):
            header[i] = data[start + i]
        header[0] = first
        for i in range(n_bytes):
            header[n_before + i] = data[number_at + i] ^ mask[1 + i]
            truncated = truncated << 8 | header[n_before + i]
        number: cython.longlong = nearest_number(self.largest, truncated, n_bytes)
        ciphertext: bytes = slice_bytes(data, number_at + n_bytes, end)
        if not self.updates or first & _LONG:
            return self._open_in(self.keys, number, first, n_bytes, ciphertext, header)
        return self._open_short(number, first, n_bytes, ciphertext, header)

    def fits(self, data: bytes, number_at: cython.Py_ssize_t) -> cython.bint:
        """Return whether a 1-RTT packet opens with the keys in use, without trying anything else. It costs one decryption."""
        attempts: cython.longlong = self.attempts
        updates: cython.bint = self.updates
        self.attempts, self.updates = 0, False
        opened = self.open(data, 0, number_at, len(data))
        self.attempts, self.updates = attempts, updates
        return opened is not None

    def _open_short(
        self, number: cython.longlong, first: cython.int, n_bytes: cython.Py_ssize_t, ciphertext: bytes, header: bytearray
    ) -> OpenedPacket | None:
        """Open a 1-RTT packet, with the keys that its phase and its number suggest."""
        same: cython.bint = (first & _KEY_PHASE != 0) == (self.keys.generation & 1 != 0)
        if same:
            opened = self._open_in(self.keys, number, first, n_bytes, ciphertext, header)
            if opened is not None:
                return opened
        elif self.earlier is not None and number < self.since:
            opened = self._open_in(self.earlier, number, first, n_bytes, ciphertext, header)
            if opened is not None:
                return opened
        if self.later is None:
            self.later = self.keys.updated()
        following: PacketKeys = self.later
        before: PacketKeys = self.keys
        step: cython.int
        for step in range(_MAX_UPDATES):
            if (first & _KEY_PHASE != 0) == (following.generation & 1 != 0):
                opened = self._open_in(following, number, first, n_bytes, ciphertext, header)
                if opened is not None:
                    self.earlier = before
                    self.keys = following
                    self.later = None
                    self.since = opened.number
                    return opened
            if step + 1 < _MAX_UPDATES:
                before = following
                following = following.updated()
        return None

    def _open_in(
        self,
        keys: PacketKeys,
        number: cython.longlong,
        first: cython.int,
        n_bytes: cython.Py_ssize_t,
        ciphertext: bytes,
        header: bytearray,
    ) -> OpenedPacket | None:
        """Open a packet with these keys. Where packets may be missing, later numbers with the same last bytes are tried too."""
        plaintext = keys.decrypt(number, ciphertext, header)
        one: cython.longlong = 1
        window: cython.longlong = one << (8 * n_bytes)
        tried: cython.int = 0
        reach: cython.int = _FARTHEST_WINDOW if self.attempts > 0 else 0
        while plaintext is None and tried < reach and number + window <= _LARGEST_NUMBER:
            tried += 1
            number += window
            plaintext = keys.decrypt(number, ciphertext, header)
        if plaintext is None:
            self.attempts -= tried
            return None
        self.largest = max(self.largest, number)
        return OpenedPacket(number, first, plaintext, keys.generation)


class HeaderMasks:
    """Makes the masks of header protection: those of a packet that has none, before there is a cipher."""

    __slots__ = ()

    def mask(self, sample: bytes) -> bytes:
        """Return the mask of a sample; the first 5 bytes count."""
        return sample


class AesMasks(HeaderMasks):
    """Masks of header protection by AES (RFC 9001 section 5.4.3)."""

    __slots__ = ("_encrypt",)

    def __init__(self, key: bytes) -> None:
        self._encrypt = Cipher(algorithms.AES(key), modes.ECB()).encryptor().update  # noqa: S305 - as the RFC prescribes

    def mask(self, sample: bytes) -> bytes:
        """See `HeaderMasks.mask`."""
        made: bytes = self._encrypt(sample)
        return made


class ChaChaMasks(HeaderMasks):
    """Masks of header protection by ChaCha20 (RFC 9001 section 5.4.4): the sample is counter and nonce."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    def mask(self, sample: bytes) -> bytes:
        """See `HeaderMasks.mask`."""
        return Cipher(algorithms.ChaCha20(self._key, sample), None).encryptor().update(bytes(5))


def header_masks(suite_cipher: str, key: bytes) -> HeaderMasks:
    """Return what makes the masks of header protection. Raises DecryptionError for a cipher that QUIC does not have."""
    if suite_cipher.startswith("AES_"):
        return AesMasks(key)
    if suite_cipher == "CHACHA20_POLY1305":
        return ChaChaMasks(key)
    raise DecryptionError(UNSUPPORTED_CIPHER, f"no header protection for {suite_cipher}")


def nearest_number(largest: cython.longlong, truncated: cython.longlong, n_bytes: cython.Py_ssize_t) -> cython.longlong:
    """Return the packet number that ends in `truncated`, `n_bytes` long, and is nearest to `largest` + 1 (RFC 9000 A.3)."""
    one: cython.longlong = 1
    window: cython.longlong = one << (8 * n_bytes)
    expected: cython.longlong = largest + 1
    candidate: cython.longlong = (expected & ~(window - 1)) | truncated
    if candidate + window // 2 <= expected and candidate + window <= _LARGEST_NUMBER:
        return candidate + window
    if candidate > expected + window // 2 and candidate >= window:
        return candidate - window
    return candidate


def initial_secrets(version: QuicVersion, connection_id: bytes) -> tuple[bytes, bytes]:
    """Return the Initial secrets of client and server (RFC 9001 section 5.2).

    connection_id: the Destination Connection ID of the client's first Initial, or of the first one after a Retry.
    """
    common = extract("SHA256", version.salt, connection_id)
    return expand_label("SHA256", common, b"client in", b"", 32), expand_label("SHA256", common, b"server in", b"", 32)


def initial_decryptors(version: QuicVersion, connection_id: bytes) -> tuple[PacketDecryptor, PacketDecryptor]:
    """Return what opens the Initial packets of client and server. Parameters as `initial_secrets`."""
    client, server = initial_secrets(version, connection_id)
    return PacketDecryptor(version, "AES_128_GCM", "SHA256", client), PacketDecryptor(version, "AES_128_GCM", "SHA256", server)


def packet_decryptor(version: QuicVersion, suite: Suite, secret: bytes, updates: bool = False) -> PacketDecryptor:
    """Return what opens the packets of one direction. Raises DecryptionError as `PacketDecryptor`."""
    return PacketDecryptor(version, suite.cipher, suite.prf_hash, secret, updates)


def has_retry_tag(version: QuicVersion, connection_id: bytes, packet: bytes) -> bool:
    """Return whether the integrity tag of a Retry is right (RFC 9001 section 5.8).

    connection_id: the Destination Connection ID of the Initial that it answers. packet: the whole Retry.
    """
    if len(packet) <= RETRY_TAG:
        return False
    end: cython.Py_ssize_t = len(packet) - RETRY_TAG
    pseudo = bytes([len(connection_id)]) + connection_id + packet[:end]
    made: bytes = AESGCM(version.retry_key).encrypt(version.retry_nonce, b"", pseudo)
    return made == packet[end:]
