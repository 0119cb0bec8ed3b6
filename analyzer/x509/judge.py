"""Gives the verdict on a chain of certificates, offline, at any given time (RFC 5280, section 6; RFC 9525).

A `Judge` holds the trusted roots by their names, intermediates, and revocation lists. `judge` searches paths from the first
certificate sent to a root. It returns the verdict of the best path: a valid one if there is one, else the one with the lowest
weight of problems, with all of them.

A site's chain occurs in every session. Therefore a verdict is cached for the validity interval in which it cannot change: from
one time at which an available certificate becomes valid or expires to the next such time.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf

from analyzer.x509.certificate_view import CertificateView, certificate_view
from analyzer.x509.chain_notes import chain_notes
from analyzer.x509.must_staple import Staple
from analyzer.x509.path_building import Names, Search, Signatures
from analyzer.x509.validation import EPOCH, Validation
from analyzer.x509.verdict import Note, Problem, Verdict

VERDICTS = 8192
"""Maximum number of chains whose verdicts are cached, with their names; beyond that the oldest are removed."""

REMEMBERED_SIZE = 64 << 10
"""Longest chain whose verdict is cached, in bytes, with the stapled responses; most have 4,000."""

MAX_INTERVALS = 16
"""Maximum number of validity intervals that are cached for one chain and name."""

CHAIN = 64
"""Maximum number of certificates of one chain that are read; a handshake message has room for thousands."""

_NOTHING_SENT = Verdict(False, (), (Problem("malformed", None, "no certificate was sent"),))
_Key = tuple[tuple[bytes, ...], str | None, str, int | None, tuple[bytes, ...], tuple[bytes, ...], Staple | None, str]


@dataclass(slots=True)
class _ValidityInterval:
    """A verdict, the first and last second at which it holds, and the certificates seen elsewhere that it depends on.

    last_equal: the certificates seen elsewhere for which the verdict was last found to be the same.
    """

    first: float
    last: float
    verdict: Verdict
    seen: tuple[tuple[bytes, tuple[bytes, ...]], ...]
    last_equal: tuple[bytes, ...]


class Judge:
    """Validates chains with one trust store.

    roots: trusted certificates, DER; one that is not an authority's is trusted as a leaf. intermediates: certificates that may
    be in a path. crls: revocation lists, DER. Bytes that are not certificates are skipped. Not safe for use by several threads
    at the same time.

    strict: whether rules that OpenSSL, Go and browsers do not enforce (`non_conforming`) make a chain invalid too.

    interval: the first and the last second at which the last verdict holds, as long as nothing more is seen.
    """

    def __init__(
        self,
        roots: Sequence[bytes],
        intermediates: Sequence[bytes] = (),
        crls: Sequence[bytes] = (),
        *,
        strict: bool = False,
    ) -> None:
        self._roots = Names(map(certificate_view, roots))
        self._intermediates = Names(map(certificate_view, intermediates))
        self._crls = tuple(crls)
        self._strict = strict
        self._signatures = Signatures()
        self._verdicts: dict[_Key, list[_ValidityInterval]] = {}
        self._seen: tuple[bytes, ...] = ()
        self._seen_names = Names()
        self.interval = (-inf, inf)

    def judge(
        self,
        chain: Sequence[bytes],
        *,
        at: datetime,
        name: str | None,
        purpose: str = "server",
        max_depth: int | None = None,
        ocsp: Sequence[bytes] = (),
        crls: Sequence[bytes] = (),
        seen: Sequence[bytes] = (),
        staple: Staple | None = None,
        key_use: str = "",
    ) -> Verdict:
        """Validate a chain as it was sent, DER, the leaf first; never raises, for any bytes.

        at: the time; UTC if it has no zone. name: the host name or address that the client wanted; None: not checked. purpose:
        `server` or `client`; for a client no name is checked. max_depth: the maximum number of intermediates. ocsp, crls:
        responses and further lists, DER. seen: certificates seen elsewhere, which may be in a path too; it costs nothing to
        pass the same tuple as in the last call. staple: what the handshake shows of stapled responses, None if that is not
        known. key_use: what it did with the key of the first certificate, see `key_use_problems`.
        """
        since = at - EPOCH if at.tzinfo else at.replace(tzinfo=UTC) - EPOCH
        second = since.days * 86400 + since.seconds
        key = tuple(chain), name, purpose, max_depth, tuple(ocsp), tuple(crls), staple, key_use
        if seen is not self._seen:
            self._set_seen(tuple(seen))
        for validity_interval in self._verdicts.get(key, ()):
            if validity_interval.first <= second <= validity_interval.last and (
                validity_interval.last_equal is self._seen or self._is_unaffected(validity_interval)
            ):
                break
        else:
            validity_interval = self._judge(key, second)
            self._remember(key, validity_interval)
        self.interval = validity_interval.first, validity_interval.last
        return validity_interval.verdict

    def _judge(self, key: _Key, at: int) -> _ValidityInterval:
        chain, name, purpose, max_depth, ocsp, crls, staple, key_use = key
        if not chain:
            return _ValidityInterval(-inf, inf, _NOTHING_SENT, (), ())
        validation = Validation(
            tuple(map(certificate_view, chain[:CHAIN])),
            at,
            name,
            purpose,
            max_depth,
            ocsp,
            self._crls + crls,
            self._strict,
            staple,
            key_use,
        )
        pools = Names(validation.sent), self._intermediates
        search = Search(self._roots, pools, at, self._signatures)
        validation.search(search)
        taken: tuple[tuple[bytes, tuple[bytes, ...]], ...] = ()
        if not validation.valid:
            if self._seen:
                search = Search(self._roots, (*pools, self._seen_names), at, self._signatures)
                validation.search(search)
            taken = tuple((asked, _ders(self._seen_names.named(asked))) for asked in search.asked)
        path = validation.path
        assert path is not None, "a search gives at least the path of the leaf alone"
        notes = [*chain_notes(validation.sent, chain, path), *validation.revocation_notes(), *validation.staple_note()]
        if search.ended and not validation.valid:
            detail = "there are more paths than are searched, and none of those searched is valid"
            notes.append(Note("search_ended", None, detail))
        problems = tuple(validation.problems)
        verdict = Verdict(validation.valid, _ders(path.certificates), problems, tuple(notes), path.trusted)
        return _ValidityInterval(validation.first, validation.last, verdict, taken, self._seen)

    def _set_seen(self, seen: tuple[bytes, ...]) -> None:
        """Set the certificates seen elsewhere; usually there are more than in the last call."""
        n_known = len(self._seen)
        if seen[:n_known] != self._seen:
            self._seen_names, n_known = Names(), 0
        self._seen_names.add(map(certificate_view, seen[n_known:]))
        self._seen = seen

    def _is_unaffected(self, validity_interval: _ValidityInterval) -> bool:
        if any(_ders(self._seen_names.named(asked)) != found for asked, found in validity_interval.seen):
            return False
        validity_interval.last_equal = self._seen
        return True

    def _remember(self, key: _Key, fresh: _ValidityInterval) -> None:
        if sum(map(len, key[0])) + sum(map(len, key[4])) > REMEMBERED_SIZE:
            return
        if len(self._verdicts) >= VERDICTS:
            del self._verdicts[next(iter(self._verdicts))]
        validity_intervals = self._verdicts.setdefault(key, [])
        validity_intervals.insert(0, fresh)
        del validity_intervals[MAX_INTERVALS:]


def judge_chain(
    chain: Sequence[bytes],
    *,
    roots: Sequence[bytes],
    intermediates: Sequence[bytes] = (),
    at: datetime,
    name: str | None,
    purpose: str = "server",
    max_depth: int | None = None,
    crls: Sequence[bytes] = (),
    ocsp: bytes | Sequence[bytes] | None = None,
    strict: bool = False,
) -> Verdict:
    """Validate one chain. For several chains use `Judge`, which prepares the roots once. ocsp: one response or several.

    strict: as for `Judge`.
    """
    responses = () if ocsp is None else (ocsp,) if isinstance(ocsp, bytes) else ocsp
    judge = Judge(roots, intermediates, crls, strict=strict)
    return judge.judge(chain, at=at, name=name, purpose=purpose, max_depth=max_depth, ocsp=responses)


def _ders(certificates: Iterable[CertificateView]) -> tuple[bytes, ...]:
    return tuple(certificate.der for certificate in certificates)
