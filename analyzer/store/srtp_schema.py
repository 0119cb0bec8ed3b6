"""Declares the lines that `analyzer export --srtp-keys` writes, and the reasons why a session has none."""

from analyzer.store.declaration import Schema, document, number, record, text

NO_PROFILE = "no_profile"
NO_KEYS = "no_keys"
NO_EXPORTER = "no_exporter_secret"
SEVERAL_EXPORTERS = "several_exporter_secrets"
NOT_DECRYPTED = "not_decrypted"
"""Reasons: the server agreed on no profile, or on one without keys; EXPORTER_SECRET is missing, or is
there with several values; nothing was decrypted."""

_HEX = "^([0-9a-f]{2})+$"


def _side(who: str) -> Schema:
    return record(
        f"the SRTP and SRTCP packets that the {who} sends",
        {
            "address": text(f"address of the {who} in the handshake"),
            "port": number(f"port of the {who} in the handshake", 0, 65535),
            "master_key": text("master key, in hex", _HEX),
            "master_salt": text("master salt, in hex", _HEX),
            "inline": text("master key and salt in Base64, as `a=crypto:… inline:` of SDP has them (RFC 4568)"),
        },
    )


SRTP_KEYS: Schema = document(
    "srtp keys",
    record(
        "The keys of SRTP that one handshake of DTLS gives (RFC 5764): a line of the file of `analyzer export --srtp-keys`.",
        {
            "session": number("id of the session"),
            "profile": text("protection profile that the server chose"),
            "profile_id": number("its number", 0, 65535),
            "mki": text("master key identifier of the server's answer, in hex; empty without one"),
            "client": _side("client"),
            "server": _side("server"),
        },
    ),
    {},
)
