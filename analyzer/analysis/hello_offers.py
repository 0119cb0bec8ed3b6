"""Notes what the hellos say about newer protection: groups that resist quantum computers, and Encrypted Client Hello.

Both are legal and good to know. Who keeps recorded traffic can decrypt it later, if quantum computers break its key exchange;
groups with ML-KEM resist that (RFC 10024). With Encrypted Client Hello (RFC 9849) the server name on the wire is not the one
that the client wants. Clients also send GREASE, which looks the same: without secrets the two cannot be told apart.
"""

from functools import cache

from analyzer.codec.registry import registry

Note = tuple[str, str, str]
"""A finding: its code, severity and detail."""

_POST_QUANTUM = ("MLKEM", "Kyber")

_ACCEPTED = "the server accepts the encrypted ClientHello"
_ACCEPTED_UNKNOWN = (
    "the server accepts the encrypted ClientHello; the server name inside it is not known, so the certificate is judged for no "
    "name"
)
_OF_STATUS = {
    "offered": "the client sends an encrypted ClientHello, or GREASE that looks like one",
    "rejected": "the client sends an encrypted ClientHello, and the server does not accept it",
    "grease": "the client sends GREASE in the form of an encrypted ClientHello",
}


def post_quantum(offered: tuple[int, ...], group: int, failed: bool = True) -> list[Note]:
    """Return the finding about groups that resist quantum computers, by number; group: the one agreed on, or -1.

    failed: whether the handshake is known to have ended without a group. Otherwise the server may have chosen one of them where
    the capture does not show it, and nothing is said.
    """
    names = registry("supported_groups").names
    if group in post_quantum_groups():
        return [("post_quantum_accepted", "info", f"the key exchange uses {names[group]}")]
    found = [names[number] for number in offered if number in post_quantum_groups()]
    if not found or (group < 0 and not failed):
        return []
    chosen = "" if group < 0 else f"; they use {names[group]}"
    return [("post_quantum_offered", "info", f"the client offers {', '.join(dict.fromkeys(found))}{chosen}")]


def encrypted_hello(status: str, named: bool = True) -> list[Note]:
    """Return the finding about an offer of Encrypted Client Hello, by its status; empty for a client without one.

    named: whether the hello inside it is known, and with it the server name.
    """
    if status == "accepted":
        return [("ech_accepted", "info", _ACCEPTED if named else _ACCEPTED_UNKNOWN)]
    detail = _OF_STATUS.get(status)
    return [] if detail is None else [("ech_offered", "info", detail)]


@cache
def post_quantum_groups() -> frozenset[int]:
    """Return the numbers of the groups that resist quantum computers, alone or with a curve beside them (hybrid)."""
    groups = registry("supported_groups")
    return frozenset(number for number in groups if any(word in groups.name(number) for word in _POST_QUANTUM))
