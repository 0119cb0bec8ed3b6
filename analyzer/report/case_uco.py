"""Writes the facts of a report as CASE/UCO in JSON-LD: `--format case`.

What was examined are files with their hashes; that it was examined is an InvestigativeAction with the tool, its options, and
the examiner where one is given; what was found are NetworkConnections with addresses, ports and times, certificates, HTTP
requests, and findings as AnalyticResults that point at what they are about. For what TLS agreed on, UCO has no words: the
facet `tls:TLSSessionFacet` is ours, and the graph declares it. The same facts give the same bytes. Cookies and credentials are
always masked: such files are made to be passed on.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import orjson

from analyzer.report.case_graph import CONTEXT, CaseGraph, Node, date_time, reference
from analyzer.report.redaction import redact
from analyzer.report.standard_values import (
    cut,
    exchanges,
    hash_or_none,
    key_text,
    known,
    request_fields,
    session_facts,
    transport_of,
)

_TLS_PROPERTIES: Final = {
    "session": "number of the session in the report",
    "version": "version of TLS that was negotiated",
    "cipher_suite": "cipher suite, by its IANA name",
    "group": "group of the key exchange, by its IANA name",
    "server_name": "server name that the client asked for, also where it is no valid domain name",
    "alpn": "application protocol that the server chose (RFC 7301)",
    "ja3": "JA3 fingerprint of the ClientHello",
    "ja3s": "JA3S fingerprint of the ServerHello",
    "ja4": "JA4 fingerprint of the ClientHello",
    "established": "whether the handshake was finished",
    "resumed": "whether the session resumes another one",
    "resumption": "how it resumes",
    "resumes": "number of the session that it resumes",
    "first_frame": "first frame of the connection, from 1",
    "last_frame": "last frame of the connection",
    "chain_verdict": "verdict on the certificates of the server",
    "chain_problems": "codes of what makes the certificates of the server invalid",
    "server_signature": "result of the check of the server's signature over the handshake",
    "decryption": "whether the session was decrypted",
    "ech": "result of Encrypted Client Hello (RFC 9849)",
    "alerts": "alerts of the session",
}
"""The properties of our facet, by the keys of `session_facts`, with what they mean."""


def write_case(facts: Mapping[str, Any]) -> bytes:
    """Return the facts as JSON-LD, in UTF-8. facts: as `store.report_schema.REPORT` declares them."""
    facts = redact(dict(facts), ("cookies", "credentials")) | {"redaction": facts["redaction"]}
    scope = " ".join(str(one.get("sha256") or one.get("path")) for one in facts["evidence"]["inputs"])
    kinds = facts["redaction"]["kinds"] if facts["redaction"] else ()
    graph = CaseGraph(" ".join((scope, *kinds)), bool(kinds))
    captures = [graph.file(one, "Packet capture", _capture_lines(one)) for one in facts["evidence"]["inputs"]]
    others = [
        graph.file(entry, what, [])
        for key, what in (("key_logs", "Key log"), ("private_keys", "Private key"), ("psk_files", "Pre-shared keys"))
        for entry in facts["evidence"].get(key) or ()
    ]
    certificates = {one["sha256"]: _certificate(graph, one) for one in facts.get("certificates") or ()}
    connections = {one["id"]: _connection(graph, one, certificates) for one in facts["sessions"]["shown"]}
    for session in facts["sessions"]["shown"]:
        _place(graph, session, connections[session["id"]], facts["evidence"]["inputs"], captures)
    requests = [_request(graph, *one, connections) for one in exchanges(facts)]
    hosts = [name for host in facts.get("hosts") or () for name in _host(graph, host)]
    findings = [_finding(graph, one, connections, captures) for one in facts["findings"]]
    findings += [_observation(graph, one, captures) for one in facts.get("integrity") or ()]
    results = [*connections.values(), *requests, *certificates.values(), *hosts, *findings]
    _examination(graph, facts, captures, others, list(dict.fromkeys(results)))
    document = {"@context": CONTEXT, "@graph": [*graph.nodes.values(), *_vocabulary(graph)]}
    return orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n"


def _capture_lines(entry: Mapping[str, Any]) -> list[str]:
    """Return what is known of a capture and has no property in UCO."""
    lines = {
        "format": entry.get("format"),
        "link types": ", ".join(entry.get("link_types") or ()),
        "frames": entry.get("frames"),
        "first frame at": entry.get("first_time"),
        "last frame at": entry.get("last_time"),
        "SHA-256 after the examination": entry.get("sha256_after"),
        "BLAKE2b": entry.get("blake2b"),
    }
    return [f"{name}: {value}" for name, value in known(lines).items()]


def _certificate(graph: CaseGraph, one: Mapping[str, Any]) -> str:
    """Add a certificate."""
    fingerprint = hash_or_none(one["sha256"], 32)
    owner = ("certificate", one["sha256"])
    names = ", ".join(one.get("names") or ())
    facet = {
        "uco-observable:subject": _text(one.get("subject")),
        "uco-observable:issuer": _text(one.get("issuer")),
        "uco-observable:serialNumber": _text(one.get("serial")),
        "uco-observable:validityNotBefore": date_time(one.get("not_before")),
        "uco-observable:validityNotAfter": date_time(one.get("not_after")),
        "uco-observable:signatureAlgorithm": _text(one.get("signature_algorithm")),
        "uco-observable:subjectPublicKeyAlgorithm": key_text(one.get("key")),
        "uco-observable:thumbprintHash": None if fingerprint is None else graph.hash_node(owner, "SHA256", fingerprint),
    }
    if names:
        properties = {"uco-observable:subjectAlternativeName": cut(names)}
        facet["uco-observable:x509v3extensions"] = graph.facet(owner, "X509V3ExtensionsFacet", properties)
    raw = one.get("type") == "raw_public_key"
    whole = {
        "uco-core:description": "a public key without a certificate (RFC 7250)" if raw else None,
        "uco-core:hasFacet": [graph.facet(owner, "X509CertificateFacet", facet)],
    }
    return graph.add("certificate", "uco-observable:X509Certificate", graph.own(*owner), whole)


def _connection(graph: CaseGraph, session: Mapping[str, Any], certificates: Mapping[str, str]) -> str:
    """Add a session as a connection, with its addresses, its server name, and its certificates."""
    owner = ("session", str(session["id"]), str(session["first_frame"]))
    ends = [graph.address(session[side]["address"]) for side in ("client", "server")]
    transport = transport_of(session)
    layers = {
        **({} if transport is None else {"Transport Layer": transport.upper()}),
        "Session Layer": session.get("version") or session["protocol"].upper(),
    }
    if session.get("http") or session.get("alpn"):
        layers["Application Layer"] = session.get("alpn") or "HTTP"
    facet = {
        "uco-observable:src": [reference(end) for end in ends[:1] if end],
        "uco-observable:dst": [reference(end) for end in ends[1:] if end],
        "uco-observable:sourcePort": session["client"]["port"],
        "uco-observable:destinationPort": session["server"]["port"],
        "uco-observable:startTime": date_time(session.get("start_time")),
        "uco-observable:endTime": date_time(session.get("end_time")),
        "uco-observable:protocols": graph.dictionary((*owner, "protocols"), layers, controlled=True),
    }
    properties = {f"tls:{key}": value for key, value in session_facts(session).items()}
    tls = graph.add("TLSSessionFacet", ["tls:TLSSessionFacet", "uco-core:Facet"], graph.own(*owner), properties)
    facets = [graph.facet(owner, "NetworkConnectionFacet", facet), reference(tls)]
    connection = graph.add(
        "connection", "uco-observable:NetworkConnection", graph.own(*owner), {"uco-core:hasFacet": facets}
    )  # fmt: skip
    if ends[0] and ends[1]:
        graph.relate(ends[0], "Connected_To", ends[1])
    domain = graph.domain(session.get("server_name"))
    if domain is not None:
        graph.relate(connection, "Related_To", domain, "the client asked for this server name")
    for side in ("server", "client"):
        for sent in (session.get("certificates") or {}).get(side) or ():
            if sent["sha256"] in certificates:
                graph.relate(certificates[sent["sha256"]], "Contained_Within", connection, f"sent by the {side}")
    return connection


def _place(
    graph: CaseGraph,
    session: Mapping[str, Any],
    connection: str,
    inputs: Iterable[Mapping[str, Any]],
    captures: Iterable[str],
) -> None:
    """Add in which captures a session lies."""
    for entry, capture in zip(inputs, captures, strict=True):
        first, last = entry.get("first_frame"), entry.get("last_frame")
        if first is not None and last is not None and first <= session["last_frame"] and session["first_frame"] <= last:
            graph.relate(connection, "Contained_Within", capture)


def _request(graph: CaseGraph, session: int, number: int, exchange: Mapping[str, Any], connections: Mapping[int, str]) -> str:
    """Add a decrypted HTTP request, with its response."""
    owner = ("exchange", str(session), str(number))
    request, response = exchange["request"], exchange.get("response") or {}
    fields = {name: ", ".join(values) for name, values in request_fields(request).items()}
    url = f"{request.get('scheme') or 'https'}://{request['authority']}" if request.get("authority") else ""
    facet = {
        "uco-observable:requestMethod": _text(request.get("method")),
        "uco-observable:requestValue": cut(f"{url}{request.get('path') or ''}"),
        "uco-observable:httpRequestHeader": graph.dictionary((*owner, "fields"), fields) if fields else None,
    }
    status = "not known" if response.get("status") is None else response["status"]
    properties = {
        "uco-core:name": "HTTP request",
        "uco-core:description": f"frame {request['frame']}; status of the response: {status}",
        "uco-core:hasFacet": [graph.facet(owner, "HTTPConnectionFacet", facet)],
    }
    name = graph.add("http", "uco-observable:HTTPConnection", graph.own(*owner), properties)
    graph.relate(name, "Contained_Within", connections[session])
    digest = hash_or_none(response.get("body_sha256"), 32)
    if digest is not None:
        body = {
            "uco-observable:hash": graph.hashes((*owner, "body"), {"sha256": digest}),
            "uco-observable:sizeInBytes": response.get("body_length"),
        }
        properties = {
            "uco-core:name": "Body of an HTTP response",
            "uco-core:hasFacet": [graph.facet((*owner, "body"), "ContentDataFacet", body)],
        }
        graph.relate(
            graph.add("body", "uco-observable:ObservableObject", graph.own(*owner, "body"), properties),
            "Contained_Within",
            name,
        )
    return name


def _host(graph: CaseGraph, host: Mapping[str, Any]) -> list[str]:
    """Add a host with the names that clients asked for there."""
    address = graph.address(host["address"])
    if address is None:
        return []
    domains = [domain for domain in (graph.domain(name) for name in host.get("names") or ()) if domain]
    for domain in domains:
        graph.relate(domain, "Related_To", address, "clients asked for this name at this address")
    return [address, *domains]


def _finding(graph: CaseGraph, finding: Mapping[str, Any], connections: Mapping[int, str], captures: list[str]) -> str:
    """Add all findings of one code. What they mean is in the description, what was seen in the statements."""
    sessions = dict.fromkeys(one["session"] for one in finding["occurrences"])
    about = [connections[number] for number in sessions if number in connections] or captures
    description = [finding["meaning"], f"count: {finding['count']}"]
    if finding.get("reference"):
        description.append(f"reference: {finding['reference']}")
    if finding.get("refuted_by"):
        description.append(f"would be refuted by: {finding['refuted_by']}")
    statements = [cut(_occurrence(one)) for one in finding["occurrences"]]
    tags = [f"code:{finding['code']}", f"severity:{finding['severity']}"]
    return _result(
        graph, ("finding", finding["code"], finding["severity"]), finding["title"], description, statements, about, tags
    )


def _observation(graph: CaseGraph, one: Mapping[str, Any], captures: list[str]) -> str:
    """Add an observation on the integrity of the captures."""
    values = ", ".join(f"{key}: {value}" for key, value in (one.get("args") or {}).items())
    statement = cut(_occurrence({"session": None, "frames": one.get("frames") or [], "detail": values}))
    key = ("observation", one["code"], statement)
    return _result(graph, key, one["code"].replace("_", " "), [], [statement], captures, [f"code:{one['code']}"])


def _result(
    graph: CaseGraph,
    key: tuple[str, ...],
    name: str,
    description: list[str],
    statements: list[str],
    about: list[str],
    tags: list[str],
) -> str:
    objects = [reference(one) for one in about]
    return graph.add(
        "finding",
        ["uco-analysis:AnalyticResult", "uco-core:Annotation"] if objects else "uco-analysis:AnalyticResult",
        graph.own(*key),
        {
            "uco-core:name": cut(name),
            "uco-core:description": [cut(text) for text in description],
            "uco-core:statement": statements,
            "uco-core:object": objects,
            "uco-analysis:resultContent": objects,
            "uco-core:tag": tags,
        },
    )


def _occurrence(one: Mapping[str, Any]) -> str:
    places = [] if one["session"] is None else [f"session {one['session']}"]
    if one["frames"]:
        places.append(f"frames {', '.join(map(str, one['frames']))}")
    return f"{'; '.join(places)}: {one['detail']}" if places else str(one["detail"])


def _examination(
    graph: CaseGraph, facts: Mapping[str, Any], captures: list[str], others: list[str], results: list[str]
) -> None:
    """Add who examined what with which tool, and what came out: the provenance."""
    case: Mapping[str, Any] = facts.get("case") or {}
    examiner = case.get("examiner")
    person = None
    if examiner:
        person = graph.add("person", "uco-identity:Person", graph.own(examiner), {"uco-core:name": cut(examiner)})
    read = graph.add(
        "provenance",
        "case-investigation:ProvenanceRecord",
        graph.own("read"),
        {
            "uco-core:description": "Files that were examined. They were opened for reading only.",
            "case-investigation:exhibitNumber": _text(case.get("exhibit")),
            "uco-core:object": [reference(one) for one in (*captures, *others)],
        },
    )
    found = graph.add(
        "provenance",
        "case-investigation:ProvenanceRecord",
        graph.own("found"),
        {
            "uco-core:description": _scope_text(facts),
            "uco-core:objectCreatedTime": date_time(facts.get("issued_at")),
            "uco-core:object": [reference(one) for one in results],
        },
    )
    examination = {
        "uco-core:name": "Examination of packet captures",
        "uco-core:description": _text(" ".join(("analyzer", *(facts.get("command") or ())))),
        "uco-action:instrument": [reference(_tool(graph, facts))],
        "uco-action:performer": None if person is None else reference(person),
        "uco-action:object": [reference(one) for one in (read, *captures, *others)],
        "uco-action:result": [reference(one) for one in (found, *results)],
    }
    actions = [_custody(graph, number, note, captures) for number, note in enumerate(case.get("custody") or ())]
    actions.append(graph.add("action", "case-investigation:InvestigativeAction", graph.own("examination"), examination))
    if case.get("case") or case.get("purpose") or case.get("authority"):
        _investigation(graph, case, [*actions, read, found])


def _custody(graph: CaseGraph, number: int, note: Mapping[str, Any], captures: list[str]) -> str:
    properties = {
        "uco-core:name": "Custody",
        "uco-core:description": _text(note.get("text")),
        "uco-action:startTime": date_time(note.get("time")),
        "uco-action:object": [reference(one) for one in captures],
    }
    return graph.add("action", "case-investigation:InvestigativeAction", graph.own("custody", str(number)), properties)


def _investigation(graph: CaseGraph, case: Mapping[str, Any], objects: list[str]) -> None:
    authority = case.get("authority")
    authorization = None
    if authority:
        properties = {"case-investigation:authorizationIdentifier": cut(authority)}
        authorization = reference(
            graph.add("authorization", "case-investigation:Authorization", graph.own(authority), properties)
        )
    graph.add(
        "investigation",
        "case-investigation:Investigation",
        graph.own("investigation"),
        {
            "uco-core:name": _text(case.get("case")),
            "case-investigation:focus": _text(case.get("purpose")),
            "case-investigation:relevantAuthorization": authorization,
            "uco-core:object": [reference(one) for one in objects],
        },
    )


def _tool(graph: CaseGraph, facts: Mapping[str, Any]) -> str:
    """Add the tool, and the tool as it was configured, and return the second."""
    tool: Mapping[str, Any] = facts["tool"]
    version = _text(tool.get("version"))
    properties = {"uco-core:name": tool["name"], "uco-tool:version": version, "uco-tool:toolType": "packet capture analyzer"}
    plain_tool = graph.add("tool", "uco-tool:AnalyticTool", (tool["name"], str(version)), properties)
    stores = (facts["evidence"].get("trust") or ()) if isinstance(facts["evidence"].get("trust"), list) else ()
    options = {
        "build": tool.get("build"),
        "python": tool.get("python"),
        **{f"library {name}": value for name, value in (tool.get("libraries") or {}).items()},
        **{f"option {name}": value for name, value in (facts.get("options") or {}).items()},
        **{f"trust store {store.get('store')}": orjson.dumps(store, option=orjson.OPT_SORT_KEYS).decode() for store in stores},
    }
    entries = [
        reference(
            graph.add(
                "setting",
                "uco-configuration:ConfigurationEntry",
                graph.own(name),
                {"uco-configuration:itemName": cut(name), "uco-configuration:itemValue": cut(_value(value))},
            )
        )
        for name, value in known(options).items()
    ]
    configuration = graph.add(
        "configuration", "uco-configuration:Configuration", graph.own("tool"), {"uco-configuration:configurationEntry": entries}
    )
    return graph.add(
        "configured-tool",
        ["uco-tool:AnalyticTool", "uco-tool:ConfiguredTool"],
        graph.own(tool["name"]),
        {
            **properties,
            "uco-configuration:isConfigurationOf": reference(plain_tool),
            "uco-configuration:usesConfiguration": reference(configuration),
        },
    )


def _scope_text(facts: Mapping[str, Any]) -> list[str]:
    """Return how much of the report is here."""
    sessions = facts["sessions"]
    lines = [f"What the examination found. {len(sessions['shown'])} of {sessions['count']} sessions are in this graph."]
    if facts["redaction"]:
        lines.append(f"Redacted: {', '.join(facts['redaction']['kinds'])}.")
    return lines


def _vocabulary(graph: CaseGraph) -> list[Node]:
    """Return the declarations of our facet and of its properties that are used."""
    used = {key for node in graph.nodes.values() for key in node if key.startswith("tls:")}
    if not used:
        return []
    declared: list[Node] = [
        {
            "@id": "tls:TLSSessionFacet",
            "@type": "owl:Class",
            "rdfs:subClassOf": reference("uco-core:Facet"),
            "rdfs:comment": "What is known of a TLS session (RFC 9846): parameters, fingerprints, verdicts.",
        }
    ]
    for key, comment in _TLS_PROPERTIES.items():
        if f"tls:{key}" in used:
            declared.append({"@id": f"tls:{key}", "@type": "owl:DatatypeProperty", "rdfs:comment": comment})
    return declared


def _text(value: Any) -> str | None:
    return cut(value) if isinstance(value, str) and value else None


def _value(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()
