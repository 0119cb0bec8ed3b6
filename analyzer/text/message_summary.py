"""Selects the most important fields of a handshake message for the ladder: labels and values, made harmless here."""

from collections.abc import Callable, Sequence
from typing import Any

from analyzer.codec.errors import Incomplete
from analyzer.codec.registry import registry
from analyzer.text.escape import harmless
from analyzer.text.formatting import count_text
from analyzer.text.language import say
from analyzer.text.punctuation import clauses, listing
from analyzer.tls.events import HandshakeMessage
from analyzer.x509.certificate import RAW_PUBLIC_KEY, certificate

Facts = list[tuple[str, str]]
Fields = dict[str, Any]

LISTED = 6
"""The most entries of a list that are named."""


def message_facts(message: HandshakeMessage) -> Facts:
    """Return the facts to show below the arrow of a message."""
    read = _READERS.get(message.name)
    if read is None or message.body is None:
        return []
    fields = message.body.json()
    if any(isinstance(problem, Incomplete) for problem in message.problems):
        fields = _without_old_version(fields)
    return read(fields)


def _without_old_version(fields: Fields) -> Fields:
    """Return the fields of a message that is cut without its legacy_version: the extension with the version may be missing."""
    return fields if "supported_versions" in extensions_of(fields) else fields | {"legacy_version": None}


def listed(names: Sequence[Any], limit: int = LISTED) -> str:
    """Return names with commas between them; after `limit` names, only the number of the rest."""
    shown = listing(harmless(str(name)) for name in names[:limit])
    return say("{shown} and {n} more", shown=shown, n=len(names) - limit) if len(names) > limit else shown


def certificate_facts(ders: Sequence[bytes]) -> Facts:
    """Return subject, issuer, validity and key of each certificate."""
    facts: Facts = []
    for number, der in enumerate(ders[:LISTED]):
        read = certificate(der).record()
        if read["type"] == RAW_PUBLIC_KEY:
            facts.append((say("raw public key"), key_text(read["public_key"])))
            continue
        label = say("certificate") if len(ders) == 1 else say("certificate {n}", n=number)
        facts.append((label, harmless(str(read["subject"] or say("subject unreadable")))))
        facts.append(("", say("issued by {issuer}", issuer=harmless(str(read["issuer"] or say("unreadable"))))))
        valid = say("valid {first} to {last}", first=day(read["not_before"]), last=day(read["not_after"]))
        facts.append(("", clauses(valid, key_text(read["public_key"]), harmless(str(read["signature_algorithm"])))))
    if len(ders) > LISTED:
        facts.append(("", say("and {n} more", n=len(ders) - LISTED)))
    return facts


def key_text(key: Any) -> str:
    """Return a short text for a public key: `RSA 2048 bits`, `EC secp256r1`."""
    if key is None:
        return say("key unreadable")
    words = [harmless(str(key["type"])).upper() if key["type"] in ("rsa", "ec", "dsa", "dh") else harmless(str(key["type"]))]
    if key.get("bits"):
        words.append(say("{n} bits", n=key["bits"]))
    if key.get("curve"):
        words.append(harmless(str(key["curve"])))
    return " ".join(words)


def day(time: Any) -> str:
    """Return the date of a time in RFC 3339; `unknown` if there is none."""
    return str(time)[:10] if time else say("unknown")


def extensions_of(fields: Fields) -> dict[str, Any]:
    """Return the extensions of a message by their names; of one that stands twice, the first."""
    return {entry["type"]: entry["body"] for entry in reversed(fields.get("extensions") or ())}


def _inner(body: Any, name: str) -> Any:
    return body.get(name) if isinstance(body, dict) else None


def _client_hello(fields: Fields) -> Facts:
    extensions = extensions_of(fields)
    versions = _inner(extensions.get("supported_versions"), "versions") or [
        fields.get("legacy_version") or fields.get("version")
    ]
    facts: Facts = []
    for entry in _inner(extensions.get("server_name"), "server_name_list") or ():
        facts.append((say("server name"), harmless(str(_inner(entry, "name")))))
    known = [version for version in versions if version and not _greased(version)]
    facts.append((say("versions"), listed(known) if known else say("unknown")))
    suites = [suite for suite in fields.get("cipher_suites") or fields.get("cipher_specs") or () if not _greased(suite)]
    facts.append((say("cipher suites"), say("{n}: {names}", n=len(suites), names=listed(suites, 3))))
    _add_list(facts, say("groups"), _inner(extensions.get("supported_groups"), "named_group_list"))
    shares = _inner(extensions.get("key_share"), "client_shares")
    _add_list(facts, say("key shares"), None if shares is None else [_inner(share, "group") for share in shares])
    _add_list(facts, say("signatures"), _inner(extensions.get("signature_algorithms"), "supported_signature_algorithms"), 3)
    _add_list(facts, say("ALPN"), _inner(extensions.get("application_layer_protocol_negotiation"), "protocol_name_list"))
    offers = []
    if fields.get("legacy_session_id") and "key_share" not in extensions:
        offers.append(say("session id {id}", id=f"{fields['legacy_session_id'][:16]}…"))
    if _inner(extensions.get("session_ticket"), "ticket"):
        offers.append(say("a session ticket"))
    identities = _inner(extensions.get("pre_shared_key"), "identities")
    if identities:
        offers.append(count_text(len(identities), "pre-shared key"))
    if "early_data" in extensions:
        offers.append(say("early data follows"))
    if offers:
        facts.append((say("to resume"), listing(offers)))
    if "encrypted_client_hello" in extensions:
        facts.append((say("hidden"), say("an encrypted ClientHello (or one made to look so) is inside")))
    return facts


def _add_list(facts: Facts, label: str, names: Any, limit: int = LISTED) -> None:
    known = [name for name in names or () if not _greased(name)]
    if known:
        facts.append((label, listed(known, limit)))


def _greased(name: Any) -> bool:
    return isinstance(name, str) and name.startswith("GREASE ")


def _server_hello(fields: Fields) -> Facts:
    extensions = extensions_of(fields)
    version = _inner(extensions.get("supported_versions"), "selected_version") or fields.get("legacy_version")
    version = version or fields.get("version") or fields.get("server_version") or say("unknown")
    facts: Facts = [(say("version"), harmless(str(version)))]
    if fields.get("cipher_suite"):
        facts.append((say("cipher suite"), fields["cipher_suite"]))
    share = extensions.get("key_share")
    group = _inner(_inner(share, "server_share"), "group") or _inner(share, "selected_group")
    if group:
        facts.append((say("group"), str(group)))
    _add_list(facts, say("ALPN"), _inner(extensions.get("application_layer_protocol_negotiation"), "protocol_name_list"))
    selected = _inner(extensions.get("pre_shared_key"), "selected_identity")
    if selected is not None:
        facts.append((say("resumes"), say("with the client's pre-shared key {n}", n=selected)))
    echo = fields.get("legacy_session_id_echo")
    if echo and "key_share" not in extensions:
        facts.append((say("session id"), f"{echo[:16]}…"))
    return facts


def _encrypted_extensions(fields: Fields) -> Facts:
    facts: Facts = []
    _add_list(
        facts, say("ALPN"), _inner(extensions_of(fields).get("application_layer_protocol_negotiation"), "protocol_name_list")
    )
    return facts


def _server_key_exchange(fields: Fields) -> Facts:
    params = fields.get("params") or {}
    facts: Facts = []
    curve = _inner(_inner(params, "curve_params"), "namedcurve")
    if curve:
        facts.append((say("group"), str(curve)))
    prime = _inner(params, "dh_p")
    if prime:
        facts.append((say("DH prime"), say("{n} bits", n=int(prime, 16).bit_length())))
    scheme = _inner(fields.get("signed_params"), "algorithm")
    if scheme:
        facts.append((say("signature"), str(scheme)))
    return facts


def _certificate_request(fields: Fields) -> Facts:
    facts: Facts = []
    _add_list(facts, say("types"), fields.get("certificate_types"))
    schemes = fields.get("supported_signature_algorithms")
    _add_list(
        facts,
        say("signatures"),
        schemes or _inner(extensions_of(fields).get("signature_algorithms"), "supported_signature_algorithms"),
    )
    authorities = fields.get("certificate_authorities")
    if authorities:
        facts.append((say("issuers"), say("{n} named", n=len(authorities))))
    return facts


def _certificate_verify(fields: Fields) -> Facts:
    scheme = fields.get("algorithm") or _inner(fields.get("signed_params"), "algorithm")
    return [(say("signature"), harmless(str(scheme)))] if scheme else []


def _request_connection_id(fields: Fields) -> Facts:
    return [(say("IDs"), f"{fields.get('num_cids') or 0}")]


def _new_connection_id(fields: Fields) -> Facts:
    facts: Facts = [(say("usage"), harmless(str(fields.get("usage"))))]
    _add_list(facts, say("IDs"), [one for one in fields.get("cids") or () if one], 4)
    return facts


def _new_session_ticket(fields: Fields) -> Facts:
    lifetime = fields.get("ticket_lifetime_hint", fields.get("ticket_lifetime"))
    facts: Facts = []
    if lifetime is not None:
        facts.append((say("lifetime"), f"{lifetime:,} s"))
    if fields.get("ticket"):
        facts.append((say("ticket"), say("{n} bytes", n=len(fields["ticket"]) // 2)))
    return facts


def _certificate(fields: Fields) -> Facts:
    ders = []
    for entry in fields.get("certificate_list") or ():
        der = entry if isinstance(entry, str) else _inner(entry, "cert_data")
        if isinstance(der, str):
            ders.append(bytes.fromhex(der))
    key = fields.get("asn1_subject_public_key_info")
    if isinstance(key, str):
        ders.append(bytes.fromhex(key))
    return certificate_facts(ders) if ders else [(say("certificate"), say("none"))]


def _compressed_certificate(fields: Fields) -> Facts:
    packed = len(fields.get("compressed_certificate_message") or "") // 2
    return [
        (
            say("compressed"),
            say(
                "{size} bytes in {packed}, with {algorithm}",
                size=fields.get("uncompressed_length"),
                packed=packed,
                algorithm=harmless(str(fields.get("algorithm"))),
            ),
        )
    ]


def alert_text(level: int, description: int) -> str:
    """Return the names of an alert's level and description."""
    return f"{registry('alert_levels').name(level)} {registry('alert_descriptions').name(description)}"


_READERS: dict[str, Callable[[Fields], Facts]] = {
    "client_hello": _client_hello,
    "server_hello": _server_hello,
    "hello_retry_request": _server_hello,
    "encrypted_extensions": _encrypted_extensions,
    "certificate": _certificate,
    "compressed_certificate": _compressed_certificate,
    "server_key_exchange": _server_key_exchange,
    "certificate_request": _certificate_request,
    "certificate_verify": _certificate_verify,
    "new_session_ticket": _new_session_ticket,
    "request_connection_id": _request_connection_id,
    "new_connection_id": _new_connection_id,
}
