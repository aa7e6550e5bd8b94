"""A page read back as a browser would: elements, attributes and texts, with the standard library's parser."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

WITHOUT_END = {"meta", "path", "rect"}


@dataclass
class Element:
    """An element with what is in it, in order."""

    tag: str
    attributes: dict[str, str | None]
    children: list[Element | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All text in it."""
        return "".join(child if isinstance(child, str) else child.text for child in self.children)

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """Returns the elements of this name in it that have these attributes; `class_` is one of several classes."""
        return [one for one in self.within() if one.tag == tag and all(one.has(*pair) for pair in attributes.items())]

    def one(self, tag: str, **attributes: str) -> Element:
        """Returns the only such element."""
        found = self.all(tag, **attributes)
        assert len(found) == 1, f"{len(found)} elements {tag} {attributes}"
        return found[0]

    def has(self, name: str, value: str) -> bool:
        if name == "class_":
            return value in (self.attributes.get("class") or "").split()
        return self.attributes.get(name) == value

    def within(self) -> list[Element]:
        """Returns all elements in it, in the order of the page."""
        found: list[Element] = []
        for child in self.children:
            if isinstance(child, Element):
                found += [child, *child.within()]
        return found


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), f"an attribute of {tag} stands twice"
        element = Element(tag, dict(attrs))
        self.open[-1].children.append(element)
        if tag not in WITHOUT_END:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> ends <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def handle_pi(self, data: str) -> None:
        raise AssertionError(f"a processing instruction: {data}")

    def unknown_decl(self, data: str) -> None:
        raise AssertionError(f"a declaration: {data}")


def read(html: str) -> Element:
    """Returns the root of the page; every element must be closed in its turn."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == [reader.root]
    return reader.root


def rows_of(page: Element, table: str) -> list[dict[str, Any]]:
    """Returns all rows of a table, as its script gets them."""
    rows: list[dict[str, Any]] = json.loads(page.one("div", id=table).one("script", class_="rows").text)["rows"]
    return rows


def cell_texts(cell: list[str | list[str]]) -> list[str]:
    """Returns the lines of a cell of such a row."""
    return [line if isinstance(line, str) else line[0] for line in cell]


def shape(root: Element) -> Counter[tuple[str, tuple[str, ...]]]:
    """Returns how often each element with its attributes' names occurs: what no value may change."""
    return Counter((element.tag, tuple(element.attributes)) for element in root.within())
