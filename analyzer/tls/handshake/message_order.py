"""Goes through the messages of one role in one handshake, and says what is wrong with their order and number.

`states` says which message of a role may follow which. After a handshake, the messages that each role sent in it
(`SentMessages`) go through the table of the role again. A message that the table does not allow is one that was sent before,
one before which another is missing, or one that has no place there. `message_rules` has the rules that concern both roles.

A peer that accepts a missing or a second message can be deceived: SKIP-TLS (CVE-2014-6593), FREAK (CVE-2015-0204), and the
early ChangeCipherSpec (CVE-2014-0224) are faults of this kind. So such a message takes away what would rest on it: a signature
or a certificate is then no proof.

Nothing is said about messages that the capture does not have, or that cannot be read. `LOST` in a sequence stands for them:
after it, every message is allowed, and none is missing.
"""

from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from analyzer.codec.registry import registry
from analyzer.tls.handshake.states import (
    CHANGE,
    CHANGE_SENT,
    CLIENT_12,
    CLIENT_13,
    DATA,
    DATA_SENT,
    EMPTY_CERTIFICATE,
    LOST,
    SERVER_12,
    SERVER_13,
    State,
    Table,
    default_states,
)
from analyzer.tls.messages.numbers import (
    CERTIFICATE,
    CERTIFICATE_VERIFY,
    CLIENT_HELLO,
    CLIENT_KEY_EXCHANGE,
    COMPRESSED_CERTIFICATE,
    ENCRYPTED_EXTENSIONS,
    FINISHED,
    SERVER_HELLO,
    SERVER_HELLO_DONE,
    SERVER_KEY_EXCHANGE,
    SSL3,
)
from analyzer.tls.suites import Suite

CLIENT, SERVER = 0, 1
ROLES = ("client", "server")

TABLES: tuple[Table, ...] = (CLIENT_12, SERVER_12, CLIENT_13, SERVER_13)
"""By role, plus 2 in TLS 1.3."""

SENT_BY_ALL = frozenset(
    {
        CLIENT_HELLO, SERVER_HELLO, ENCRYPTED_EXTENSIONS, CERTIFICATE, CERTIFICATE_VERIFY, SERVER_HELLO_DONE,
        CLIENT_KEY_EXCHANGE, CHANGE, FINISHED,
    }
)  # fmt: skip
"""Messages that can be missing before another one. The others are optional."""

PROOF = frozenset({CERTIFICATE, COMPRESSED_CERTIFICATE, SERVER_KEY_EXCHANGE, CERTIFICATE_VERIFY})
"""Messages on which the proof of a key rests."""

GRAVE = PROOF | {CHANGE, CLIENT_KEY_EXCHANGE, SERVER_HELLO_DONE}
"""Messages without which, or with which twice, a false proof or unencrypted data may be accepted."""

CERTIFICATES = frozenset({CERTIFICATE, COMPRESSED_CERTIFICATE})


@dataclass(frozen=True, slots=True)
class Kind:
    """The kind of a handshake: what determines which messages it needs.

    tls13, version, suite: as agreed; suite None if it is not known. offered, answered, agreed: the extension types of the
    ClientHello, of the ServerHello, and of EncryptedExtensions; None if they are not known. resumable: whether the client
    offered what an abbreviated handshake up to TLS 1.2 needs; None if that is not known.
    """

    tls13: bool
    version: int
    suite: Suite | None
    offered: Collection[int] | None = None
    answered: Collection[int] | None = None
    agreed: Collection[int] | None = None
    resumable: bool | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """A message that is missing, doubled or unexpected.

    code, severity, detail: of the finding. role: who sent it, or did not send it. place: index of the message in the role's
    sequence at which that became visible. doubt: why nothing rests on the certificate and signature of `proves`, or "". proves:
    the role whose proof that is.
    """

    code: str
    severity: str
    detail: str
    role: int
    place: int
    doubt: str = ""


@dataclass(slots=True)
class Sequence:
    """The messages of one role in one handshake.

    role; origin: the state before them. numbers: their types, CHANGE, DATA, or LOST. empty: the places of Certificates without
    certificates. n_known: how many messages come before the first loss. flagged: what a fault was found about; repeated: what
    of it was sent twice.
    """

    role: int
    origin: int
    numbers: list[int]
    empty: list[int]
    n_known: int
    flagged: set[int] = field(default_factory=set)
    repeated: set[int] = field(default_factory=set)

    @property
    def lists(self) -> bool:
        """Whether its first Certificate has a certificate."""
        first = next((place for place, number in enumerate(self.known) if number in CERTIFICATES), -1)
        return first >= 0 and first not in self.empty

    @property
    def known(self) -> list[int]:
        """The messages before the first loss."""
        return self.numbers[: self.n_known]

    def through(self, last: int) -> list[int]:
        """Return the messages up to the first of that type; empty if it is not among the known ones."""
        known = self.known
        return known[: known.index(last) + 1] if last in known else []

    def place(self, number: int) -> int:
        """Return the index of the first message of that type; of the last message without one."""
        return self.numbers.index(number) if number in self.numbers else len(self.numbers) - 1


def sequence(role: int, origin: int, sent: bytes, begins: bool = True) -> Sequence:
    """Return the messages of a role from `SentMessages.numbers`. begins: whether the capture has the connection's start."""
    meaning = {EMPTY_CERTIFICATE: CERTIFICATE, CHANGE_SENT: CHANGE, DATA_SENT: DATA}
    empty = [place for place, one in enumerate(sent) if one == EMPTY_CERTIFICATE]
    lost = sent.find(LOST)
    n_known = len(sent) if lost < 0 else lost
    if origin == State.START and not begins:
        origin, n_known = State.UNKNOWN, 0
    return Sequence(role, origin, [meaning.get(one, one) for one in sent], empty, n_known)


# One role.


def out_of_order(sent: Sequence, kind: Kind) -> Iterator[Fault]:
    """Yield the messages that the table of their role does not allow. Of those that only follow from the first, none."""
    table = TABLES[sent.role + 2 if kind.tls13 else sent.role]
    defaults = default_states(table)
    state = State(sent.origin)
    before: int | None = None
    seen: set[int] = {FINISHED} if kind.tls13 and state == State.CONNECTED else set()
    for place, number in enumerate(sent.numbers):
        row = table.get(state, {})
        if number == LOST:
            state, before = State.UNKNOWN, None
            continue
        if state == State.UNKNOWN or number in row:
            state = row.get(number, defaults.get(number, State.UNKNOWN))
        else:
            fault = _fault(sent, place, number, state, before, seen, kind)
            if fault is not None:
                yield fault
            if number != DATA:
                state = defaults.get(number, State.UNKNOWN)
        if state == State.CONNECTED:
            seen.clear()
        seen.add(number)
        before = number


def _fault(
    sent: Sequence, place: int, number: int, state: State, before: int | None, seen: set[int], kind: Kind
) -> Fault | None:
    """Return what a message is that the table does not allow in this state; None if that follows from an earlier fault."""
    role, name, where = sent.role, message_name(number), _order_rule(kind)
    doubted = number in PROOF
    if number in seen:
        if number in sent.repeated:
            return None
        sent.flagged.add(number)
        sent.repeated.add(number)
        detail = f"the {ROLES[role]} sent {name} twice in one handshake ({where})"
        doubt = f"it sent {name} twice" if doubted else ""
        return Fault("repeated_message", _severity(number), detail, role, place, doubt)
    if sent.flagged:
        return None
    lacking = _lacking(TABLES[role + 2 if kind.tls13 else role], state, number, sent.numbers)
    if lacking is not None:
        sent.flagged.add(lacking)
        missing = message_name(lacking)
        detail = f"the {ROLES[role]} sent {name} without {missing} before it ({where})"
        doubt = f"it sent no {missing}" if lacking in PROOF else ""
        return Fault("message_missing", _severity(lacking), detail, role, place, doubt)
    sent.flagged.add(number)
    expected = ", ".join(sorted({message_name(one) for one in TABLES[role + 2 if kind.tls13 else role].get(state, {})}))
    if before is None:
        detail = f"the {ROLES[role]} sent {name} first; expected there: {expected} ({where})"
    else:
        detail = f"the {ROLES[role]} sent {name} after {message_name(before)}; expected there: {expected} ({where})"
    doubt = f"its {name} is out of order" if doubted else ""
    severity = "high" if doubted or number == CHANGE else "medium"
    return Fault("unexpected_message", severity, detail, role, place, doubt)


def _lacking(table: Table, state: State, number: int, sent: list[int]) -> int | None:
    """Return the first message that is missing between a state and a message; None if the message has no place after it."""
    steps: deque[tuple[State, int | None]] = deque([(state, None)])
    seen = {state}
    while steps:
        at, first = steps.popleft()
        row = table.get(at, {})
        if number in row and first is not None:
            return first
        for needed, following in row.items():
            if needed in SENT_BY_ALL and needed not in sent and following not in seen:
                seen.add(following)
                steps.append((following, needed if first is None else first))
    return None


# Faults.


def missing(sent: Sequence, number: int, shown_by: int, why: str, where: str) -> Fault:
    """Return the fault that a role did not send a message. shown_by: the message that shows it; where: see `rule`."""
    name = message_name(number)
    detail = f"the {ROLES[sent.role]} sent no {name}, {why} ({where})"
    doubt = f"it sent no {name}" if number in PROOF and (sent.role == SERVER or number == CERTIFICATE_VERIFY) else ""
    return Fault("message_missing", _severity(number, sent.role), detail, sent.role, sent.place(shown_by), doubt)


def unexpected(sent: Sequence, number: int, why: str, where: str, place: int = -1) -> Fault:
    """Return the fault that a role sent a message without a reason. place: its index, the first of its type by default."""
    name = message_name(number)
    detail = f"the {ROLES[sent.role]} sent {name}, {why} ({where})"
    doubt = f"it sent {name}, {why}" if number in PROOF else ""
    place = sent.place(number) if place < 0 else place
    return Fault("unexpected_message", _severity(number, sent.role), detail, sent.role, place, doubt)


def _severity(number: int, role: int = SERVER) -> str:
    return "high" if number in GRAVE and (role == SERVER or number != CERTIFICATE) else "medium"


def _order_rule(kind: Kind) -> str:
    if kind.tls13:
        return rule(9846, "4")
    return rule(6101, "5.5") if kind.version == SSL3 else rule(5246, "7.3")


def message_name(number: int) -> str:
    """Return the name of a message as the RFCs write it, also for CHANGE; also for DATA."""
    if number >= CHANGE:
        return "ChangeCipherSpec" if number == CHANGE else "application data"
    types = registry("handshake_types")
    if not types.known(number):
        return f"a message of the unknown type {number}"
    return "".join(word[:1].upper() + word[1:] for word in types.name(number).split("_"))


def rule(number: int, section: str) -> str:
    """Return the section of an RFC as text."""
    return f"RFC {number} section {section}"
