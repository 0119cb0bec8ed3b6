"""Has the rules about a HelloRetryRequest: what it may ask for, what the second ClientHello may change.

A server that cannot use the client's key shares asks for another group, or gives a cookie. The client then sends its hello
again: with a share of that group and with the cookie, without early data, and otherwise as it was (RFC 9846 section 4.2.2). The
ServerHello has to choose the same version and cipher suite as the retry (section 4.2.4). Who changes more lets the two sides
of a connection see different offers.
"""

from collections.abc import Iterator
from typing import Any

from analyzer.codec.registry import is_grease, registry
from analyzer.tls.handshake.answer_rules import not_offered, wrong
from analyzer.tls.handshake.client_offer import Breach, ClientOffer
from analyzer.tls.handshake.hello_features import selected_group, selected_version
from analyzer.tls.handshake.message_order import rule
from analyzer.tls.handshake.offer_rules import PADDING, extension_name
from analyzer.tls.messages.numbers import (
    COOKIE,
    EARLY_DATA,
    ECH_OUTER_EXTENSIONS,
    ENCRYPTED_CLIENT_HELLO,
    KEY_SHARE,
    KEY_SHARE_DRAFT,
    PRE_SHARED_KEY,
)

CHANGEABLE = frozenset(
    {KEY_SHARE, KEY_SHARE_DRAFT, EARLY_DATA, COOKIE, PRE_SHARED_KEY, PADDING, ENCRYPTED_CLIENT_HELLO, ECH_OUTER_EXTENSIONS}
)
"""Extensions that a second ClientHello may change (RFC 9846 section 4.2.2), and those of RFC 9849, which are new each time."""

AGAIN = rule(9846, "4.2.2")
RETRY = rule(9846, "4.2.4")


def retry_breaches(retry: Any, offer: ClientOffer) -> Iterator[Breach]:
    """Yield what a HelloRetryRequest asks for against the rules. offer: of the first ClientHello."""
    group = selected_group(retry)
    name = registry("supported_groups").name(group) if group >= 0 else ""
    if group < 0 and retry.extension(COOKIE) is None:
        yield wrong(f"the HelloRetryRequest asks for no change: it has neither a group nor a cookie ({RETRY})")
    if group >= 0 and offer.groups is not None and group not in offer.groups:
        yield not_offered("group", name, rule(9846, "4.3.8"))
    elif group >= 0 and group in (offer.shares or ()):
        detail = (
            f"the HelloRetryRequest asks for the group {name}, for which the client had sent a key share "
            f"({rule(9846, '4.3.8')})"
        )
        yield wrong(detail)


def second_hello_breaches(first: Any, retry: Any, second: Any) -> Iterator[Breach]:
    """Yield what a second ClientHello changes against the rules, all three decoded without a problem."""
    for field, name in (
        ("legacy_version", "legacy_version"),
        ("random", "random"),
        ("legacy_session_id", "session id"),
        ("cipher_suites", "list of cipher suites"),
        ("legacy_compression_methods", "list of compression methods"),
    ):
        if getattr(first, field) != getattr(second, field):
            yield _changed(f"the second ClientHello has another {name} than the first ({AGAIN})")
    before, after = _bodies(first), _bodies(second)
    for number in dict.fromkeys((*before, *after)):
        if number in CHANGEABLE or before.get(number) == after.get(number) or is_grease(number):
            continue
        name = extension_name(number)
        if number not in after:
            yield _changed(f"the second ClientHello lacks the extension {name} of the first ({AGAIN})")
        elif number not in before:
            yield _changed(f"the second ClientHello has the extension {name}, which the first does not have ({AGAIN})")
        else:
            yield _changed(f"the extension {name} of the second ClientHello differs from that of the first ({AGAIN})")
    if EARLY_DATA in after:
        yield _changed(f"the second ClientHello, after the retry, has early_data ({AGAIN})")
    yield from _obeys(retry, second)


def _obeys(retry: Any, second: Any) -> Iterator[Breach]:
    """Yield what a second ClientHello does not do that the retry asks for."""
    cookie, group = retry.extension(COOKIE), selected_group(retry)
    if cookie is not None and second.extension(COOKIE) != cookie:
        yield _changed(f"the second ClientHello does not repeat the cookie of the retry ({rule(9846, '4.3.2')})")
    elif cookie is None and second.extension(COOKIE) is not None:
        yield _changed(f"the second ClientHello has a cookie, which the retry did not give ({rule(9846, '4.3.2')})")
    shares = second.extension(KEY_SHARE)
    if group >= 0 and shares is not None:
        groups = [entry.group for entry in shares.client_shares if not is_grease(entry.group)]
        if groups != [group]:
            name = registry("supported_groups").name(group)
            detail = (
                f"the key shares of the second ClientHello are not one of the group {name}, as the retry asks "
                f"({rule(9846, '4.3.8')})"
            )
            yield _changed(detail)


def after_retry_breaches(retry: Any, answer: Any) -> Iterator[Breach]:
    """Yield in what a ServerHello differs from the HelloRetryRequest before it, both decoded without a problem."""
    suites, versions, groups = (registry(name) for name in ("cipher_suites", "versions", "supported_groups"))
    if answer.cipher_suite != retry.cipher_suite:
        chosen, before = suites.name(answer.cipher_suite), suites.name(retry.cipher_suite)
        yield wrong(f"the ServerHello has the cipher suite {chosen}, and the retry before it {before} ({RETRY})")
    version, asked = selected_version(answer), selected_version(retry)
    if version != asked:
        chosen, before = versions.name(version), versions.name(asked)
        yield wrong(f"the ServerHello has the version {chosen}, and the retry before it {before} ({RETRY})")
    group, wanted = selected_group(answer), selected_group(retry)
    if 0 <= wanted != group >= 0:
        detail = (
            f"the ServerHello has the group {groups.name(group)}, and the retry before it {groups.name(wanted)} "
            f"({rule(9846, '4.3.8')})"
        )
        yield wrong(detail)


def _bodies(hello: Any) -> dict[int, tuple[int, Any]]:
    """Return length and body of each extension, by type; of one that is there twice, the first."""
    found: dict[int, tuple[int, Any]] = {}
    for extension in hello.extensions or ():
        found.setdefault(extension.type, (extension.n_bytes, extension.body))
    return found


def _changed(detail: str) -> Breach:
    return Breach("retry_changed", "medium", detail)
