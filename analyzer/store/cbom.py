"""Writes an inventory as a cryptography bill of materials: CycloneDX 1.6 in JSON (ECMA-424), by cyclonedx-python-lib.

Servers are services. Protocols with their cipher suites, algorithms, certificates and their public keys are components with
cryptographic properties, and dependencies say which server has which of them. Only what was seen is in it: a server whose
certificate cannot be seen has a property that says so. What CycloneDX has no place for is in properties named `analyzer:…`.

The same captures and options give the same bytes: the time is that of the last packet, and the serial number is made of the
content.
"""

import hashlib
import warnings
from collections.abc import Iterable, Iterator
from datetime import datetime
from posixpath import basename
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from analyzer import __version__
from analyzer.packet.addresses import end_text
from analyzer.store.cbom_algorithms import (
    Algorithm,
    certificate_signature,
    group_algorithm,
    key_algorithm,
    scheme_algorithm,
    suite_algorithms,
    suite_number,
)

if TYPE_CHECKING:
    from cyclonedx.model import Property
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import Component
    from cyclonedx.model.service import Service

MOST_OCCURRENCES = 64
"""Servers that are named as the places of one component."""

MOST_LISTED = 1 << 12
"""Servers, and certificates, that are in it: about 15 s and 250 MB. `analyzer:left_out_…` says how many are not."""

_NAMESPACE = UUID("1b2b8c0e-6f0b-5d0a-9a55-0c6f4f3c9a11")
"""Of the serial numbers, which are made of the content (RFC 9562 section 5.5)."""

_NO_SERIAL = UUID(int=0)


class MissingLibraryError(Exception):
    """The library that writes CycloneDX is not installed."""


def cbom(record: dict[str, Any]) -> bytes:
    """Return the bill of materials of an inventory record, as JSON. Raises MissingLibraryError."""
    try:
        from cyclonedx.output.json import JsonV1Dot6
    except ImportError as error:
        raise MissingLibraryError(
            "--format cbom needs the package cyclonedx-python-lib: pip install 'capture-analyzer[inventory]'"
        ) from error
    bom = _Builder(record).bom()
    # Its check takes time in the square of what is listed. Every reference here is that of a component or service of ours.
    bom.validate = lambda: True  # type: ignore[method-assign]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of components that depend on nothing
        content = JsonV1Dot6(bom).output_as_string(indent=2)
        serial = uuid5(_NAMESPACE, hashlib.sha256(content.encode()).hexdigest())
    before, after = (
        f'"serialNumber": "{number.urn}"' for number in (_NO_SERIAL, serial)
    )  # no text of a capture has such quotes
    return content.replace(before, after).encode() + b"\n"


class _Builder:
    """Makes the components of one bill of materials, each algorithm once."""

    def __init__(self, record: dict[str, Any]) -> None:
        self._record = record
        self._certificates = record["certificates"][:MOST_LISTED]
        self._servers = record["servers"][:MOST_LISTED]
        self._components: dict[str, Component] = {}
        self._needs: dict[str, set[str]] = {}

    def bom(self) -> "Bom":
        from cyclonedx.model.bom import Bom
        from cyclonedx.model.bom_ref import BomRef
        from cyclonedx.model.dependency import Dependency

        for version, suites in self._suites().items():
            self._add_protocol(version, suites)
        for one in self._certificates:
            self._add_certificate(one)
        services = [self._service(one) for one in self._servers]
        references = {name: BomRef(name) for name in {*self._needs, *self._components}}
        dependencies = [
            Dependency(references[name], [Dependency(references[other]) for other in sorted(needs)])
            for name, needs in sorted(self._needs.items())
        ]
        return Bom(
            serial_number=_NO_SERIAL,
            metadata=self._metadata(),
            components=self._components.values(),
            services=services,
            dependencies=dependencies,
        )

    def _suites(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for one in self._record["suites"]:
            found.setdefault(one["version"], []).append(one["cipher_suite"])
        return found

    def _metadata(self) -> Any:
        from cyclonedx.model.bom import BomMetaData
        from cyclonedx.model.component import Component, ComponentType
        from cyclonedx.model.lifecycle import LifecyclePhase, PredefinedLifecycle
        from cyclonedx.model.tool import ToolRepository

        captures = self._record["captures"]
        last = max((one["last_time"] for one in captures if one["last_time"] is not None), default=None)
        files = [_capture(number, one) for number, one in enumerate(captures)]
        whole = files[0] if len(files) == 1 else Component(
            type=ComponentType.DATA, name="captures", bom_ref="captures", components=files
        )  # fmt: skip
        metadata = BomMetaData(
            tools=ToolRepository(components=[Component(type=ComponentType.APPLICATION, name="analyzer", version=__version__)]),
            lifecycles=[PredefinedLifecycle(LifecyclePhase.DISCOVERY)],
            component=whole,
            properties=_properties(
                sessions=self._record["sessions"]["count"],
                sessions_without_visible_certificate=self._record["sessions"]["certificates"]["not_visible"],
                left_out_servers=len(self._record["servers"]) - len(self._servers) or None,
                left_out_certificates=len(self._record["certificates"]) - len(self._certificates) or None,
                **{f"unlisted_{name}": n for name, n in self._record["left_out"].items() if n},
                **{f"part_{name}": value for name, value in (self._record["part"] or {}).items() if value},
            ),
        )
        metadata.timestamp = None if last is None else _time(last)  # type: ignore[assignment]
        return metadata

    def _add_protocol(self, version: str, suites: Iterable[str]) -> None:
        from cyclonedx.model.bom_ref import BomRef
        from cyclonedx.model.component import Component, ComponentType
        from cyclonedx.model.crypto import (
            CryptoAssetType,
            CryptoProperties,
            ProtocolProperties,
            ProtocolPropertiesCipherSuite,
            ProtocolPropertiesType,
        )

        reference, listed = _protocol_reference(version), []
        needs = self._needs.setdefault(reference, set())
        for name in suites:
            algorithms = [self._add_algorithm(one) for one in suite_algorithms(name)]
            needs.update(algorithms)
            number = suite_number(name)
            listed.append(
                ProtocolPropertiesCipherSuite(
                    name=name,
                    algorithms=[BomRef(one) for one in algorithms],
                    identifiers=[] if number is None else [f"0x{number >> 8:02X},0x{number & 0xFF:02X}"],
                )
            )
        kind, _, number_text = version.partition(" ")
        self._components[reference] = Component(
            type=ComponentType.CRYPTOGRAPHIC_ASSET,
            name=version,
            bom_ref=reference,
            crypto_properties=CryptoProperties(
                asset_type=CryptoAssetType.PROTOCOL,
                protocol_properties=ProtocolProperties(
                    type=ProtocolPropertiesType.TLS if kind == "TLS" else ProtocolPropertiesType.OTHER,
                    version=number_text or version,
                    cipher_suites=listed,
                ),
            ),
            evidence=_evidence(reference, (end for end, one in self._ends() if version in _listed(one["versions"]))),
        )

    def _ends(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for one in self._servers:
            yield end_text(one["address"], one["port"]), one

    def _add_algorithm(self, algorithm: Algorithm) -> str:
        """Add an algorithm, if it is not there, and return its reference."""
        from cyclonedx.model.component import Component, ComponentType
        from cyclonedx.model.crypto import (
            AlgorithmProperties,
            CryptoAssetType,
            CryptoFunction,
            CryptoMode,
            CryptoPrimitive,
            CryptoProperties,
        )

        if algorithm.reference not in self._components:
            self._needs.setdefault(algorithm.reference, set())
            self._components[algorithm.reference] = Component(
                type=ComponentType.CRYPTOGRAPHIC_ASSET,
                name=algorithm.name,
                bom_ref=algorithm.reference,
                crypto_properties=CryptoProperties(
                    asset_type=CryptoAssetType.ALGORITHM,
                    algorithm_properties=AlgorithmProperties(
                        primitive=CryptoPrimitive(algorithm.primitive),
                        parameter_set_identifier=algorithm.parameter,
                        curve=algorithm.curve,
                        mode=None if algorithm.mode is None else CryptoMode(algorithm.mode),
                        crypto_functions=[CryptoFunction(one) for one in algorithm.functions],
                        classical_security_level=algorithm.strength,
                        nist_quantum_security_level=algorithm.category,
                    ),
                ),
            )
        return algorithm.reference

    def _add_certificate(self, one: dict[str, Any]) -> None:
        from cyclonedx.model import HashAlgorithm, HashType
        from cyclonedx.model.bom_ref import BomRef
        from cyclonedx.model.component import Component, ComponentType
        from cyclonedx.model.crypto import CertificateProperties, CryptoAssetType, CryptoProperties

        reference = _certificate_reference(one["sha256"])
        key = self._add_key(one)
        signed = (
            None
            if one["signature_algorithm"] is None
            else self._add_algorithm(certificate_signature(one["signature_algorithm"]))
        )
        self._needs[reference] = {name for name in (key, signed) if name is not None}
        raw = one["type"] != "x509"
        self._components[reference] = Component(
            type=ComponentType.CRYPTOGRAPHIC_ASSET,
            name=one["subject"] or one["sha256"],
            bom_ref=reference,
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=one["sha256"])],
            crypto_properties=CryptoProperties(
                asset_type=CryptoAssetType.CERTIFICATE,
                certificate_properties=CertificateProperties(
                    subject_name=one["subject"],
                    issuer_name=one["issuer"],
                    not_valid_before=_time(one["not_before"]),
                    not_valid_after=_time(one["not_after"]),
                    signature_algorithm_ref=None if signed is None else BomRef(signed),
                    subject_public_key_ref=None if key is None else BomRef(key),
                    certificate_format="raw public key (RFC 7250)" if raw else "X.509",
                ),
            ),
            evidence=_evidence(reference, [*_listed(one["servers"]), *_listed(one["clients"])]),
            properties=_properties(
                serial=one["serial"], state=one["state"], role=one["role"], first_seen=one["first_seen"],
                last_seen=one["last_seen"], verdicts=one["verdicts"], problems=one["problems"],
            ),
        )  # fmt: skip

    def _add_key(self, one: dict[str, Any]) -> str | None:
        from cyclonedx.model.bom_ref import BomRef
        from cyclonedx.model.component import Component, ComponentType
        from cyclonedx.model.crypto import (
            CryptoAssetType,
            CryptoProperties,
            RelatedCryptoMaterialProperties,
            RelatedCryptoMaterialType,
        )

        key = one["public_key"]
        if key is None:
            return None
        reference = f"crypto/key/{one['sha256']}"
        algorithm = self._add_algorithm(key_algorithm(key))
        self._needs[reference] = {algorithm}
        self._components[reference] = Component(
            type=ComponentType.CRYPTOGRAPHIC_ASSET,
            name=f"public key of {one['subject'] or one['sha256']}",
            bom_ref=reference,
            crypto_properties=CryptoProperties(
                asset_type=CryptoAssetType.RELATED_CRYPTO_MATERIAL,
                related_crypto_material_properties=RelatedCryptoMaterialProperties(
                    type=RelatedCryptoMaterialType.PUBLIC_KEY, algorithm_ref=BomRef(algorithm), size=key.get("bits")
                ),
            ),
        )
        return reference

    def _service(self, one: dict[str, Any]) -> "Service":
        from cyclonedx.model import XsUri
        from cyclonedx.model.service import Service

        end, names = end_text(one["address"], one["port"]), _listed(one["names"], "server_name")
        reference = f"service/{end}"
        needs = self._needs.setdefault(reference, set())
        needs.update(
            _protocol_reference(version) for version in _listed(one["versions"]) if _protocol_reference(version) in self._needs
        )
        needs.update(self._add_algorithm(group_algorithm(name)) for name in _listed(one["groups"]))
        needs.update(self._add_algorithm(scheme_algorithm(name)) for name in _listed(one["signature_schemes"]))
        sent = one["certificates"]
        references = (_certificate_reference(entry["sha256"]) for entry in sent["sent"])
        needs.update(name for name in references if name in self._needs)
        ready = one["post_quantum"]
        return Service(
            name=names[0] if names else end,
            bom_ref=reference,
            endpoints=[] if ":" in one["address"] else [XsUri(f"tls://{end}")],  # the library escapes the brackets of IPv6
            properties=_properties(
                address=one["address"], port=one["port"], names=names, cipher_suites=_listed(one["cipher_suites"]),
                alpn=_listed(one["alpn"]), sessions=one["sessions"], first_seen=one["first_seen"], last_seen=one["last_seen"],
                weak=one["weak"], certificate=_visibility(sent),
                post_quantum_accepted=ready["answers"]["accepted"], post_quantum_refused=ready["answers"]["refused"],
                openable_later_bytes=ready["openable_later"]["bytes"],
            ),
        )  # fmt: skip


def _capture(number: int, one: dict[str, Any]) -> "Component":
    from cyclonedx.model import HashAlgorithm, HashType
    from cyclonedx.model.component import Component, ComponentType

    hashes = [] if one["sha256"] is None else [HashType(alg=HashAlgorithm.SHA_256, content=one["sha256"])]
    return Component(
        type=ComponentType.DATA,
        name=basename(one["path"]) or one["path"],
        bom_ref=f"capture/{number}",
        hashes=hashes,
        properties=_properties(frames=one["frames"], first_time=one["first_time"], last_time=one["last_time"]),
    )


def _evidence(reference: str, places: Iterable[str]) -> Any:
    from cyclonedx.model.component_evidence import ComponentEvidence, Occurrence

    listed = [
        Occurrence(bom_ref=f"{reference}@{place}", location=place)
        for place, _ in zip(places, range(MOST_OCCURRENCES), strict=False)
    ]
    return ComponentEvidence(occurrences=listed) if listed else None


def _properties(**values: Any) -> list["Property"]:
    """Return properties named `analyzer:…`; a list is one property for each of its values, and what is not known has none."""
    from cyclonedx.model import Property

    return [
        Property(name=f"analyzer:{name}", value=str(one))
        for name, value in values.items()
        for one in (value if isinstance(value, list) else [value])
        if one is not None
    ]


def _listed(values: dict[str, Any], key: str = "value") -> list[str]:
    return [one[key] for one in values["values"]]


def _protocol_reference(version: str) -> str:
    return f"crypto/protocol/{version.replace(' ', '-')}"


def _certificate_reference(sha256: str) -> str:
    return f"crypto/certificate/{sha256}"


def _visibility(sent: dict[str, Any]) -> str:
    """Return the most that sessions with a server show of its certificates."""
    if sent["sent"] or sent["visible"]:
        return "visible"
    return "cut" if sent["cut"] else "not visible" if sent["not_visible"] else "not sent"


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
