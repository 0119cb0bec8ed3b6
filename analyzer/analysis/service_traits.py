"""Notes what is unusual about the service that a session speaks to: its port, and a certificate that signed itself.

Neither breaks a rule. Programs that hide, and those that somebody has set up for himself, often have both. A port is usual if
it is registered for TLS, or for a protocol that changes to TLS (STARTTLS and its like), or if proxies use it.
"""

from functools import lru_cache

from analyzer.codec.registry import registry

STARTTLS_PORTS = frozenset(
    {21, 24, 25, 110, 119, 143, 389, 587, 1433, 2000, 2525, 3306, 3389, 4190, 5060, 5222, 5269, 5432, 5672}
)
"""Ports of protocols that can change to TLS: FTP, LMTP, SMTP, POP3, NNTP, IMAP, LDAP, TDS, MySQL, RDP, XMPP and others."""

TLS_PORTS = frozenset(
    {261, 448, 614, 684, 832, 994, 2083, 2376, 2484, 3424, 4031, 4843, 5349, 5989, 6443, 6513, 6619, 7443, 8243, 9443}
)
"""Further ports that IANA registers for services over TLS."""

PROXY_PORTS = frozenset({1080, 3128, 8080})
"""Ports of proxies, through which TLS goes on."""

REMEMBERED = 4096
"""Maximum number of certificates whose result is kept. A few servers make nearly all handshakes."""


def is_tls_port(port: int) -> bool:
    """Return whether a TCP port is registered for a service over TLS."""
    services = registry("services")
    return port in TLS_PORTS or (services.known(port) and services.name(port) == "TLS")


def unusual_port(port: int) -> list[tuple[str, str, str]]:
    """Return the finding about the port of a server that speaks TLS over TCP: code, severity and detail."""
    services = registry("services")
    if port in STARTTLS_PORTS or port in TLS_PORTS or port in PROXY_PORTS:
        return []
    registered = services.name(port) if services.known(port) else None
    if registered == "TLS":
        return []
    usual = "" if registered is None else f", which is for {registered}"
    return [("unusual_port", "info", f"the server speaks TLS on port {port}{usual}")]


@lru_cache(maxsize=REMEMBERED)
def self_signed(der: bytes) -> str | None:
    """Return the title of a certificate whose signature is by its own key; None for any other."""
    from analyzer.x509.certificate_view import CertificateView  # only for the first server that sends one certificate

    view = CertificateView(der)
    return view.title if view.self_issued and view.own_signature.result == "good" else None
