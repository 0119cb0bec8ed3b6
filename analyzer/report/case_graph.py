"""A graph of CASE/UCO in JSON-LD: nodes with identifiers made of their content, and the objects that everything is built of.

CASE (Cyber-investigation Analysis Standard Expression, https://caseontology.org, version 1.5) is an ontology on top of UCO, the
Unified Cyber Ontology. An object says little itself; facets, nodes of their own, carry what is known of it. What belongs
together is tied by relationships. JSON-LD is a W3C recommendation of 2020 for graphs in JSON.
"""

from collections.abc import Mapping
from typing import Any, Final

import orjson

from analyzer.report.standard_values import address_version, cut, hash_or_none, host_name, identifier, plain, time_or_none

CONTEXT: Final = {
    "kb": "http://example.org/analyzer/kb/",
    "tls": "http://example.org/analyzer/tls/",
    "case-investigation": "https://ontology.caseontology.org/case/investigation/",
    "owl": "http://www.w3.org/2002/07/owl#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "uco-action": "https://ontology.unifiedcyberontology.org/uco/action/",
    "uco-analysis": "https://ontology.unifiedcyberontology.org/uco/analysis/",
    "uco-configuration": "https://ontology.unifiedcyberontology.org/uco/configuration/",
    "uco-core": "https://ontology.unifiedcyberontology.org/uco/core/",
    "uco-identity": "https://ontology.unifiedcyberontology.org/uco/identity/",
    "uco-observable": "https://ontology.unifiedcyberontology.org/uco/observable/",
    "uco-tool": "https://ontology.unifiedcyberontology.org/uco/tool/",
    "uco-types": "https://ontology.unifiedcyberontology.org/uco/types/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}  # fmt: skip

HASHES: Final = {"sha256": ("SHA256", 32), "sha512": ("SHA512", 64)}
"""Keys of the facts, with names of UCO's HashNameVocab and bytes. BLAKE2b has no name there."""

THINGS: Final = frozenset(("address", "body", "certificate", "connection", "domain", "http", "relationship"))
"""Kinds of nodes that say nothing themselves: all that is known of them is in their facets."""

Node = dict[str, Any]


class CaseGraph:
    """Nodes in the order in which they were added. scope: goes into identifiers of what is only unique in these captures."""

    def __init__(self, scope: str, redacted: bool) -> None:
        self.nodes: dict[str, Node] = {}
        self._scope = scope
        self._shared = scope if redacted else ""
        """Part of the identifiers of addresses and names; in other reports the same pseudonym is another host."""

    def add(self, kind: str, types: str | list[str], key: tuple[str, ...], properties: Mapping[str, Any]) -> str:
        """Add a node, and return its identifier. kind: a word for people. key: what tells it from others of its kind.

        What is known of a thing may differ between two reports of it, so only things are the same for the same key.
        """
        found = {one: value for one, value in properties.items() if value is not None and value != []}
        content = () if kind in THINGS else (orjson.dumps(found, option=orjson.OPT_SORT_KEYS).decode(),)
        name = f"kb:{kind}-{identifier(kind, *key, *content)}"
        self.nodes.setdefault(name, {"@id": name, "@type": types, **found})
        return name

    def facet(self, owner: tuple[str, ...], kind: str, properties: Mapping[str, Any], room: str = "uco-observable") -> Node:
        """Add a facet of UCO, and return the reference to it. owner: key of its object. kind: class, such as FileFacet."""
        return reference(self.add(kind, f"{room}:{kind}", (self._scope, *owner), properties))

    def own(self, *key: str) -> tuple[str, ...]:
        """Return the key of something that is only unique in these captures, such as a session."""
        return (self._scope, *key)

    def relate(self, source: str, kind: str, target: str, description: str | None = None) -> str:
        """Add a relationship between two observable objects. kind: a word of ObservableObjectRelationshipVocab."""
        return self.add(
            "relationship",
            "uco-observable:ObservableRelationship",
            (self._scope, source, kind, target),
            {
                "uco-core:source": reference(source),
                "uco-core:target": reference(target),
                "uco-core:kindOfRelationship": kind,
                "uco-core:isDirectional": True,
                "uco-core:description": description,
            },
        )

    def hashes(self, owner: tuple[str, ...], values: Mapping[str, Any]) -> list[Node]:
        """Return references to the hashes among values, by the keys of HASHES."""
        found = []
        for key, (method, n_bytes) in HASHES.items():
            value = hash_or_none(values.get(key), n_bytes)
            if value is not None:
                found.append(self.hash_node(owner, method, value))
        return found

    def hash_node(self, owner: tuple[str, ...], method: str, value: str) -> Node:
        """Add a hash, and return the reference to it."""
        properties = {"uco-types:hashMethod": method, "uco-types:hashValue": typed("hexBinary", value.upper())}
        return reference(self.add("hash", "uco-types:Hash", (*owner, method, value), properties))

    def dictionary(self, owner: tuple[str, ...], entries: Mapping[str, str], controlled: bool = False) -> Node:
        """Add a dictionary of UCO, and return the reference to it. controlled: its keys are of a fixed set."""
        word = "Controlled" if controlled else ""
        nodes = [
            reference(
                self.add(
                    "entry",
                    f"uco-types:{word}DictionaryEntry",
                    (self._scope, *owner, key, value),
                    {"uco-types:key": cut(key), "uco-types:value": cut(value)},
                )
            )
            for key, value in entries.items()
        ]
        key = (self._scope, *owner)
        return reference(self.add("dictionary", f"uco-types:{word}Dictionary", key, {"uco-types:entry": nodes}))

    def address(self, text: Any) -> str | None:
        """Add an IP address, or the pseudonym of one, and return its identifier; None if the text is neither."""
        version = address_version(text)
        if version is None:
            return None
        kind = f"IPv{version}Address" if version else "DigitalAddress"
        key = (self._shared, text)
        facet = self.add(f"{kind}Facet", f"uco-observable:{kind}Facet", key, {"uco-observable:addressValue": text})
        return self.add("address", f"uco-observable:{kind}", key, {"uco-core:hasFacet": [reference(facet)]})

    def domain(self, text: Any) -> str | None:
        """Add a domain name, and return its identifier; None if no host can have this name."""
        name = host_name(text)
        if name is None:
            return None
        key = (self._shared, name.lower())
        facet = self.add("DomainNameFacet", "uco-observable:DomainNameFacet", key, {"uco-observable:value": name})
        return self.add("domain", "uco-observable:DomainName", key, {"uco-core:hasFacet": [reference(facet)]})

    def file(self, entry: Mapping[str, Any], what: str, description: list[str]) -> str:
        """Add a file that was read, and return its identifier. entry: has path, size and hashes. what: for people."""
        path = str(entry.get("path") or "")
        owner = ("file", str(entry.get("sha256") or ""), path)
        size = entry.get("size")
        unchanged = entry.get("unchanged")
        mime = "application/vnd.tcpdump.pcap" if entry.get("format") == "pcap" and not entry.get("compression") else None
        named = {
            "uco-observable:fileName": cut(path.rsplit("/", 1)[-1]),
            "uco-observable:filePath": cut(path),
            "uco-observable:sizeInBytes": size,
        }
        content = {
            "uco-observable:hash": self.hashes(owner, entry),
            "uco-observable:sizeInBytes": size,
            "uco-observable:mimeType": mime,
        }
        facets = [] if path in ("", "-") else [self.facet(owner, "FileFacet", named)]
        facets.append(self.facet(owner, "ContentDataFacet", content))
        properties = {
            "uco-core:name": what,
            "uco-core:description": [cut(text) for text in description],
            "uco-core:hasFacet": facets,
            "uco-observable:hasChanged": None if unchanged is None else not unchanged,
        }
        kind = "uco-observable:ObservableObject" if path in ("", "-") else "uco-observable:File"
        return self.add("file", kind, (self._scope, *owner), properties)


def reference(name: str) -> Node:
    """Return the reference to a node."""
    return {"@id": name}


def typed(kind: str, value: str) -> Node:
    """Return a literal of a type of XML Schema."""
    return {"@type": f"xsd:{kind}", "@value": plain(value)}


def date_time(text: Any) -> Node | None:
    """Return a time of the facts as a literal; None where it is not known, or no calendar has it."""
    known = time_or_none(text)
    return None if known is None else typed("dateTime", known)
