"""Guesses what a server did not find in a ClientHello that it refuses with handshake_failure and without a word more.

RFC 9846 section 4.2.1 and RFC 5246 section 7.4.1.3 have the same alert for no common cipher suite, no common group and no
common signature scheme. Programs offer dozens of each, unless somebody has limited them. So a list with one or two entries is
where to look first. A server that shares all of them refuses for another reason, which no byte shows: the guess is never
certain.
"""

from analyzer.analysis.outcome_facts import LIKELY, POSSIBLE
from analyzer.codec.registry import registry
from analyzer.tls.handshake.client_offer import ClientOffer

FEW_GROUPS, FEW_SCHEMES, FEW_SUITES = 2, 3, 4
"""Entries up to which a list was limited by somebody."""

SHOWN = 6

_SIGNALS = frozenset({0x00FF, 0x5600})
"""Values in the list of cipher suites that are none (RFC 5746, RFC 7507)."""


def refused_offer(offer: ClientOffer | None) -> tuple[str, str, str]:
    """Return the likeliest cause: its code, how sure it is, and what the client offers."""
    if offer is None:
        return "no_common_cipher_suite", POSSIBLE, ""
    suites = [number for number in offer.suites if number not in _SIGNALS]
    if offer.offers_13:
        suites = [number for number in suites if number >> 8 == 0x13] if _only_13(offer) else suites
    lists = [
        (len(suites) / FEW_SUITES, "no_common_cipher_suite", "cipher suites", "cipher_suites", suites),
        (len(offer.groups or ()) / FEW_GROUPS, "no_common_group", "groups", "supported_groups", list(offer.groups or ())),
        (len(offer.schemes or ()) / FEW_SCHEMES, "no_common_signature_scheme", "signature schemes", "signature_schemes",
         list(offer.schemes or ())),
    ]  # fmt: skip
    limited = [one for one in lists if 0 < one[0] <= 1]
    _, code, kind, name, numbers = min(limited, key=lambda one: one[0]) if limited else lists[0]
    names = registry(name).names
    shown = ", ".join(names[number] for number in numbers[:SHOWN]) + (", …" if len(numbers) > SHOWN else "")
    certainty = LIKELY if len(limited) == 1 else POSSIBLE
    return code, certainty, f"the client offers {len(numbers)} {kind}: {shown}" if numbers else ""


def _only_13(offer: ClientOffer) -> bool:
    return offer.versions is not None and all(version >= 0x0304 for version in offer.versions)
