"""Compares the record of a session with what is known of it, one value after the other, in four groups.

The known values are those of `expected.json` (captures/README.md). Keys under `when_decrypted` are known only to who has the
secrets, so they are compared where the secrets are given.
"""

from typing import Any

from analyzer.validation.validation_trial import Value, value

Known = dict[str, Any]

_PLAIN = (
    "protocol", "client", "server", "first_frame", "version", "cipher_suite_id", "group", "server_name", "alpn", "established",
    "resumed", "resumption", "resumes",
)  # fmt: skip
"""Keys that stand in both in the same form."""


def handshake_values(known: Known, found: Known, decrypted: bool) -> list[Value]:
    """Return what the handshake says: ends, version, suite, group, names, messages and alerts with their frames.

    decrypted: whether the secrets were given. Without them, only what anybody can see is compared.
    """
    wanted = _wanted(known, decrypted) if decrypted else _visible(known)
    at = _place(known)
    values = [value(f"{at}{key}", wanted[key], found[key]) for key in _PLAIN if key in wanted]
    if "ech" in wanted:
        values.append(value(f"{at}ech", wanted["ech"], {key: (found["ech"] or {}).get(key) for key in wanted["ech"]}))
    messages = [message[:3] for message in wanted["handshake"] if decrypted or len(message) == 3]
    seen = [one for one in found["handshake"] if decrypted or not one["encrypted"]]
    values.append(value(f"{at}handshake", messages, [[one["type"], one["from"], one["frame"]] for one in seen]))
    if "alerts" in wanted:
        keys = ("level", "description", "from", "frame", "encrypted")
        alerts = [alert for alert in wanted["alerts"] if decrypted or not alert["encrypted"]]
        told = [{key: one[key] for key in keys} for one in found["alerts"]]
        values.append(value(f"{at}alerts", alerts, [one for one in told if decrypted or not one["encrypted"]]))
    return values


def certificate_values(known: Known, found: Known) -> list[Value]:
    """Return the SHA-256 of the certificates of each side, the leaf first."""
    sent = _wanted(known, True).get("certificates", {})
    return [
        value(f"{_place(known)}certificates.{side}", hashes, [one["sha256"] for one in found["certificates"][side]])
        for side, hashes in sent.items()
    ]


def chain_values(known: Known, found: Known) -> list[Value]:
    """Return the verdict on the server's chain, and its problems."""
    chain = _wanted(known, True).get("chain")
    if chain is None:
        return []
    at = _place(known)
    problems = sorted(one if isinstance(one, str) else one["code"] for one in found["chain"]["problems"])
    return [
        value(f"{at}chain.verdict", chain["verdict"], found["chain"]["verdict"]),
        value(f"{at}chain.problems", sorted(chain["problems"]), problems),
    ]


def decryption_values(known: Known, found: Known) -> list[Value]:
    """Return what the decrypted data says: how many bytes each side sent, and each request with its status."""
    late, at = known.get("when_decrypted", {}), _place(known)
    values = []
    if "decryption" in late:
        values.append(value(f"{at}decryption.status", "decrypted", found["decryption"]["status"]))
        values.append(value(f"{at}decryption.bytes", late["decryption"]["bytes"], found["decryption"]["bytes"]))
    if "http" in late:
        values.append(value(f"{at}http", late["http"], [_exchange(one) for one in found["http"] or []]))
    return values


def gap_values(known: Known, found: Known) -> list[Value]:
    """Return the bytes that the capture has lost."""
    if "gaps" not in known:
        return []
    gaps = [{key: gap[key] for key in ("from", "offset", "length")} for gap in found["gaps"]]
    return [value(f"{_place(known)}gaps", known["gaps"], gaps)]


def _wanted(known: Known, decrypted: bool) -> Known:
    return known | known.get("when_decrypted", {}) if decrypted else known


def _visible(known: Known) -> Known:
    """Return what is known of a session to those without secrets.

    Which session a resumed one of TLS 1.3 continues is in an encrypted ticket (RFC 8446 section 4.6.1), and the inner hello of
    ECH is encrypted (RFC 9849): without secrets, its name must be null.
    """
    visible = dict(known)
    if known["version"] in ("TLS 1.3", "DTLS 1.3"):
        visible.pop("resumes", None)
    if "ech" in known:
        outer = known["ech"]["outer_server_name"]
        visible |= {"server_name": outer, "ech": {"outer_server_name": outer, "inner_server_name": None}}
    return visible


def _place(known: Known) -> str:
    return f"sessions.{known['id']}."


def _exchange(found: Known) -> Known:
    request, response = found["request"], found["response"]
    return {
        "request": {key: request[key] for key in ("method", "authority", "path")},
        "response": None if response is None else {"status": response["status"]},
    }
