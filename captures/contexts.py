"""What the endpoints may do: the settings of both OpenSSLs, as one set of words.

`context` is for Python's `ssl`, `bundled_context` for pyOpenSSL; see `endpoints` for the two.
"""

from __future__ import annotations

import ssl
import tempfile
from pathlib import Path
from typing import Any

from certificates import Identity
from wire import Side

# From OpenSSL's ssl.h; Python's `ssl` lacks the names.
_OP_NO_EXTENDED_MASTER_SECRET = 1 << 0
_OP_NO_ENCRYPT_THEN_MAC = 1 << 19


def context(
    side: Side,
    keys: Path | None,
    *,
    identity: Identity | None = None,
    trust: bytes | None = None,
    version: str | tuple[str, str] = ("1.2", "1.3"),
    ciphers: str | None = None,
    curve: str | None = None,
    alpn: tuple[str, ...] = (),
    tickets: bool = True,
    modern: bool = True,
) -> ssl.SSLContext:
    """A context of Python's `ssl`.

    `trust` asks for and judges the peer's certificate; `keys` is the key log to append to; not `modern` leaves out
    encrypt-then-MAC (RFC 7366) and the extended master secret (RFC 7627), as endpoints of the time did.
    """
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT if side == "client" else ssl.PROTOCOL_TLS_SERVER)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    lowest, highest = (version, version) if isinstance(version, str) else version
    # OpenSSL's security level 1 and above refuses TLS 1.0 and 1.1 (their SHA-1 signatures), which we want to show.
    made.set_ciphers((ciphers or "DEFAULT") + ":@SECLEVEL=0")
    made.minimum_version, made.maximum_version = _version(lowest), _version(highest)
    if trust is not None:
        made.load_verify_locations(cadata=trust.decode("ascii"))
        made.verify_mode = ssl.CERT_REQUIRED
    if identity is not None:
        with tempfile.NamedTemporaryFile(suffix=".pem") as file:
            file.write(identity.key_pem() + identity.chain_pem())
            file.flush()
            made.load_cert_chain(file.name)
    if curve is not None:
        made.set_ecdh_curve(curve)
    if alpn:
        made.set_alpn_protocols(list(alpn))
    if not tickets:
        made.options |= ssl.OP_NO_TICKET
    if not modern:
        made.options |= _OP_NO_ENCRYPT_THEN_MAC | _OP_NO_EXTENDED_MASTER_SECRET
    if keys is not None:
        made.keylog_filename = str(keys)
    return made


def bundled_context(
    side: Side, keys: Path | None, *, identity: Identity | None = None, version: str = "1.3", ciphers: str | None = None
) -> Any:
    """A context of pyOpenSSL; raises ImportError where pyOpenSSL is not installed."""
    from OpenSSL import SSL, crypto

    numbers = {"1.2": SSL.TLS1_2_VERSION, "1.3": SSL.TLS1_3_VERSION}
    made = SSL.Context(SSL.TLS_CLIENT_METHOD if side == "client" else SSL.TLS_SERVER_METHOD)
    made.set_min_proto_version(numbers[version])
    made.set_max_proto_version(numbers[version])
    if ciphers is not None:
        made.set_cipher_list(ciphers.encode("ascii"))
    if side == "server":
        made.set_session_id(b"captures")
    if identity is not None:
        made.use_privatekey(crypto.PKey.from_cryptography_key(identity.key))
        made.use_certificate(identity.chain[0])
        for certificate in identity.chain[1:]:
            made.add_extra_chain_cert(certificate)
    if keys is not None:

        def log(_connection: Any, line: bytes) -> None:
            with keys.open("ab") as file:
                file.write(line + b"\n")

        made.set_keylog_callback(log)
    return made


def external_psk(contexts: tuple[Any, Any], identity: bytes, secret: bytes) -> None:
    """Give client and server (of `bundled_context`) the external PSK `secret` under `identity` (RFC 8446, 4.2.11)."""
    from OpenSSL._util import ffi, lib

    def offer(_ssl: Any, _hint: Any, name: Any, name_size: int, key: Any, key_size: int) -> int:
        if len(identity) >= name_size or len(secret) > key_size:
            return 0
        ffi.memmove(name, identity + b"\0", len(identity) + 1)
        ffi.memmove(key, secret, len(secret))
        return len(secret)

    def find(_ssl: Any, name: Any, key: Any, key_size: int) -> int:
        if ffi.string(name) != identity or len(secret) > key_size:
            return 0
        ffi.memmove(key, secret, len(secret))
        return len(secret)

    offers = ffi.callback("unsigned int(SSL *, const char *, char *, unsigned int, unsigned char *, unsigned int)", offer)
    finds = ffi.callback("unsigned int(SSL *, const char *, unsigned char *, unsigned int)", find)
    lib.SSL_CTX_set_psk_client_callback(contexts[0]._context, offers)
    lib.SSL_CTX_set_psk_server_callback(contexts[1]._context, finds)
    # The contexts must keep the callbacks alive: OpenSSL holds bare pointers to them.
    contexts[0].set_app_data(offers)
    contexts[1].set_app_data(finds)


def _version(text: str) -> ssl.TLSVersion:
    return {
        "1.0": ssl.TLSVersion.TLSv1,
        "1.1": ssl.TLSVersion.TLSv1_1,
        "1.2": ssl.TLSVersion.TLSv1_2,
        "1.3": ssl.TLSVersion.TLSv1_3,
    }[text]
