"""Finds in decrypted HTTP: requests for another host than the server name, credentials, and clocks that differ.

The server name of the handshake is visible to everybody, the authority of a request is not. If they differ, whoever watches the
connection is misled (domain fronting). Browsers also use one connection for several hosts of its certificate (RFC 9113 section
9.1.1), which is normal. A client must check that the certificate is valid for the host of its request (RFC 9110 section 4.3.4).
Credentials are reported by their place and never shown. The clock of a server is the Date of its responses: see `server_time`.
"""

from collections.abc import Sequence

from analyzer.analysis.server_time import server_time
from analyzer.application.exchange import Exchange, Request, Response
from analyzer.tls.events import Finding
from analyzer.tls.handshake.certificate_messages import CUT
from analyzer.tls.session import Session
from analyzer.x509.certificate_view import certificate_view
from analyzer.x509.host_name import checkable, matches

MAX_HOSTS = 16
"""Maximum number of hosts of one session that are reported."""

LONGEST_HOST = 253
"""Maximum number of characters of a host that a sentence shows; DNS has no longer names."""

MAX_FRAMES = 16
"""Maximum number of frames that one finding names."""

MAX_DATES = 16
"""Number of responses of a session whose Date is compared."""

LEAST_SKEW_SECONDS = 3_600
"""From this difference on, clocks are reported: one hour."""

CREDENTIAL_SCHEMES = frozenset({"basic", "bearer", "digest", "negotiate", "ntlm"})
"""Authentication schemes of Authorization whose value is a secret, or from which one can be found."""

CREDENTIAL_NAMES = frozenset(
    {"access_token", "api_key", "apikey", "client_secret", "passwd", "password", "passphrase", "pwd", "refresh_token", "secret"}
)
"""Names of query parameters, in lower case, whose values are credentials."""

_AUTHORIZATION = frozenset({"authorization", "proxy-authorization"})
_SECOND_LEVEL = frozenset({"ac", "co", "com", "edu", "go", "gov", "ne", "net", "or", "org"})


def http_findings(session: Session, exchanges: Sequence[Exchange]) -> list[Finding]:
    """Return the findings about the exchanges of a session, in the order of this module's first sentence."""
    return [*_fronting(session, exchanges), *_credentials(exchanges), *_skew(exchanges)]


def _fronting(session: Session, exchanges: Sequence[Exchange]) -> list[Finding]:
    """Return a finding for each host that is requested and does not belong to the server name."""
    hellos = session.handshake.hellos
    if hellos.server_name is None or (hellos.ech is not None and hellos.ech.status == "accepted" and hellos.ech.name is None):
        return []
    name = hellos.server_name.decode("utf-8", "backslashreplace").lower().removesuffix(".")
    frames: dict[str, list[int]] = {}
    last = None
    for exchange in exchanges:
        request: Request | None = exchange.request
        if request is None or request.authority is None or request.authority == last:
            continue
        if exchange.pushed or request.method == "CONNECT" or request.scheme not in ("https", None):
            continue
        last = request.authority
        host = _host(last)
        if host and host != name and _registrable(host) != _registrable(name) and len(frames) < MAX_HOSTS:
            frames.setdefault(host, []).append(request.frame)
    if not frames:
        return []
    sent = session.handshake.certificates[1]
    names = certificate_view(sent[0]).alternative_names if sent and sent[0] != CUT else None
    found = []
    for host, requested in frames.items():
        if checkable(names):
            if names is not None and matches(host, names):
                continue
            detail = f'a request is for "{host}", the server name is "{name}", and the certificate is not valid for the former'
            found.append(Finding("domain_fronting", "low", detail, requested[:MAX_FRAMES]))
        else:
            detail = f'a request is for "{host}", and the server name is "{name}"; the names of the certificate are not known'
            found.append(Finding("domain_fronting", "info", detail, requested[:MAX_FRAMES]))
    return found


def _credentials(exchanges: Sequence[Exchange]) -> list[Finding]:
    """Return a finding for each kind of credential that requests contain. No value is part of it."""
    frames: dict[str, list[int]] = {}
    for exchange in exchanges:
        request: Request | None = exchange.request
        if request is None:
            continue
        kinds = []
        for field, value in request.headers or ():
            if len(field) in (13, 19) and field.lower() in _AUTHORIZATION:
                scheme = value.partition(" ")[0]
                if scheme.lower() in CREDENTIAL_SCHEMES:
                    kinds.append(f"the field {field.title()} with the scheme {scheme.title()}")
        if request.path is not None and "?" in request.path:
            kinds += [f"the query parameter {name}" for name in _secret_parameters(request.path)]
        for kind in kinds:
            frames.setdefault(kind, []).append(request.frame)
    found = []
    for kind, places in frames.items():
        detail = f"requests with {kind}, whose value is not shown here: {len(places):,}"
        found.append(Finding("http_credentials", "info", detail, places[:MAX_FRAMES]))
    return found


def _secret_parameters(path: str) -> list[str]:
    """Return the names of the query parameters that have a credential, in lower case."""
    query = path.partition("?")[2].partition("#")[0][:8192]
    pairs = (pair.partition("=") for pair in query.split("&")[:256])
    names = [name.lower() for name, _, value in pairs if value]
    return [name for name in dict.fromkeys(names) if name in CREDENTIAL_NAMES]


def _skew(exchanges: Sequence[Exchange]) -> list[Finding]:
    """Return a finding if the Date of all the first responses differs much from the time of the capture, on the same side."""
    skews: list[tuple[int, int]] = []
    for exchange in exchanges:
        response: Response | None = exchange.response
        if response is None or response.at < 0 or response.headers is None:
            continue
        seconds = server_time(response.headers)
        if seconds is None:
            continue
        skew = seconds - response.at // 1_000_000_000
        if abs(skew) < LEAST_SKEW_SECONDS:
            return []
        skews.append((skew, response.frame))
        if len(skews) == MAX_DATES:
            break
    if not skews or min(skews)[0] < 0 < max(skews)[0]:
        return []
    least = min(abs(skew) for skew, _ in skews)
    side = "ahead of" if skews[0][0] > 0 else "behind"
    detail = f"the Date of the responses is {least:,} seconds or more {side} the time of the capture"
    return [Finding("clock_skew", "low", detail, [frame for _, frame in skews])]


def _host(authority: str) -> str:
    """Return the host of an authority, in lower case and without port; of a too long one its begin."""
    host = authority.rpartition("@")[2].lower()[:LONGEST_HOST]
    if host.startswith("["):
        return host.partition("]")[0].removeprefix("[")
    return host.partition(":")[0].removesuffix(".")


def _registrable(host: str) -> str:
    """Return the part of a host name that somebody registers, as a guess without a list: two labels, under co.uk three."""
    labels = host.split(".")
    n = 3 if len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVEL else 2
    return ".".join(labels[-n:])
