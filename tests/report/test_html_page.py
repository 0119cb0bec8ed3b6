"""The page of a report: complete in itself, inert whatever a capture holds, readable for everybody. A browser looks at it."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from analyzer.report.build_document import build_document
from analyzer.report.document import Attachment, Document, Facts, Figure, Grid, Link, Mark, Paragraph, Quoted, Section, Strong
from analyzer.report.html_page import policy, write_html
from analyzer.report.sentences import Sentences, languages
from analyzer.report.svg_check import UnsafePictureError

from .conftest import PATIENCE_MS, FactsOf
from .hostile_facts import MARKUP, hostile_capture, poisoned

ADDRESS = "http://report.invalid/report.html"


def document(*blocks: Any, attachments: Any = ()) -> Document:
    return Document("t", "en", Facts(()), Section("front", ["f"]), [Section("a", ["a"], blocks)], attachments)


def page_of(facts: dict[str, Any], contents: Any = None, language: str = "en") -> bytes:
    return write_html(build_document(facts, Sentences(language), contents))


class Tags(HTMLParser):
    """All elements of a page with their attributes, and its text."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module", params=languages())
def hostile_page(facts_of: FactsOf, request: pytest.FixtureRequest) -> bytes:
    facts = facts_of("demo.pcapng", "--trust", "demo/demo.ca.pem")
    return page_of(poisoned(json.loads(json.dumps(facts))), language=request.param)


@pytest.fixture(scope="module")
def captured_page(facts_of: FactsOf, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The page of a real capture whose names, certificates and file name are hostile."""
    path = tmp_path_factory.mktemp("hostile") / "<img src=x onerror=window.ran=1>\u202e\x1b[31m.pcap"
    path.write_bytes(hostile_capture())
    return page_of(facts_of(str(path), "--case", MARKUP[0], "--examiner", MARKUP[1]))


def test_the_same_facts_give_the_same_bytes(demo_facts: dict[str, Any]) -> None:
    assert page_of(demo_facts) == page_of(json.loads(json.dumps(demo_facts)))


def test_the_page_has_no_script_and_refers_to_nothing_outside(demo_facts: dict[str, Any], hostile_page: bytes) -> None:
    for page in (page_of(demo_facts), hostile_page):
        found = Tags(page)
        assert {tag for tag, _ in found.tags} & {"script", "img", "iframe", "object", "embed", "form", "input", "base"} == set()
        for tag, attributes in found.tags:
            assert not [name for name in attributes if name.startswith("on") or name in ("style", "src", "srcset")], tag
            href = attributes.get("href")
            assert href is None or href.startswith(("#", "data:")), href


def test_every_reference_leads_to_a_place_in_the_page(demo_facts: dict[str, Any]) -> None:
    found = Tags(page_of(demo_facts))
    ids = [attributes["id"] for _, attributes in found.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    referred = {str(attributes["href"])[1:] for _, attributes in found.tags if str(attributes.get("href")).startswith("#")}
    assert len(referred) > 20
    assert referred <= set(ids)


def test_the_policy_allows_the_style_sheet_and_nothing_else(demo_facts: dict[str, Any]) -> None:
    page = page_of(demo_facts)
    [style] = re.findall(rb"<style>(.*?)</style>", page, re.DOTALL)
    found = Tags(page)
    [rule] = [str(a["content"]) for tag, a in found.tags if tag == "meta" and a.get("http-equiv") == "Content-Security-Policy"]
    assert rule == policy(style.decode())
    digest = base64.b64encode(hashlib.sha256(style).digest()).decode()
    assert rule.startswith(f"default-src 'none'; style-src 'sha256-{digest}'; ")
    assert "unsafe" not in rule


def test_pieces_are_escaped() -> None:
    evil = "<b>&\"'"
    line = [evil, Quoted(evil), Quoted(evil, code=True), Strong(evil), Mark(evil, "bad"), Link(evil, "a")]
    page = write_html(document(Paragraph(line), Grid(evil, [evil], [[line]], n_more=3, attachment=evil))).decode()
    assert "<b>" not in page
    assert page.count("&lt;b&gt;&amp;&#34;&#39;") == 6 + 1 + 1 + 6 + 1


def test_a_picture_that_is_not_inert_is_refused() -> None:
    with pytest.raises(UnsafePictureError):
        write_html(document(Figure("a", "<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "b")))


def test_attachments_are_links_with_their_content_and_hash(demo_facts: dict[str, Any]) -> None:
    content = b"a,b\r\n1,'=2\r\n"
    attachment = Attachment("hosts.csv", "text/csv", content, "all hosts")
    found = write_html(Document("t", "en", Facts(()), Section("f", ["f"]), [Section("attachments", ["a"])], [attachment]))
    [link] = [attributes for tag, attributes in Tags(found).tags if tag == "a" and "download" in attributes]
    assert link["download"] == "hosts.csv"
    assert base64.b64decode(str(link["href"]).removeprefix("data:text/csv;base64,")) == content
    assert hashlib.sha256(content).hexdigest() in found.decode()


class Visit:
    """A page in a browser, with everything that it did."""

    def __init__(self, browser: Any, page: bytes, **options: Any) -> None:
        self.said: list[str] = []
        self.requests: list[str] = []
        self.tab = browser.new_page(**options)
        self.tab.set_default_timeout(PATIENCE_MS)
        self.tab.on("console", lambda message: self.said.append(message.text))
        self.tab.on("pageerror", lambda error: self.said.append(str(error)))
        self.tab.on("dialog", lambda dialog: self.said.append(dialog.message))
        self.tab.on("request", lambda request: self.requests.append(request.url))
        self.tab.route("**/*", lambda route: self._answer(route, page))
        self.tab.goto(ADDRESS)

    def _answer(self, route: Any, page: bytes) -> None:
        if route.request.url == ADDRESS:
            route.fulfill(body=page, content_type="text/html; charset=utf-8")
        else:
            route.abort()

    def quiet(self) -> bool:
        """Return whether the page asked for nothing but itself, and nothing was refused or ran."""
        outside = [url for url in self.requests if url != ADDRESS and not url.startswith("data:")]
        assert outside == []
        assert self.said == []
        assert self.tab.evaluate("window.ran") is None
        return True


@pytest.mark.peer("chromium")
def test_nothing_of_a_hostile_capture_runs_or_is_fetched(browser: Any, hostile_page: bytes) -> None:
    visit = Visit(browser, hostile_page)
    visit.tab.mouse.move(200, 200)
    for _ in range(50):
        visit.tab.keyboard.press("Tab")
    visit.tab.wait_for_timeout(300)
    assert visit.quiet()
    assert visit.tab.title().startswith(("Examination of recorded network traffic", "网络通信数据检验报告"))
    text = visit.tab.inner_text("body")
    assert "<script>window.ran=1</script>" in text
    assert "moc.live\\u202e\\u200b\\u2028www" in text
    assert "looks like “apple” and is not" in text or "看似“apple”，实则不同" in text
    assert "(99,600 more characters)" in text or "（另有 99,600 个字符）" in text
    assert "\u202e" not in text
    assert "\x1b" not in text


@pytest.mark.peer("chromium")
def test_nothing_of_a_real_hostile_capture_runs_or_is_fetched(browser: Any, captured_page: bytes) -> None:
    visit = Visit(browser, captured_page)
    visit.tab.wait_for_timeout(300)
    assert visit.quiet()
    text = visit.tab.inner_text("body")
    for markup in MARKUP:
        assert f"CN={markup}"[:40] in text.replace("\\", ""), markup
    assert "<img src=x onerror=window.ran=1>\\u202e\\x1b[31m.pcap" in text
    assert "looks like “apple” and is not" in text or "看似“apple”，实则不同" in text
    assert "19,600 more characters" in text


@pytest.mark.peer("chromium")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1000, 1600])
def test_the_page_fits_the_window(
    browser: Any, hostile_page: bytes, demo_facts: dict[str, Any], scheme: str, width: int
) -> None:
    for page in (hostile_page, page_of(demo_facts)):
        visit = Visit(browser, page, viewport={"width": width, "height": 900}, color_scheme=scheme)
        assert visit.tab.evaluate("document.documentElement.scrollWidth") <= width
        assert visit.quiet()
        visit.tab.close()


CONTRAST = """() => {
  const probe = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgba = (color) => {
    probe.clearRect(0, 0, 1, 1); probe.fillStyle = color; probe.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = probe.getImageData(0, 0, 1, 1).data; return [r, g, b, a / 255];
  };
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * x + .7152 * y + .0722 * z;
  };
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const color = rgba(getComputedStyle(e).backgroundColor);
      if (color[3] > .99) return color;
    }
    return [255, 255, 255, 1];
  };
  const low = new Set();
  let n = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || element.closest('svg, style, .aloud')) continue;
    n += 1;
    const a = light(rgba(getComputedStyle(element).color)), b = light(behind(element));
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) low.add(element.className + ' ' + element.tagName + ' ' + ratio.toFixed(2));
  }
  return [n, [...low]];
}"""


@pytest.mark.peer("chromium")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_has_enough_contrast(browser: Any, hostile_page: bytes, scheme: str) -> None:
    """WCAG 2.2, 1.4.3: at least 4.5 to 1."""
    visit = Visit(browser, hostile_page, color_scheme=scheme)
    n_texts, low = visit.tab.evaluate(CONTRAST)
    assert n_texts > 1000
    assert low == []


OUTLINE = """() => ({
  levels: [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].map(h => +h.tagName[1]),
  uncaptioned: [...document.querySelectorAll('table')].filter(t => !t.caption || !t.caption.textContent.trim()).length,
  unscoped: [...document.querySelectorAll('th')].filter(h => !h.scope).length,
  tables: document.querySelectorAll('table').length,
  landmarks: ['header', 'main', 'nav'].map(name => document.querySelectorAll(name).length),
  unnamed: [...document.querySelectorAll('section, nav, [role=region]')].filter(
    s => !document.getElementById(s.getAttribute('aria-labelledby'))).length,
  pictures: [...document.querySelectorAll('svg')].filter(
    s => s.getAttribute('role') !== 'img' || !s.querySelector('title')).length,
  n_pictures: document.querySelectorAll('svg').length,
  language: document.documentElement.lang,
})"""


@pytest.mark.peer("chromium")
def test_the_page_can_be_read_aloud_and_with_the_keyboard(browser: Any, demo_facts: dict[str, Any]) -> None:
    visit = Visit(browser, page_of(demo_facts))
    outline = visit.tab.evaluate(OUTLINE)
    assert outline["levels"][0] == 1
    assert outline["levels"].count(1) == 1
    assert all(after <= before + 1 for before, after in zip(outline["levels"], outline["levels"][1:], strict=False))
    assert outline["tables"] > 10
    assert (outline["uncaptioned"], outline["unscoped"], outline["unnamed"]) == (0, 0, 0)
    assert outline["landmarks"] == [1, 1, 1]
    assert outline["n_pictures"] == 3
    assert outline["pictures"] == 0
    assert outline["language"] == "en"
    visit.tab.keyboard.press("Tab")
    first = visit.tab.evaluate("document.activeElement.className")
    assert first == "skip"
    assert visit.tab.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


@pytest.mark.peer("chromium")
def test_the_front_page_is_one_printed_page(browser: Any, facts_of: FactsOf, demo_facts: dict[str, Any]) -> None:
    """A4 with the margins of the style sheet is 178 mm wide and 266 mm high; a pixel of CSS is a 96th of an inch."""
    worst = json.loads(json.dumps(demo_facts))
    finding = next(one for one in worst["findings"] if one["severity"] == "medium")
    worst["findings"] = [finding | {"code": f"code_{number}"} for number in range(20)] + worst["findings"]
    worst["sessions"]["signatures"] |= {"failed": 3}
    worst["sessions"]["decryption"] |= {"none": 3}
    worst["case"] |= dict.fromkeys(("case", "exhibit", "examiner", "authority"), "A name of usual length, 2026-117")
    worst["case"]["purpose"] = "Which servers did the machine talk to, and was the traffic tampered with? " * 2
    worst["issued_at"] = "2026-11-29T00:00:00Z"
    visit = Visit(browser, page_of(worst), viewport={"width": round(178 / 25.4 * 96), "height": 900})
    visit.tab.emulate_media(media="print")
    assert visit.tab.evaluate("document.querySelector('.front').getBoundingClientRect().bottom") < 266 / 25.4 * 96
    pdf = visit.tab.pdf(prefer_css_page_size=True)
    assert pdf.startswith(b"%PDF")
