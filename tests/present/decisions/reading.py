"""Read pages in tests: their rows with the values of their cells, and whether they are well formed and ask nobody."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = frozenset({"meta", "input", "br", "wbr", "img", "link", "hr"})
_PARTS = (
    "html head meta title style body main header section footer h1 h2 h3 h4 p ul li dl dt dd div span strong a pre code"
)
_TABLES = "details summary table caption thead tbody tr th td figure figcaption button label input output script wbr"
_DRAWINGS = "svg desc defs g path rect line circle use text"
_KNOWN = frozenset(f"{_PARTS} {_TABLES} {_DRAWINGS}".split())


@dataclass
class Row:
    """A row of a table: its name, the texts and values of its cells by label, and what its drawing is called."""

    name: str = ""
    texts: dict[str, str] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    drawing: str = ""
    note: str = ""


class Page(HTMLParser):
    """A page that was read; a tag that is not closed, or not one of ours, is an error."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.source = text
        self.rows: list[Row] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.plots: list[str] = []
        self.data: list[list[str | None]] = []
        self.text = ""
        self._open: list[tuple[str, dict[str, str | None]]] = []
        self._label = ""
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        assert tag in _KNOWN, tag
        assert not any(name.startswith("on") or name in {"style", "src"} for name in values), (tag, values)
        self.ids += [str(values["id"])] if "id" in values else []
        self.links += [str(values["href"])] if tag == "a" else []
        classes = (values.get("class") or "").split()
        if tag == "tr" and "run" in classes:
            self.rows.append(Row())
        if tag == "tr" and not classes:
            self.data.append([])
        if tag == "td" and self.data and not values.get("data-label"):
            self.data[-1].append(values.get("data-value"))
        if tag == "th" and "name" in classes:
            self.rows[-1].name = values["title"] or ""
        self._label = (values.get("data-label") or "") if tag in {"td", "th"} else self._label
        if tag == "td" and self._label and "data-value" in values:
            self.rows[-1].values[self._label] = values["data-value"] or ""
        if tag == "svg" and "plot" in classes and values.get("role") == "img":
            self.plots.append(str(values["aria-labelledby"]))
        if tag not in _VOID:
            self._open.append((tag, values))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in _KNOWN, (tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        where = [tag for tag, _ in self._open]
        if "script" in where or "style" in where:
            return
        self.text += data
        if "td" in where and self._label and self.rows:
            row = self.rows[-1]
            if where[-1] == "title":
                row.drawing += data
            else:
                row.texts[self._label] = row.texts.get(self._label, "") + data


def read_page(text: str) -> Page:
    """Read a page, and check what holds for all of them."""
    page = Page(text)
    assert len(set(page.ids)) == len(page.ids)
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    for link in page.links:
        assert link.startswith(("#", "https://")), link
        assert not link.startswith("#") or link[1:] in page.ids, link
    for names in page.plots:
        assert all(name in page.ids for name in names.split()), names
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u2028\u202e]", text)
    return page
