"""Reads a ServerKeyExchange: its group, its public key, and what its signature covers (RFC 5246 section 7.4.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.tls.limits import SHORTEST_PUBLIC_KEY

if TYPE_CHECKING:
    import cython


def exchanged_group(server_key_exchange: Any) -> cython.int:
    """Return the named curve of a ServerKeyExchange (RFC 8422 section 5.4), -1 without one."""
    parameters = getattr(getattr(server_key_exchange, "params", None), "curve_params", None)
    if getattr(parameters, "curve_type", None) != 3:
        return -1
    curve = getattr(parameters, "namedcurve", None)
    return -1 if curve is None else curve


def exchanged_prime(server_key_exchange: Any) -> bytes:
    """Return the prime of a ServerKeyExchange with Diffie-Hellman parameters (RFC 5246 section 7.4.3), empty without one."""
    return getattr(getattr(server_key_exchange, "params", None), "dh_p", None) or b""


def server_public_key(server_key_exchange: Any) -> bytes:
    """Return the public key of a ServerKeyExchange with (EC)DHE, empty without one or if it is short."""
    parameters = getattr(server_key_exchange, "params", None)
    key = getattr(parameters, "public", None)
    if key is None:
        key = getattr(parameters, "dh_Ys", None)
    return key if key is not None and len(key) >= SHORTEST_PUBLIC_KEY else b""


def client_public_key(client_key_exchange: Any) -> bytes:
    """Return the public key of a ClientKeyExchange with (EC)DHE, empty without one or if it is short."""
    key = getattr(client_key_exchange, "ecdh_Yc", None)
    if key is None:
        key = getattr(client_key_exchange, "dh_Yc", None)
    return key if key is not None and len(key) >= SHORTEST_PUBLIC_KEY else b""


def signed_parameters(server_key_exchange: Any, raw: bytes) -> tuple[bytes, int | None, bytes] | None:
    """Return parameters, scheme number (None up to TLS 1.1) and signature of a signed ServerKeyExchange, else None."""
    signed = getattr(server_key_exchange, "signed_params", None)
    signature = getattr(signed, "signature", None)
    if signature is None:
        return None
    scheme = getattr(signed, "algorithm", None)
    n_bytes: cython.Py_ssize_t = len(raw) - len(signature) - (2 if scheme is None else 4)
    return (raw[4:n_bytes], scheme, signature) if n_bytes > 4 else None
