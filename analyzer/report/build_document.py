"""Puts the sections of a report together: facts and a catalogue of sentences give the document, the same each time."""

from collections.abc import Mapping

from analyzer.report.crosscheck_section import crosscheck_section
from analyzer.report.document import Attachment, Document, Section
from analyzer.report.evidence_section import evidence_section, integrity_section, time_section
from analyzer.report.findings_section import findings_section
from analyzer.report.front_section import front_section, title_facts
from analyzer.report.inventory_section import inventory_section
from analyzer.report.pieces import Record
from analyzer.report.scope_section import limitations_section, method_section, scope_section
from analyzer.report.sentences import Sentences
from analyzer.report.session_section import sessions_section
from analyzer.report.source_section import attachment_text, attachments_section, glossary_section, sources_section
from analyzer.report.tls_section import certificates_section, failed_section, tls_section
from analyzer.report.traffic_section import hosts_section, timeline_section, traffic_section


def build_document(facts: Record, sentences: Sentences, contents: Mapping[str, bytes] | None = None) -> Document:
    """Return the document of a report.

    contents: of the attachments that the facts list, by name. Those without content are listed and not attached. Raises
    `UnknownSentenceError` if the catalogue has no sentence for a code in the facts.
    """
    sections: list[Section] = [
        make(facts, sentences)
        for make in (
            scope_section,
            method_section,
            limitations_section,
            evidence_section,
            time_section,
            integrity_section,
            timeline_section,
            traffic_section,
            tls_section,
            findings_section,
            failed_section,
            sessions_section,
            hosts_section,
            certificates_section,
            inventory_section,
            crosscheck_section,
            sources_section,
            attachments_section,
            glossary_section,
        )
    ]
    attached = [
        Attachment(one["name"], one["media_type"], contents[one["name"]], attachment_text(one, sentences))
        for one in facts["attachments"]
        if contents is not None and one["name"] in contents
    ]
    title = sentences.say("title.case", case=facts["case"]["case"]) if facts["case"]["case"] else sentences.say("title")
    return Document(
        title, sentences.language, title_facts(facts, sentences), front_section(facts, sentences), sections, attached
    )
