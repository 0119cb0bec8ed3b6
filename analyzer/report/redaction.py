"""Redaction: `--redact bodies,cookies,credentials,addresses,names`. It takes the facts of a report, and gives facts.

All forms of a report are made of the facts, so what is not in them is in no form. A redacted report stays a report: the same
address has the same pseudonym everywhere, and so has the same name, numbered in the order in which they first appear.
Everything is read twice: first to learn the names and secrets, then to replace them, so that one that a field shows last is
also found in the texts before it. Texts are searched inside the usual encodings too (`encoded_text`).

- `bodies`: hashes of HTTP bodies, because who guesses a body could prove it. Lengths stay: the sizes of packets show them
  anyway.
- `cookies`: values of Cookie and Set-Cookie, wherever they stand. Names and attributes of cookies stay.
- `credentials`: Authorization and its like, user information of URLs, values of parameters that are named like secrets.
  Schemes and names stay.
- `addresses`: IPv4, IPv6 and MAC addresses become `host-1`. Ports stay.
- `names`: server names, subjects, issuers, alternative names and hosts of URLs become `name-1.invalid`, users `user-1`. Hashes
  and serial numbers of certificates, which lead to the names in public logs (RFC 6962), become `certificate-1` and `serial-1`.
  Countries (C) stay.

Frames, times, ports, sizes, fingerprints of handshakes, and the hashes of the files that were examined stay: they tie the
report to its evidence. Whoever has the evidence can undo a redaction.
"""

import csv
import hashlib
import io
import re
from collections.abc import Collection, Mapping
from typing import IO, Any, Final

import orjson

from analyzer.report.address_pseudonyms import AddressPseudonyms
from analyzer.report.encoded_text import MASK, redact_encoded
from analyzer.report.masked_secrets import MaskedSecrets
from analyzer.report.name_pseudonyms import NamePseudonyms
from analyzer.report.numbered_pseudonyms import NumberedPseudonyms
from analyzer.text.escape import FORMULA, csv_row

KINDS: Final = ("bodies", "cookies", "credentials", "addresses", "names")

REMEMBERED: Final = 1 << 16
"""Most texts whose redacted form is kept: the same few stand in all sessions."""

LONGEST_REMEMBERED: Final = 1 << 10
"""Most characters of a text whose redacted form is kept."""

_OF_CERTIFICATES = frozenset(("certificates", "chain", "client_chain"))
_HOSTS = frozenset(
    (
        "server_name", "client_name", "outer_server_name", "inner_server_name", "public_name", "host", "authority", "ssl_cn",
    )
)  # fmt: skip
_DISTINGUISHED = frozenset(("subject", "issuer"))
_FIXED = frozenset(
    (
        "severity", "kind", "from", "type", "version", "versions", "cipher_suite", "cipher_suites", "group", "groups",
        "protocol", "format", "level", "verdict", "status", "result", "resumption", "style", "signature_algorithm",
        "meaning", "reference", "refuted_by", "explanation", "media_type", "carries", "ja3", "ja3s", "ja4", "redact", "opened",
        "server_signature", "client_signature",
    )
)  # fmt: skip
"""Keys whose values come from our registries, and never from a capture."""

_LISTS = frozenset(("names", "subject_alt_names"))
"""Keys of lists of names, which a table has in one cell with `; ` between."""

_HOST_FIELDS = frozenset(
    (
        "host", "x-forwarded-host", "x-original-host", "x-forwarded-server", "forwarded", "via", "origin", "referer",
        "location", "content-location", "alt-svc", "link", "content-security-policy", "content-security-policy-report-only",
        "set-cookie", "access-control-allow-origin", "report-to", "reporting-endpoints", "from", ":authority",
    )
)  # fmt: skip
"""Header fields that hold names of hosts without the form of a URL."""

_CODE = re.compile(r"[a-z][a-z0-9_]*")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


class Redactor:
    """Redacts JSON values and tables. kinds: of `KINDS`; another one is a ValueError. First `learn` all, then take `value`."""

    def __init__(self, kinds: Collection[str]) -> None:
        unknown = sorted(set(kinds) - set(KINDS))
        if unknown:
            raise ValueError(f"{unknown[0]!r} cannot be redacted; it is one of {', '.join(KINDS)}")
        self.kinds = tuple(kind for kind in KINDS if kind in kinds)
        self._bodies = "bodies" in kinds
        self._addresses = AddressPseudonyms() if "addresses" in kinds else None
        self._names = NamePseudonyms() if "names" in kinds else None
        self._secrets = MaskedSecrets("cookies" in kinds, "credentials" in kinds)
        self._hashes = NumberedPseudonyms("certificate")
        self._serials = NumberedPseudonyms("serial")
        self._users = NumberedPseudonyms("user")
        self._texts: dict[tuple[str, bool, bool], str] = {}
        self._outdated = False
        """Whether texts were redacted before all was known."""

    def learn(self, value: Any, key: str = "") -> None:
        """Learn the addresses, names and secrets of a JSON value. key: that under which it stands."""
        self._outdated = True
        self._redact(value, key, key in _OF_CERTIFICATES, key)

    def value(self, value: Any, key: str = "") -> Any:
        """Return a JSON value without what is redacted; lists and objects are new. key: that under which it stands."""
        self._begin()
        return self._redact(value, key, key in _OF_CERTIFICATES, key)

    def learn_table(self, content: bytes, name: str = "") -> None:
        """Learn the addresses, names and secrets of a table in CSV. name: see `table`."""
        self._outdated = True
        self._table(content, name)

    def table(self, content: bytes, name: str = "") -> bytes:
        """Return a table in CSV without what is redacted. name: of the file; one of certificates has their hashes."""
        self._begin()
        return self._table(content, name)

    def _begin(self) -> None:
        if self._outdated:
            self._texts.clear()
            self._outdated = False

    def _table(self, content: bytes, name: str) -> bytes:
        limit = csv.field_size_limit(max(len(content), csv.field_size_limit()))
        try:
            rows = list(csv.reader(io.StringIO(content.decode("utf-8"), newline="")))
        finally:
            csv.field_size_limit(limit)
        if not rows:
            return content
        heads = rows[0]
        certificates = "certificate" in name
        written = [csv_row(list(heads))]
        written += [
            csv_row([self._cell(cell, head, certificates) for cell, head in zip(row, heads, strict=False)]) for row in rows[1:]
        ]
        return "".join(written).encode("utf-8")

    def counts(self) -> dict[str, int]:
        """Return how many different addresses, names and secrets were replaced so far."""
        return {
            "addresses": len(self._addresses or ()),
            "names": len(self._names or ()),
            "certificates": len(self._hashes),
            "secrets": len(self._secrets),
        }

    def _cell(self, cell: str, head: str, certificates: bool) -> str:
        """Return a cell of a table. head: that of its column, a key of a record, or such keys with `_` between."""
        text = cell[1:] if cell[:1] == "'" and cell[1:].lstrip()[:1] in FORMULA else cell  # see `csv_cell`
        key = head.removeprefix("certificate_")
        certificates = certificates or key != head
        if self._bodies and key == "body_sha256":
            return ""
        if key in _LISTS:
            return "; ".join(self._string(one, key, certificates, "") for one in text.split("; ")) if text else ""
        if head == "process_user":
            return self._string(text, "user", False, "process")
        return self._string(text, key, certificates, "")

    def _redact(self, value: Any, key: str, certificates: bool, parent: str) -> Any:
        if isinstance(value, str):
            return self._string(value, key, certificates, parent)
        if isinstance(value, Mapping):
            return self._object(value, key, certificates)
        if isinstance(value, list | tuple):
            if key == "headers":
                return [self._field(one) for one in value]
            return [self._redact(one, key, certificates, parent) for one in value]
        return value

    def _object(self, value: Mapping[str, Any], parent: str, certificates: bool) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, one in value.items():
            name = self._text(key, certificates) if "." in key or ":" in key or parent == "alpn" else key
            while name in found:
                name += "'"
            if self._bodies and key == "body_sha256":
                found[name] = "" if one == "" else None
            elif parent == "" and key == "tool":
                found[name] = one
            else:
                found[name] = self._redact(one, key, certificates or key in _OF_CERTIFICATES, parent)
        return found

    def _string(self, text: str, key: str, certificates: bool, parent: str) -> str:
        if key in _FIXED or _TIME.fullmatch(text) or (key == "code" and parent != "timeline" and _CODE.fullmatch(text)):
            return text
        if self._names is not None and text:
            named = self._named(text, key, certificates, parent, self._names)
            if named is not None:
                return named
        return self._text(text, certificates, key == "detail")

    def _named(self, text: str, key: str, certificates: bool, parent: str, names: NamePseudonyms) -> str | None:
        """Return a value of a key that says what kind of name it is; None for any other key."""
        if key in _HOSTS or (certificates and key == "name" and parent in _OF_CERTIFICATES):
            self._learn_authority(text, names)
        elif key in _DISTINGUISHED:
            return self._text(names.distinguished_name(text), True)
        elif key == "subject_alt_names" or (key == "names" and certificates):
            return self._text(names.alternative_name(text), True)
        elif key == "names":
            names.host(text)
        elif certificates and (key == "sha256" or (key == "path" and parent in _OF_CERTIFICATES)):
            return self._hashes.give(text)
        elif certificates and key == "serial":
            return self._serials.give(text)
        elif key == "user" and parent in ("process", "before"):
            return self._users.give(text)
        return None

    def _learn_authority(self, text: str, names: NamePseudonyms) -> None:
        """Learn the host of an authority (RFC 3986 section 3.2), or a name."""
        host = text.rpartition("@")[2]
        if not host.startswith("[") and host.count(":") == 1 and host.rpartition(":")[2].isdecimal():
            host = host.rpartition(":")[0]
        names.host(host)

    def _field(self, field: Any) -> Any:
        """Return a header field, [name, value]."""
        if not (isinstance(field, list | tuple) and len(field) == 2 and all(isinstance(one, str) for one in field)):
            return self._redact(field, "", False, "")
        name, value = field
        lower = name.strip().lower()
        if self._names is not None and lower in _HOST_FIELDS:
            if lower == "host":
                self._learn_authority(value, self._names)
            self._names.learn_hosts(value.partition(";")[2] if lower == "set-cookie" else value)
        return [self._text(name, False), self._text(self._secrets.field(name, value), False)]

    def _text(self, text: str, certificates: bool, detail: bool = False) -> str:
        known = self._texts.get((text, certificates, detail))
        if known is None:
            known = redact_encoded(text, lambda one: self._plain(one, certificates))
            if self._names is not None:
                known = self._hashes.replace(self._serials.replace(known, False), detail)
            if len(self._texts) >= REMEMBERED:
                self._texts.clear()
            if len(text) <= LONGEST_REMEMBERED:
                self._texts[text, certificates, detail] = known
        return known

    def _plain(self, text: str, certificates: bool) -> str:
        text = self._secrets.replace(text)
        if self._names is not None:
            text = self._names.replace(self._names.learn_urls(text))
            text = self._users.replace(text, False)
        if self._addresses is not None:
            text = self._addresses.replace(text, certificates)
        return text


def redact(facts: dict[str, Any], kinds: Collection[str]) -> dict[str, Any]:
    """Return the facts of a report without what is redacted. kinds: of `KINDS`; another one is a ValueError."""
    return redact_all(facts, {}, kinds)[0]


def redact_all(
    facts: dict[str, Any],
    attachments: Mapping[str, bytes],
    kinds: Collection[str],
    records: tuple[IO[bytes], IO[bytes]] | None = None,
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return facts and attached tables without what is redacted. The facts have the sizes and hashes of the tables they got.

    attachments: contents of CSV files, by the names that they have in the facts. records: a file with one JSON object a line,
    and the file where they are written redacted; None for no such records.
    """
    redactor = Redactor(kinds)
    if not redactor.kinds:
        return facts, dict(attachments)
    redactor.learn(facts)
    for name, content in attachments.items():
        redactor.learn_table(content, name)
    if records is not None:
        records[0].seek(0)
        for line in records[0]:
            redactor.learn(orjson.loads(line))
    redacted = redactor.value(facts)
    tables = {name: redactor.table(content, name) for name, content in attachments.items()}
    if records is not None:
        records[0].seek(0)
        for line in records[0]:
            records[1].write(orjson.dumps(redactor.value(orjson.loads(line))) + b"\n")
    if redacted.get("crosscheck") is not None:
        # A value that only tshark has stands in no field from which it could be learned, so all of them go.
        for one in redacted["crosscheck"]["differences"]:
            one |= {key: MASK for key in ("ours", "tshark") if one[key] is not None}
    for entry in redacted.get("attachments") or ():
        if entry["name"] in tables:
            content = tables[entry["name"]]
            entry["size"], entry["sha256"] = len(content), hashlib.sha256(content).hexdigest()
    redacted["redaction"] = {"kinds": list(redactor.kinds), **redactor.counts()}
    return redacted, tables
