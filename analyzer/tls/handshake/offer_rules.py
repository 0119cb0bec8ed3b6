"""Has the rules that a ClientHello can break by itself, whatever the server answers (RFC 9846 section 4.2.2 and 4.3).

A server that follows the rules ends the handshake with illegal_parameter or missing_extension. One that does not may choose
between two values where another implementation chooses the other one. GREASE (RFC 8701) breaks none of these rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from analyzer.codec.field_spec import Extension
from analyzer.codec.registry import registry
from analyzer.tls.handshake.client_offer import PSK_KEY_EXCHANGE_MODES, Breach, ClientOffer
from analyzer.tls.handshake.message_order import rule
from analyzer.tls.messages.numbers import (
    COOKIE,
    EARLY_DATA,
    KEY_SHARE,
    PRE_SHARED_KEY,
    SERVER_NAME,
    SIGNATURE_ALGORITHMS,
    SUPPORTED_GROUPS,
    TLS_1_2,
)

if TYPE_CHECKING:
    import cython

SMALLEST_LIMIT = 64
"""Bytes of the smallest record size limit (RFC 8449 section 4)."""

HEARTBEAT_MODES = (1, 2)
"""Whether a peer may send heartbeats (registry `heartbeat_modes`)."""

PADDING = _PADDING = 21  # the second one is a C variable in the compiled build

UNCOMPRESSED = 0
"""The point format that both sides have to support (registry `ec_point_formats`)."""


def offer_breaches(offer: ClientOffer) -> Iterator[Breach]:
    """Yield what a ClientHello breaks."""
    yield from repeated_extensions("ClientHello", offer.types, rule(9846, "4.3") if offer.offers_13 else rule(5246, "7.4.1.4"))
    if offer.offers_13:
        yield from _breaches_13(offer)
    elif 0 not in offer.compression:
        yield _faulty(f"the ClientHello does not offer the compression method NULL ({rule(5246, '7.4.1.2')})")
    if offer.point_formats is not None and UNCOMPRESSED not in offer.point_formats and not offer.offers_13:
        yield _faulty(f"the point formats of the ClientHello lack uncompressed ({rule(8422, '5.1.2')})")
    yield from _values(offer)


def _values(offer: ClientOffer) -> Iterator[Breach]:
    """Yield the values in extensions of a ClientHello that are not allowed."""
    if offer.heartbeat is not None and offer.heartbeat not in HEARTBEAT_MODES:
        yield _faulty(f"the ClientHello has the heartbeat mode {offer.heartbeat}, which is neither 1 nor 2 ({rule(6520, '2')})")
    if offer.fragment_length is not None and not registry("max_fragment_lengths").known(offer.fragment_length):
        code = offer.fragment_length
        yield _faulty(f"the ClientHello asks for the max_fragment_length {code}, which has no meaning ({rule(6066, '4')})")
    if offer.record_size_limit is not None and offer.record_size_limit < SMALLEST_LIMIT:
        limit = offer.record_size_limit
        yield _faulty(f"the ClientHello has a record size limit of {limit} bytes, under {SMALLEST_LIMIT} ({rule(8449, '4')})")
    if offer.renegotiated:
        yield _faulty(
            f"the first ClientHello of the connection has a renegotiation_info that is not empty ({rule(5746, '3.4')})"
        )


def content_breaches(hello: Any) -> Sequence[Breach]:
    """Return what is wrong with parts of a ClientHello that differ from connection to connection."""
    found: list[Breach] = []
    extension: Extension
    for extension in hello.extensions or ():
        number: cython.int = extension.type
        if number == SERVER_NAME:
            names = getattr(extension.body, "server_name_list", None)
            if names is not None and len(names) > 1 and len({entry.name_type for entry in names}) < len(names):
                found.append(_faulty(f"the ClientHello has several server names of the same type ({rule(6066, '3')})"))
        elif number == _PADDING:
            padding = getattr(extension.body, "padding", None)
            if padding and padding.count(0) != len(padding):
                found.append(_faulty(f"the padding of the ClientHello is not all zeros ({rule(7685, '3')})"))
        elif number == PRE_SHARED_KEY:
            identities, binders = getattr(extension.body, "identities", None), getattr(extension.body, "binders", None)
            if identities is not None and binders is not None and len(identities) != len(binders):
                pair = len(identities), len(binders)
                detail = f"the ClientHello has {pair[0]} pre-shared keys and {pair[1]} binders ({rule(9846, '4.3.11')})"
                found.append(_faulty(detail))
    return found or ()


def cookie_breaches(hello: Any) -> list[Breach]:
    """Return what is wrong with a ClientHello that is the first one of its connection, and has a cookie."""
    if hello.extension(COOKIE) is None:
        return []
    return [_faulty(f"the first ClientHello has a cookie, which no server has given ({rule(9846, '4.3.2')})")]


def repeated_extensions(name: str, types: Iterable[int], where: str) -> Iterator[Breach]:
    """Yield the extensions that a message has twice. name: of the message; where: the rule."""
    seen: set[int] = set()
    told: set[int] = set()
    for number in types:
        if number in seen and number not in told:
            told.add(number)
            detail = f"the {name} has the extension {extension_name(number)} more than once ({where})"
            yield Breach("repeated_extension", "medium", detail)
        seen.add(number)


def extension_name(number: int) -> str:
    """Return the registered name of an extension, or its number."""
    return registry("extensions").name(number)


def _breaches_13(offer: ClientOffer) -> Iterator[Breach]:
    """Yield what a ClientHello that offers TLS 1.3 breaks."""
    types = offer.types
    if offer.compression != (0,):
        methods = ", ".join(registry("compression_methods").name(method) for method in offer.compression)
        detail = (
            f"the ClientHello offers TLS 1.3 with the compression methods {methods}; only NULL is allowed "
            f"({rule(9846, '4.2.2')})"
        )
        yield _faulty(detail)
    if offer.legacy_version != TLS_1_2:
        version = registry("versions").name(offer.legacy_version)
        yield _faulty(f"the ClientHello offers TLS 1.3 with the legacy_version {version}, not TLS 1.2 ({rule(9846, '4.2.2')})")
    if PRE_SHARED_KEY in types:
        if types[len(types) - 1] != PRE_SHARED_KEY:
            detail = f"pre_shared_key is not the last extension of the ClientHello ({rule(9846, '4.3.11')})"
            yield Breach("misplaced_extension", "medium", detail)
        if PSK_KEY_EXCHANGE_MODES not in types:
            yield lacking(PSK_KEY_EXCHANGE_MODES, "it has pre_shared_key", rule(9846, "4.3.9"))
    else:
        for number in (SIGNATURE_ALGORITHMS, SUPPORTED_GROUPS):
            if number not in types:
                yield lacking(number, "it offers TLS 1.3 without a pre-shared key", rule(9846, "9.2"))
        if EARLY_DATA in types:
            yield lacking(PRE_SHARED_KEY, "it announces early data", rule(9846, "4.3.10"))
    if SUPPORTED_GROUPS in types and KEY_SHARE not in types:
        yield lacking(KEY_SHARE, "it has supported_groups", rule(9846, "9.2"))
    elif KEY_SHARE in types and SUPPORTED_GROUPS not in types and PRE_SHARED_KEY in types:
        yield lacking(SUPPORTED_GROUPS, "it has key_share", rule(9846, "9.2"))
    yield from _shares(offer)


def _shares(offer: ClientOffer) -> Iterator[Breach]:
    """Yield key shares that are there twice, or whose group is not among the supported ones."""
    groups = registry("supported_groups")
    shares = offer.shares or ()
    for group in dict.fromkeys(shares):
        if shares.count(group) > 1:
            detail = f"the ClientHello has several key shares for the same group {groups.name(group)} ({rule(9846, '4.3.8')})"
            yield _faulty(detail)
        if offer.groups is not None and group not in offer.groups:
            detail = (
                f"the ClientHello has a key share for {groups.name(group)}, which is not among its groups "
                f"({rule(9846, '4.3.8')})"
            )
            yield _faulty(detail)


def lacking(number: int, why: str, where: str) -> Breach:
    """Return the breach that an extension is not in a ClientHello. why: what requires it; where: the rule."""
    return _faulty(f"the ClientHello has no {extension_name(number)}, although {why} ({where})")


def _faulty(detail: str) -> Breach:
    return Breach("faulty_offer", "medium", detail)
