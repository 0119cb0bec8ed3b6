"""Finds what a resumed session changes that it must keep, compared with the session whose ticket or session id it has.

A server resumes a session only for the same server name (RFC 6066 section 3). Up to TLS 1.2 it keeps the cipher suite and the
compression method (RFC 5246 section 7.4.1.3), and both handshakes have extended_master_secret, or neither: else an attacker
between the sides can give two connections one master secret (RFC 7627 section 5.3). In TLS 1.3 the suite has the hash of the
pre-shared key (RFC 9846 section 4.3.11), and another name is allowed if the first session's certificate is for it (section
4.7.1). The rules hold where the tie is known, and where a server accepts a ticket or an id that it has given itself.
"""

from analyzer.codec.registry import registry
from analyzer.tls.events import Finding
from analyzer.tls.handshake.message_order import rule
from analyzer.tls.handshake.resumption_terms import Earlier, Resumed, Terms
from analyzer.tls.suites import suite

NAME_SHOWN = 253
"""Characters of a server name that a sentence has. A host name has no more."""


def resumption_findings(earlier: Earlier, resumed: Resumed, name: bytes | None, continued: bool) -> list[Finding]:
    """Return what a resumed session breaks. name: that its client requests, None for none, b"" if that is not known.

    continued: whether it is known that it continues the earlier session.
    """
    number, before, old, same_server = earlier
    new, asked, unique, frame = resumed
    if old[0] != new[0] or not (continued or (same_server and unique)):
        return []
    frames = [frame] if frame else []
    found = _names(number, before, name, old, frames) if before and name and before.lower() != name.lower() else []
    if new[0]:
        return found + _hashes(number, old, new, frames)
    return found + _suites(number, old, new, frames) + _extended(number, old, new, asked, frames)


def _names(number: int, before: bytes, name: bytes, old: Terms, frames: list[int]) -> list[Finding]:
    """Return the finding about another server name."""
    first, second = (one.decode("utf-8", "backslashreplace")[:NAME_SHOWN] for one in (before, name))
    if not old[0]:
        detail = (
            f'the server resumed session {number}, which was for the server name "{first}", for the name "{second}" '
            f"({rule(6066, '3')})"
        )
        return [Finding("resumed_other_name", "medium", detail, frames)]
    if not old[4] or _may_be_for(old[4], second):
        return []
    detail = (
        f'the client resumed session {number}, which was for the server name "{first}", for the name "{second}", and the '
        f"certificate of that session is not for this name ({rule(9846, '4.7.1')})"
    )
    return [Finding("resumed_other_name", "medium", detail, frames)]


def _may_be_for(leaf: bytes, name: str) -> bool:
    """Return whether a certificate is for a name, or may be: a raw public key has no names, and old certificates have none."""
    from analyzer.x509.certificate import RAW_PUBLIC_KEY, certificate
    from analyzer.x509.certificate_view import certificate_view
    from analyzer.x509.host_name import matches, reference

    if certificate(leaf).type == RAW_PUBLIC_KEY or reference(name) is None:
        return True
    presented = certificate_view(leaf).alternative_names
    return not presented or matches(name, presented)


def _hashes(number: int, old: Terms, new: Terms, frames: list[int]) -> list[Finding]:
    """Return the finding about a cipher suite of TLS 1.3 that has another hash than the pre-shared key."""
    first, second = suite(old[1]), suite(new[1])
    if first is None or second is None or first.prf_hash == second.prf_hash:
        return []
    detail = (
        f"the pre-shared key comes from session {number} with {first.name}, and the server resumed it with {second.name}, "
        f"which has another hash ({rule(9846, '4.3.11')})"
    )
    return [Finding("resumed_other_suite", "medium", detail, frames)]


def _suites(number: int, old: Terms, new: Terms, frames: list[int]) -> list[Finding]:
    """Return the findings about another cipher suite or compression method up to TLS 1.2."""
    if old[1] < 0 or new[1] < 0:
        return []
    found = []
    where = rule(5246, "7.4.1.3")
    if old[1] != new[1]:
        first, second = (registry("cipher_suites").name(one[1]) for one in (old, new))
        detail = f"the server resumed session {number}, which has the cipher suite {first}, with {second} ({where})"
        found.append(Finding("resumed_other_suite", "medium", detail, frames))
    if old[2] != new[2]:
        first, second = (registry("compression_methods").name(one[2]) for one in (old, new))
        detail = f"the server resumed session {number}, which has the compression method {first}, with {second} ({where})"
        found.append(Finding("resumed_other_suite", "medium", detail, frames))
    return found


def _extended(number: int, old: Terms, new: Terms, asked: bool | None, frames: list[int]) -> list[Finding]:
    """Return the finding about extended_master_secret that only one of the two handshakes has."""
    before, answered = old[3], new[3]
    where = rule(7627, "5.3")
    if before is None:
        return []
    if asked is not None and asked != before:
        if asked:
            detail = (
                f"the server resumed session {number}, which has no extended_master_secret, for a ClientHello with it ({where})"
            )
        else:
            detail = (
                f"the server resumed session {number}, which has extended_master_secret, for a ClientHello without it ({where})"
            )
    elif answered is not None and answered != before:
        if answered:
            detail = f"the ServerHello has extended_master_secret, and session {number}, which it resumes, does not ({where})"
        else:
            detail = f"the ServerHello has no extended_master_secret, and session {number}, which it resumes, has it ({where})"
    else:
        return []
    return [Finding("resumed_other_secret", "medium", detail, frames)]
