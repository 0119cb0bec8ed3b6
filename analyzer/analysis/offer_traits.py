"""Says what a ClientHello offers, for an inventory: versions, groups that resist quantum computers, and what is weak among it.

An offer is no agreement. A client that offers TLS 1.0 or RC4 would accept it, and only the server decides whether it comes to
that; so both are listed apart. Without the extension supported_versions a ClientHello names the highest version alone (RFC 5246
section 7.4.1.2), and says nothing of the lower ones.

What all clients of a day offer for servers of the past is left out: RSA key transport and CBC. Clients send few kinds of hello,
so the traits of each are read once and remembered.
"""

from typing import NamedTuple

from analyzer.analysis.hello_offers import post_quantum_groups
from analyzer.analysis.weak_cryptography import weak_suite, weak_version
from analyzer.codec.registry import is_grease, registry
from analyzer.tls.handshake.hello_features import LONGEST_REMEMBERED, FingerprintInput
from analyzer.tls.messages.numbers import TLS_1_2
from analyzer.tls.suites import suite

REMEMBERED = 4096
"""Maximum number of hellos whose traits are kept."""

_UNSAID = frozenset({"no_forward_secrecy", "mac_then_encrypt"})
"""What is weak and offered by nearly all clients."""

_LARGEST_SUITE = 0xFFFF

_known: dict[int, tuple[FingerprintInput, "OfferTraits"]] = {}
"""By the identity of the fingerprint input, which equal hellos share; an entry keeps it alive."""


class OfferTraits(NamedTuple):
    """What a ClientHello offers.

    versions: names, in the order of the hello. listed: whether it lists them; else `versions` has only the highest.
    post_quantum: names of groups. weak: codes of findings that a session would have that agreed on what is offered.
    """

    versions: tuple[str, ...]
    listed: bool
    post_quantum: tuple[str, ...]
    weak: tuple[str, ...]


def offer_traits(offer: FingerprintInput) -> OfferTraits:
    """Return the traits of a hello that is whole, from the parts that fingerprints use."""
    known = _known.get(id(offer))
    if known is not None:
        return known[1]
    traits = _read(offer)
    if len(offer[1]) + len(offer[2]) < LONGEST_REMEMBERED:
        if len(_known) >= REMEMBERED:
            _known.clear()
        _known[id(offer)] = offer, traits
    return traits


def _read(offer: FingerprintInput) -> OfferTraits:
    legacy, suites, _, groups, _, schemes, listed, _ = offer
    versions = tuple(dict.fromkeys(number for number in listed if not is_grease(number))) or (legacy,)
    names, group_names = registry("versions").names, registry("supported_groups").names
    weak = [code for number in versions for code, _, _ in weak_version(number)]
    for number in dict.fromkeys(suites):
        chosen = suite(number) if number <= _LARGEST_SUITE else None
        if chosen is not None:
            weak += [code for code, _, _ in weak_suite(TLS_1_2, chosen, False)]
    if any(_is_weak_scheme(number) for number in schemes):
        weak.append("weak_signature_hash")
    return OfferTraits(
        tuple(names[number] for number in versions),
        bool(listed),
        tuple(dict.fromkeys(group_names[number] for number in groups if number in post_quantum_groups())),
        tuple(sorted(set(weak) - _UNSAID)),
    )


def _is_weak_scheme(number: int) -> bool:
    """Return whether a signature scheme uses MD5 or SHA-1 (RFC 9155)."""
    return registry("signature_schemes").names[number].endswith(("_sha1", "_md5"))
