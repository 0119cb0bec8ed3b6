"""PDF files: PDF/A-2b as far as a library can tell, the same bytes each time, and inert text whatever a capture holds."""

import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import PdfFileReader

from analyzer.report import pdf
from analyzer.report.build_document import build_document
from analyzer.report.document import (
    Block,
    Branch,
    Bullets,
    Code,
    Document,
    Facts,
    Figure,
    Grid,
    Ladder,
    Line,
    Link,
    Mark,
    Note,
    Paragraph,
    Quoted,
    Rung,
    Section,
    Strong,
    Tree,
)
from analyzer.report.pdf import write_pdf
from analyzer.report.pdf_text import written_characters
from analyzer.report.plots import versions_svg
from analyzer.report.sentences import Sentences

from .hostile_facts import poisoned

HASH = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"

HOSTILE = [
    '#eval("panic()") #read("/etc/passwd") #import "@preview/cetz:0.3.0"',
    "*bold* _emph_ = heading $x^2$ `raw` <label> @reference // comment /* comment */ \\u{41} \\ ~",
    "]]) #pagebreak() [[",
    '"; panic("x") //',
    "nul \x00 bell \x07 escape \x1b[31m delete \x7f",
    "line one\nline two\r\ttab",
    "\u202egnp.exe \u2066isolated\u2069 zero\u200bwidth \ufeff",
    "漢字 한국어 ไทย 😀 \U0001f9ff",
    "пример.рф مثال.إختبار דוגמה.קום",
    "e\u0301\u0301\u0301\u0301\u0301\u0301\u0301 \u0627\u0300 ก\u0301 \u0301alone",
    "\ud800 half of a pair",
    "x" * 100_000,
    "</text><script>alert(1)</script>&amp;",
]


def document(*blocks: Block, title: str = "Report", more: tuple[Section, ...] = ()) -> Document:
    front = Section("summary", ["Summary"], blocks)
    return Document(title, "en", Facts([("Case", ["C-1"]), ("Exhibit", [Quoted("EX-7")])]), front, more)


def every_block() -> Document:
    rungs = [
        Rung(
            "+0.0 ms",
            4,
            "client",
            ["ClientHello"],
            lines=[("server_name", [Quoted("www.example", True)])],
            explanation="It asks.",
        ),
        Rung("+1.0 ms", None, "server", ["ServerHello"], "good"),
        Rung("+2.0 ms", 6, "note", ["From here on encrypted"]),
        Rung("+3.0 ms", 7, "both", ["Application data"], "info"),
    ]
    tree = Branch([Quoted("CN=Root")], [["is trusted"]], [Branch([Quoted("CN=Issuing")], (), [Branch([Quoted("CN=Leaf")])])])
    svg = versions_svg(
        {"sessions": {"count": 1, "versions": {"TLS 1.3": 1}, "cipher_suites": {}, "groups": {}}}, Sentences("en")
    )
    details = Section(
        "details",
        ["Details"],
        (
            Facts([("SHA-256", [Code(HASH)])]),
            Grid("Rows", ["Name", "Size"], [[[Quoted("a")], ["1,024"]]], frozenset({1}), 3, "rows.csv"),
            Figure("Negotiated", svg, "One session negotiated TLS 1.3."),
            Ladder("Steps", [Quoted("192.0.2.1:1024", True)], [Quoted("192.0.2.2:443", True)], rungs, 2),
            Tree("Chain", [tree]),
        ),
        (Section("inner", ["Inner ", Mark("high", "high")], (Paragraph(["The end."]),)),),
    )
    return document(
        Paragraph(
            ["See ", Link("the details", "details"), ", not ", Link("nowhere", "no-such-place"), ". ", Strong("Strong.")]
        ),
        Note(["A note."], "medium"),
        Bullets([["one"], [Mark("verified", "good"), " and ", Mark("failed", "bad"), " and ", Mark("perhaps", "unsure")]]),
        more=(details,),
    )


def text_of(content: bytes, tmp_path: Path) -> str:
    file = tmp_path / "report.pdf"
    file.write_bytes(content)
    return subprocess.run(["pdftotext", "-layout", str(file), "-"], check=True, capture_output=True, text=True).stdout


def joined(text: str) -> str:
    """Return text without its line ends and spaces, because long words are broken over lines."""
    return re.sub(r"\s+", "", text)


def objects(reader: PdfFileReader) -> Iterator[Any]:
    """Yield all dictionaries of a PDF file, those inside others too."""
    waiting: list[Any] = [
        reader.get_object(generic.Reference(number, generation, pdf=reader))
        for number, generation in ((ref.idnum, ref.generation) for ref in reader.xrefs.explicit_refs_in_revision(0))
    ]
    while waiting:
        one = waiting.pop()
        if isinstance(one, generic.DictionaryObject):
            yield one
            waiting += [value for value in dict.values(one) if not isinstance(value, generic.IndirectObject)]
        elif isinstance(one, generic.ArrayObject):
            waiting += [value for value in list.__iter__(one) if not isinstance(value, generic.IndirectObject)]


@pytest.fixture(scope="module")
def written() -> bytes:
    return write_pdf(every_block())


def test_it_says_that_it_is_pdf_a_2b(written: bytes) -> None:
    reader = PdfFileReader(BytesIO(written))
    assert written.startswith(b"%PDF-1.7\n")
    metadata = reader.root["/Metadata"]
    assert "/Filter" not in metadata
    assert re.search(rb"pdfaid:part>2<", metadata.data)
    assert re.search(rb"pdfaid:conformance>B<", metadata.data)
    intent = reader.root["/OutputIntents"][0]
    assert intent["/S"] == "/GTS_PDFA1"
    assert intent["/DestOutputProfile"].data[36:40] == b"acsp"
    assert "/Encrypt" not in reader.trailer
    assert len(reader.trailer["/ID"]) == 2


def test_it_has_nothing_that_pdf_a_forbids(written: bytes) -> None:
    seen = list(objects(PdfFileReader(BytesIO(written))))
    assert len(seen) > 50
    for one in seen:
        assert not {"/JS", "/AA", "/EF", "/XFA", "/FFilter", "/URI", "/Launch", "/NeedAppearances"} & set(one)
        assert one.get("/S") not in (
            "/JavaScript",
            "/URI",
            "/Launch",
            "/GoToR",
            "/SubmitForm",
            "/ImportData",
            "/Movie",
            "/Sound",
        )
        if one.get("/Type") == "/Annot":
            assert one["/F"] & 4
            assert one["/Subtype"] == "/Link"


def test_all_fonts_are_embedded(written: bytes) -> None:
    fonts = [one for one in objects(PdfFileReader(BytesIO(written))) if one.get("/Type") == "/FontDescriptor"]
    assert len(fonts) >= 3
    assert all({"/FontFile", "/FontFile2", "/FontFile3"} & set(one) for one in fonts)


def test_it_has_bookmarks_a_language_tags_and_a_title(written: bytes) -> None:
    reader = PdfFileReader(BytesIO(written))
    titles = []
    waiting = [reader.root["/Outlines"]["/First"]]
    while waiting:
        item = waiting.pop()
        titles.append(str(item["/Title"]))
        waiting += [item[key] for key in ("/Next", "/First") if key in item]
    assert [title for title in titles if title != "Contents"] == ["Summary", "Details", "Inner high"]
    assert reader.root["/Lang"] == "en"
    assert reader.root["/MarkInfo"]["/Marked"]
    assert reader.root["/StructTreeRoot"]["/K"]
    assert b'<dc:title><rdf:Alt><rdf:li xml:lang="x-default">Report' in re.sub(rb">\s+<", b"><", reader.root["/Metadata"].data)


@pytest.mark.peer("qpdf")
def test_another_program_finds_it_sound(written: bytes, tmp_path: Path) -> None:
    file = tmp_path / "report.pdf"
    file.write_bytes(written)
    subprocess.run(["qpdf", "--check", str(file)], check=True, capture_output=True)


@pytest.mark.peer("pdftotext")
def test_every_kind_of_block_is_written(written: bytes, tmp_path: Path) -> None:
    text = text_of(written, tmp_path)
    for part in (
        *("Summary", "See the details, not nowhere. Strong.", "A note.", "one", "verified", "failed", "perhaps"),
        *("Details", HASH, "Name", "1,024", "3 more rows are not shown here.", "rows.csv", "Protocol versions", "Negotiated"),
        *("192.0.2.1:1024", "192.0.2.2:443", "ClientHello", "server_name: www.example", "It asks.", "frame 4", "ServerHello"),
        *("From here on encrypted", "2 more steps are not shown.", "CN=Root", "is trusted", "CN=Issuing", "CN=Leaf", "Inner"),
        *("Page 1 of", "EX-7", "The end."),
    ):
        assert part in text, part
    pages = text.rstrip("\f").split("\f")
    assert [re.findall(r"Page (\d+) of (\d+)", page) for page in pages] == [
        [(str(n), str(len(pages)))] for n in range(1, len(pages) + 1)
    ]


def test_the_same_document_gives_the_same_bytes(written: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1234567890")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert write_pdf(every_block()) == written
    assert list(tmp_path.iterdir()) == []


def test_the_date_is_the_one_that_is_given(written: bytes) -> None:
    dated = write_pdf(every_block(), datetime(2026, 11, 29, 12, 30, 15, tzinfo=UTC))
    assert b"<xmp:CreateDate>2026-11-29T12:30:15+00:00<" in PdfFileReader(BytesIO(dated)).root["/Metadata"].data
    assert b"<xmp:CreateDate>1970-01-01T00:00:00+00:00<" in PdfFileReader(BytesIO(written)).root["/Metadata"].data


@pytest.mark.peer("pdftotext")
@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_is_inert(hostile: str, tmp_path: Path) -> None:
    line: Line = [Quoted(hostile), " ", Quoted(hostile, True), " ", Code(hostile[:50]), " ", Strong(hostile[:50]), hostile[:50]]
    blocks: list[Block] = [
        Paragraph(line),
        Facts([(hostile[:50], line)]),
        Grid(hostile[:50], [hostile[:50], "b"], [[line, line]]),
        Figure(hostile[:50], versions_svg(versions_of(hostile), Sentences("en")), hostile[:50]),
        Ladder("Steps", line, line, [Rung("+1 ms", 1, "client", line, lines=[(hostile[:50], line)], explanation=hostile[:50])]),
        Tree("Chain", [Branch(line, [line])]),
    ]
    content = write_pdf(document(*blocks, title=hostile[:50], more=(Section("more", line),)))
    text = text_of(content, tmp_path)
    assert "root:" not in text
    assert not re.search("[\x00-\x08\x0b\x0e-\x1f\x7f\u202d\u202e\u2066\u2067\u200b\ufeff\ufffd]", text)
    if hostile.isascii() and hostile.isprintable():
        assert joined(hostile[:300]) in joined(text)


def versions_of(name: str) -> dict[str, Any]:
    return {"sessions": {"count": 1, "versions": {name: 1}, "cipher_suites": {}, "groups": {}}}


def test_giant_texts_of_an_examiner_are_shortened() -> None:
    giant = "漢" * 100_000
    figure = Figure(giant, versions_svg(versions_of("a"), Sentences("en")), giant)
    content = write_pdf(document(Paragraph([giant, Code(giant)]), figure, title=giant, more=(Section("more", [giant]),)))
    assert len(content) < 2_000_000


@pytest.mark.peer("pdftotext")
def test_what_no_font_has_is_written_as_an_escape(tmp_path: Path) -> None:
    text = joined(text_of(write_pdf(document(Paragraph([Quoted("a漢😀b\x00\u202e")]))), tmp_path))
    assert r"a\u6f22\U0001f600b\x00\u202e" in text


@pytest.mark.peer("pdftotext")
def test_a_character_that_the_fonts_lack_after_all_does_not_cost_the_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf, "written_characters", lambda: written_characters() | {"漢"})
    text = joined(text_of(write_pdf(document(Paragraph([Quoted("é漢")]))), tmp_path))
    assert r"\u00e9\u6f22" in text


def test_the_fonts_have_all_characters_of_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """Typst refuses a character without a glyph, so the second try with ASCII would show that one is missing."""
    monkeypatch.setattr(pdf, "_ASCII", frozenset())
    characters = sorted(written_characters())
    assert len(characters) > 3000
    together = " ".join(characters) + " " + "".join(f"a{one}" for one in characters)
    blocks = [Paragraph([together, Code(together), Strong(together)])]
    plain = write_pdf(document(*blocks))
    assert plain == pdf._compiled(document(*blocks), datetime.fromtimestamp(0, UTC), pdf.showing(written_characters()))


@pytest.mark.peer("pdftotext")
def test_a_long_table_repeats_its_heads_on_each_page(tmp_path: Path) -> None:
    rows: list[list[Line]] = [[[str(number)], [Quoted(f"host-{number}.example", True)], [Code(HASH)]] for number in range(400)]
    text = text_of(write_pdf(document(Grid("Hosts", ["No.", "Host name", "SHA-256"], rows, frozenset({0})))), tmp_path)
    pages = [page for page in text.split("\f") if "host-" in page]
    assert len(pages) > 5
    assert all("Host name" in page for page in pages)
    assert [number for number in range(400) if f"host-{number}.example" not in text] == []
    assert joined(text).count(HASH) == 400


@pytest.mark.peer("pdftotext")
def test_long_words_stay_on_the_page(tmp_path: Path) -> None:
    word = "x" * 399
    rows: list[list[Line]] = [[[Quoted(word)], [Quoted(word, True)], [Code(HASH * 4)]]]
    file = tmp_path / "report.pdf"
    file.write_bytes(write_pdf(document(Paragraph([Quoted(word)]), Grid("Words", ["a", "b", "c"], rows))))
    boxes = subprocess.run(["pdftotext", "-bbox", str(file), "-"], check=True, capture_output=True, text=True).stdout
    rights = [float(right) for right in re.findall(r'xMax="([0-9.]+)"', boxes)]
    assert len(rights) > 20
    assert max(rights) < 595.3 - 56


def test_the_template_reads_nothing_but_its_input() -> None:
    template = (Path(pdf.DIRECTORY) / "report.typ").read_text("utf-8")
    assert not re.search(r"\b(eval|read|include|import|plugin|csv|toml|yaml|cbor|xml)\b *[(\"]", re.sub("//.*", "", template))
    assert template.count("json(") == 1


@pytest.mark.peer("pdftotext")
def test_the_report_of_a_capture_is_written_whole(demo_facts: dict[str, Any], tmp_path: Path) -> None:
    text = text_of(write_pdf(build_document(demo_facts, Sentences("en"))), tmp_path)
    for record in demo_facts["sessions"]["brief"]:
        assert record["server_name"] in text
    assert demo_facts["evidence"]["inputs"][0]["sha256"] in joined(text)
    assert demo_facts["sessions"]["shown"][0]["ja4"] in joined(text)


@pytest.mark.peer("pdftotext")
def test_the_report_of_a_hostile_capture_is_inert(failing_facts: dict[str, Any], tmp_path: Path) -> None:
    text = text_of(write_pdf(build_document(poisoned(failing_facts), Sentences("en"))), tmp_path)
    assert not re.search("[\x00-\x08\x0b\x0e-\x1f\x7f\u202d\u202e\u2066\u2067\u200b\ufeff\ufffd]", text)
    assert "<script>" in text
