"""Writes the facts of a report as a bundle of STIX 2.1: `--format stix`, for programs that exchange what was observed.

STIX (Structured Threat Information Expression, OASIS standard of 2021) has cyber observables (`ipv4-addr`, `network-traffic`,
`x509-certificate` …), whose identifiers follow from their values, and domain objects that say something of them: here
`observed-data` for each session, a `note` for each finding, and a `report` that holds all. What TLS agreed on has no place in
`network-traffic`; it is an extension of it, whose definition, with its JSON Schema, is part of the bundle. The same facts give
the same bytes; for that, identifiers are of version 5 where STIX recommends random ones. Cookies and credentials are always
masked: a bundle is made to be passed on.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson

from analyzer.report.redaction import redact
from analyzer.report.standard_values import (
    NO_TIME,
    address_version,
    cut,
    exchanges,
    hash_or_none,
    host_name,
    identifier,
    key_text,
    known,
    milliseconds,
    request_fields,
    session_facts,
    transport_of,
)

EXTENSION: Final = f"extension-definition--{identifier('stix extension', 'tls')}"
"""Identifier of our extension of `network-traffic`."""

EXTENSION_SCHEMA: Final = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "TLS of network-traffic",
    "type": "object",
    "properties": {
        "extension_type": {"const": "property-extension"},
        "session": {"type": "integer", "description": "number of the session in the report"},
        "version": {"type": "string", "description": "version of TLS that was negotiated"},
        "cipher_suite": {"type": "string", "description": "cipher suite, by its IANA name"},
        "group": {"type": "string", "description": "group of the key exchange, by its IANA name"},
        "server_name": {"type": "string", "description": "server name that the client asked for, valid or not"},
        "server_name_ref": {"type": "string", "description": "the same as a domain-name object"},
        "alpn": {"type": "string", "description": "application protocol that the server chose"},
        "ja3": {"type": "string", "description": "JA3 fingerprint of the ClientHello"},
        "ja3s": {"type": "string", "description": "JA3S fingerprint of the ServerHello"},
        "ja4": {"type": "string", "description": "JA4 fingerprint of the ClientHello"},
        "established": {"type": "boolean", "description": "whether the handshake was finished"},
        "resumed": {"type": "boolean", "description": "whether the session resumes another one"},
        "resumption": {"type": "string", "description": "how it resumes"},
        "resumes": {"type": "integer", "description": "number of the session that it resumes"},
        "first_frame": {"type": "integer", "description": "first frame of the connection, from 1"},
        "last_frame": {"type": "integer", "description": "last frame of the connection"},
        "start_time": {"type": "string", "description": "start, with all digits of the capture"},
        "end_time": {"type": "string", "description": "end, with all digits of the capture"},
        "chain_verdict": {"type": "string", "description": "verdict on the certificates of the server"},
        "chain_problems": {"type": "array", "items": {"type": "string"}, "description": "what makes them invalid"},
        "server_signature": {"type": "string", "description": "check of the server's signature over the handshake"},
        "decryption": {"type": "string", "description": "whether the session was decrypted"},
        "ech": {"type": "string", "description": "result of Encrypted Client Hello"},
        "alerts": {"type": "array", "items": {"type": "string"}, "description": "alerts of the session"},
        "certificate_refs": {"type": "array", "items": {"type": "string"}, "description": "certificates that were sent"},
        "request_frame": {"type": "integer", "description": "frame of the decrypted HTTP request"},
        "response_status": {"type": "integer", "description": "status code of the response to it"},
        "response_body_ref": {"type": "string", "description": "the body of the response as a file object"},
    },
}

_HEADER_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
_NAME_MAX = 250


def write_stix(facts: Mapping[str, Any]) -> bytes:
    """Return the facts as a bundle, in UTF-8. facts: as `store.report_schema.REPORT` declares them.

    Raises ImportError, with a message for people, if the package `stix2` is not installed.
    """
    try:
        import stix2.v21  # noqa: F401 - slow to load, and only needed here
    except ImportError:
        raise ImportError("STIX needs the package stix2: pip install 'capture-analyzer[stix]'") from None
    facts = redact(dict(facts), ("cookies", "credentials")) | {"redaction": facts["redaction"]}
    return _Bundle(facts).write()


class _Bundle:
    """Builds the objects of a bundle. objects: by identifier, in the order in which they were added."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        import stix2.v21

        self.objects: dict[str, Any] = {}
        self._kinds: Any = stix2.v21
        self._facts = facts
        inputs = facts["evidence"]["inputs"]
        self._scope = " ".join(str(one.get("sha256") or one.get("path")) for one in inputs)
        times = [milliseconds(one.get("last_time")) for one in inputs]
        self._first = min((time for one in inputs if (time := milliseconds(one.get("first_time")))), default=NO_TIME)
        self._last = max((time for time in times if time), default=self._first)
        self._at = milliseconds(facts.get("issued_at")) or self._last
        self._certificates: dict[str, str] = {}
        self._author = ""

    def write(self) -> bytes:
        """Return the bundle."""
        self._author = self._authors()
        self._extension()
        captures = self._captures()
        for one in self._facts.get("certificates") or ():
            self._certificates[one["sha256"]] = self._certificate(one)
        requests = self._requests()
        observed = {one["id"]: self._session(one, requests.get(one["id"], [])) for one in self._facts["sessions"]["shown"]}
        self._hosts()
        for finding in self._facts["findings"]:
            self._note(finding, observed, captures)
        self._observations(captures)
        self._report()
        name = f"bundle--{identifier('stix bundle', self._scope, self._at)}"
        bundle = self._kinds.Bundle(id=name, objects=list(self.objects.values()))
        text: str = bundle.serialize(ensure_ascii=False)  # its own pretty printer takes the square of the number of objects
        return orjson.dumps(orjson.loads(text), option=orjson.OPT_INDENT_2) + b"\n"

    def _add(self, kind: str, values: Mapping[str, Any]) -> str:
        """Add an object of a class of stix2, and return its identifier. Values that are not known are left out."""
        build: Callable[..., Any] = getattr(self._kinds, kind)
        built = build(**known(values))
        name: str = built["id"]
        self.objects.setdefault(name, built)
        return name

    def _said(self, kind: str, word: str, key: tuple[str, ...], values: Mapping[str, Any]) -> str:
        """Add a domain object, which somebody says at a time. word: its type in STIX. key: what tells it from others."""
        name = f"{word}--{identifier('stix', word, self._scope, *key)}"
        said = {"id": name, "created_by_ref": self._author, "created": self._at, "modified": self._at}
        return self._add(kind, said | dict(values))

    def _authors(self) -> str:
        """Add tool and examiner, and return the identifier of who says what follows: the examiner, if one is given."""
        tool = self._facts["tool"]
        name = cut(f"{tool['name']} {tool.get('version') or ''}".strip())
        same = {"created": self._at, "modified": self._at}
        author = self._add(
            "Identity",
            {"id": f"identity--{identifier('stix', 'tool', name)}", "name": name, "identity_class": "system", **same},
        )
        examiner = (self._facts.get("case") or {}).get("examiner")
        if examiner:
            key = identifier("stix", "examiner", self._scope, examiner)
            author = self._add(
                "Identity", {"id": f"identity--{key}", "name": cut(examiner), "identity_class": "individual", **same}
            )
        return author

    def _extension(self) -> None:
        self._add(
            "ExtensionDefinition",
            {
                "id": EXTENSION,
                "created_by_ref": self._author,
                "created": self._at,
                "modified": self._at,
                "name": "TLS",
                "description": "What a TLS session in network-traffic agreed on, and what was checked of it.",
                "schema": orjson.dumps(EXTENSION_SCHEMA).decode(),
                "version": "1.0.0",
                "extension_types": ["property-extension"],
            },
        )

    def _observed(self, key: tuple[str, ...], first: str, last: str, objects: list[str]) -> str:
        return self._said(
            "ObservedData",
            "observed-data",
            key,
            {
                "first_observed": first,
                "last_observed": max(first, last),
                "number_observed": 1,
                "object_refs": list(dict.fromkeys(objects)),
            },
        )

    def _captures(self) -> list[str]:
        """Add the files that were examined, and return where they were observed."""
        files = [self._file(one) for one in self._facts["evidence"]["inputs"]]
        files += [
            self._file(entry)
            for key in ("key_logs", "private_keys", "psk_files")
            for entry in self._facts["evidence"].get(key) or ()
        ]
        found = [one for one in files if one is not None]
        return [self._observed(("captures",), self._first, self._last, found)] if found else []

    def _file(self, entry: Mapping[str, Any]) -> str | None:
        hashes = {"SHA-256": hash_or_none(entry.get("sha256"), 32), "SHA-512": hash_or_none(entry.get("sha512"), 64)}
        name = cut(str(entry.get("path") or "").rsplit("/", 1)[-1])
        values = known({"hashes": known(hashes), "name": "" if name == "-" else name})
        return self._add("File", {**values, "size": entry.get("size")}) if values else None

    def _certificate(self, one: Mapping[str, Any]) -> str:
        digest = hash_or_none(one["sha256"], 32)
        names = ", ".join(one.get("names") or ())
        values = {
            "hashes": {"SHA-256": digest} if digest else None,
            "serial_number": _text(one.get("serial")),
            "subject": _text(one.get("subject")) or (None if digest else cut(one["sha256"])),
            "issuer": _text(one.get("issuer")),
            "validity_not_before": milliseconds(one.get("not_before")),
            "validity_not_after": milliseconds(one.get("not_after")),
            "signature_algorithm": _text(one.get("signature_algorithm")),
            "subject_public_key_algorithm": key_text(one.get("key")),
            "x509_v3_extensions": {"subject_alternative_name": cut(names)} if names else None,
        }
        return self._add("X509Certificate", values)

    def _address(self, text: Any) -> str | None:
        version = address_version(text)
        if version:
            return self._add(f"IPv{version}Address", {"value": text})
        return self._add("DomainName", {"value": text}) if version == 0 else None

    def _domain(self, text: Any) -> str | None:
        name = host_name(text)
        return None if name is None else self._add("DomainName", {"value": name})

    def _traffic(self, session: Mapping[str, Any], protocols: list[str], extensions: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values of network-traffic that a session has; without ends if its addresses are not valid."""
        start, end = milliseconds(session.get("start_time")), milliseconds(session.get("end_time"))
        version = address_version(session["client"]["address"])
        carrier = transport_of(session)
        return {
            "start": start,
            "end": end,
            "is_active": None if end is None else False,
            "src_ref": self._address(session["client"]["address"]),
            "dst_ref": self._address(session["server"]["address"]),
            "src_port": session["client"]["port"],
            "dst_port": session["server"]["port"],
            "protocols": [*([f"ipv{version}"] if version else ["ip"]), *([carrier] if carrier else ["eap"]), *protocols],
            "extensions": extensions,
        }

    def _session(self, session: Mapping[str, Any], requests: list[str]) -> str | None:
        """Add a session, and return where it was observed; None if it has no valid address."""
        domain = self._domain(session.get("server_name"))
        sent = session.get("certificates") or {}
        hashes = dict.fromkeys(one["sha256"] for side in ("server", "client") for one in sent.get(side) or ())
        certificates = [self._certificates[one] for one in hashes if one in self._certificates]
        more = {
            "start_time": session.get("start_time"),
            "end_time": session.get("end_time"),
            "server_name_ref": domain,
            "certificate_refs": certificates,
        }
        values = self._traffic(session, [session["protocol"]], _extension_values(session_facts(session) | more))
        if not values["src_ref"] and not values["dst_ref"]:
            return None
        inside = [one for one in requests if one.startswith("network-traffic--")]
        traffic = self._add("NetworkTraffic", {**values, "encapsulates_refs": inside})
        ends = [values["src_ref"], values["dst_ref"], domain]
        first = values["start"] or self._first
        objects = [traffic, *(one for one in ends if one), *certificates, *requests]
        return self._observed(("session", str(session["id"])), first, values["end"] or first, objects)

    def _requests(self) -> dict[int, list[str]]:
        """Add the decrypted HTTP requests, and return their objects, and those of the bodies of responses, by session."""
        sessions = {one["id"]: one for one in self._facts["sessions"]["shown"]}
        found: dict[int, list[str]] = {}
        for number, _, exchange in exchanges(self._facts):
            request, response = exchange["request"], exchange.get("response") or {}
            if not request.get("method") or not request.get("path"):
                continue
            digest = hash_or_none(response.get("body_sha256"), 32)
            body = None
            if digest is not None:
                body = self._add("File", {"hashes": {"SHA-256": digest}, "size": response.get("body_length")})
            fields = {name: values for name, values in request_fields(request).items() if _is_key(name)}
            asked = {
                "request_method": cut(request["method"]).lower(),
                "request_value": cut(request["path"]),
                "request_header": fields,
            }
            more = {
                "session": number,
                "request_frame": request.get("frame"),
                "response_status": response.get("status"),
                "response_body_ref": body,
            }
            extensions = {"http-request-ext": known(asked), **_extension_values(more)}
            values = self._traffic(sessions[number], [sessions[number]["protocol"], "http"], extensions)
            if values["src_ref"] or values["dst_ref"]:
                found.setdefault(number, []).append(self._add("NetworkTraffic", values))
                found[number] += [body] if body is not None else []
        return found

    def _hosts(self) -> None:
        hosts = self._facts.get("hosts") or ()
        addresses = [self._address(host["address"]) for host in hosts]
        names = [self._domain(name) for host in hosts for name in host.get("names") or ()]
        objects = [one for one in (*addresses, *names) if one]
        if objects:
            self._observed(("hosts",), self._first, self._last, objects)

    def _note(self, finding: Mapping[str, Any], observed: Mapping[int, str | None], captures: list[str]) -> None:
        """Add a note with all findings of one code."""
        sessions = dict.fromkeys(one["session"] for one in finding["occurrences"])
        about = [name for number in sessions if (name := observed.get(number))] or captures
        lines = [finding["meaning"], f"Severity: {finding['severity']}. Count: {finding['count']}."]
        lines += [f"{word}: {finding[key]}" for word, key in _MORE.items() if finding.get(key)]
        for one in finding["occurrences"]:
            place = "" if one["session"] is None else f"session {one['session']}, "
            frames = f"frames {', '.join(map(str, one['frames']))}: " if one["frames"] else ""
            lines.append(cut(f"- {place}{frames}{one['detail']}"))
        if about:
            key = ("finding", finding["code"], finding["severity"])
            labels = [finding["code"].replace("_", "-"), f"severity-{finding['severity']}"]
            values = {"abstract": cut(finding["title"]), "content": "\n".join(lines), "labels": labels, "object_refs": about}
            self._said("Note", "note", key, values)

    def _observations(self, captures: list[str]) -> None:
        """Add a note with all observations on the integrity of the captures."""
        lines = []
        for one in self._facts.get("integrity") or ():
            values = ", ".join(f"{key}: {value}" for key, value in (one.get("args") or {}).items())
            frames = f"; frames {', '.join(map(str, one['frames']))}" if one.get("frames") else ""
            lines.append(cut(f"- {one['code']}: {values}{frames}"))
        if lines and captures:
            note = {"abstract": "Observations on the captures", "content": "\n".join(lines), "object_refs": captures}
            self._said("Note", "note", ("integrity",), note)

    def _report(self) -> None:
        """Add the report, which holds all that was added before."""
        case: Mapping[str, Any] = self._facts.get("case") or {}
        sessions = self._facts["sessions"]
        lines = [f"Examination of {len(self._facts['evidence']['inputs'])} packet captures."]
        lines.append(f"{len(sessions['shown'])} of {sessions['count']} TLS sessions are in this bundle.")
        lines += [cut(f"{word}: {case[key]}") for word, key in _CASE.items() if case.get(key)]
        if self._at == NO_TIME:
            lines.append("The captures have no time; the times of these objects are the epoch.")
        if self._facts["redaction"]:
            lines.append(f"Redacted: {', '.join(self._facts['redaction']['kinds'])}.")
        name = case.get("case") or "Examination of packet captures"
        objects = [one for one in self.objects if not one.startswith("extension-definition--")]
        values = {"report_types": ["observed-data"], "published": self._at, "object_refs": objects}
        self._said("Report", "report", (), {"name": cut(name), "description": "\n".join(lines), **values})


_MORE = {"Reference": "reference", "Would be refuted by": "refuted_by"}
_CASE = {"Exhibit": "exhibit", "Authority": "authority", "Purpose": "purpose"}


def _extension_values(values: Mapping[str, Any]) -> dict[str, Any]:
    return {EXTENSION: {"extension_type": "property-extension", **known(values)}}


def _is_key(name: str) -> bool:
    """Return whether STIX allows a key of a dictionary (STIX 2.1 section 2.3)."""
    return 0 < len(name) <= _NAME_MAX and _HEADER_NAME.issuperset(name)


def _text(value: Any) -> str | None:
    return cut(value) if isinstance(value, str) and value else None
