"""Checks a whole connection against what RFC 9000 and RFC 9001 demand of it.

How many packets a key may seal depends on the AEAD (RFC 9001 section 6.6): beyond the confidentiality limit an attacker can
tell the packets from random bytes with more than a tiny chance. Packets that the capture lacks are not counted. The integrity
limit, of packets that do not authenticate, is not checked: what a receiver could not open does not show in a capture.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from analyzer.tls.quic.parameter_rules import parameter_problems
from analyzer.tls.quic.transport_facts import APPLICATION, HANDSHAKE, TransportFacts
from analyzer.tls.session_log import ROLES
from analyzer.tls.suites import Suite

CONFIDENTIALITY_LIMITS: Final = {"AES_128_GCM": 1 << 23, "AES_256_GCM": 1 << 23, "AES_128_CCM": 2_965_820}
"""How many packets one key may seal, by the cipher of the suite. That of CCM is 2 to the power of 21.5. ChaCha20-Poly1305
has no limit that a connection can reach."""


def transport_problems(facts: TransportFacts, suite: Suite | None) -> Iterator[tuple[str, str, str]]:
    """Yield the code and severity of a finding, and what is wrong. suite: that of the connection, None if it is not known."""
    for problem in parameter_problems(facts):
        yield "bad_transport_parameter", "medium", problem
    small = facts.sent[0].small
    if small is not None and facts.n_packets(0, HANDSHAKE) > 0:  # else the Initial can be anybody's
        yield (
            "small_initial",
            "low",
            f"the datagram with an Initial packet of the client in frame {small[0]} has {small[1]} bytes",
        )
    limit = None if suite is None else CONFIDENTIALITY_LIMITS.get(suite.cipher)
    for role, who in enumerate(ROLES):
        count = facts.sent[4 * role + APPLICATION].with_one_key
        if limit is not None and count > limit:
            yield (
                "overused_key",
                "medium",
                f"the {who} has protected at least {count} packets with one key; {limit} are allowed",
            )
