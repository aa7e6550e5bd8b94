"""Makes pages of the documentation site of those pages that stand in Markdown, so that nothing stands twice.

What is understood is what those pages use: headings, paragraphs, lists, tables, blocks of code, and in a line code,
bold, italic and links. Anything else is refused by file and line.
"""

from __future__ import annotations

import re
from pathlib import Path

LABELS = "ansible_collections.winbackup.storage.docsite."
REPOSITORY = "https://github.com/winbackup/storage/blob/main/"
# Pages in Markdown, by their path in the repository, and the name of the page of the site that each becomes.
PAGES = {
    "docs/codes.md": "codes",
    "docs/over-ssh.md": "guide_over_ssh",
    "docs/security.md": "attacks",
    "docs/lab-dpm.md": "lab_dpm",
    "docs/lab-powershell-subset.md": "lab_powershell_subset",
    "docs/awx/README.md": "guide_awx",
    "docs/monitoring/README.md": "guide_monitoring",
}
UNDERLINES = {1: "=", 2: "-", 3: "~"}
INLINE = re.compile(
    r"(?P<code>`[^`]+`)|\[(?P<text>[^\]]+)\]\((?P<link>[^)\s]+)\)|\*\*(?P<bold>.+?)\*\*|(?<![\w*])\*(?P<italic>[^*\s][^*]*)\*"
)


class Unknown(ValueError):
    """A line is none of those that are understood."""


def escaped(text: str) -> str:
    """Returns plain text so that nothing in it is markup."""
    return re.sub(r"([\\*`|]|_(?=\W|$))", r"\\\1", text)


def _target(link: str, page: str) -> tuple[str | None, str]:
    """Returns the label that a link of a page leads to, or None and its address."""
    if re.match(r"https?://", link):
        return None, link
    path, _hash, _part = link.partition("#")
    parts: list[str] = page.split("/")[:-1]
    for part in path.split("/"):
        parts = parts[:-1] if part == ".." else [*parts, part]
    place = "/".join(parts)
    if place in PAGES:
        return LABELS + PAGES[place], ""
    guide = re.fullmatch(r"docs/docsite/rst/(\w+)\.rst", place)
    return (LABELS + guide[1], "") if guide else (None, REPOSITORY + place)


def _marked(found: re.Match[str], page: str) -> str:
    if found["code"]:
        return f"`{found['code']}`"
    if found["link"]:
        # Markup inside markup is not to be had: the text of a link is plain.
        text = found["text"].replace("`", "")
        label, address = _target(found["link"], page)
        # A file's name is of no use on the site: there the title of the page stands for it.
        named = f":ref:`{label}`" if text.endswith(".md") else f":ref:`{text} <{label}>`"
        return named if label else f"`{text} <{address}>`__"
    text = found["bold"] or found["italic"]
    if "`" in text or "](" in text:
        return inline(text, page)
    return f"**{escaped(text)}**" if found["bold"] else f"*{escaped(text)}*"


def inline(text: str, page: str) -> str:
    """Returns the text of a line, a cell or a paragraph in reStructuredText."""
    made, last = "", 0
    for found in INLINE.finditer(text):
        made += escaped(text[last : found.start()])
        before, after = text[: found.start()][-1:], text[found.end() :][:1]
        # Markup begins and ends at spaces and some punctuation only; elsewhere an escaped space is put there.
        made += "\\ " if before and not re.match(r"[\s(\[{<\-/:'\"]", before) else ""
        made += _marked(found, page)
        made += "\\ " if after and not re.match(r"[\s)\]}>\-/:.,;!?'\"]", after) else ""
        last = found.end()
    return made + escaped(text[last:])


def _cells(line: str) -> list[str]:
    """Returns the cells of a row; a bar in code is written as `\\|`."""
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]


def _table(rows: list[str], page: str) -> list[str]:
    header, body = _cells(rows[0]), [_cells(row) for row in rows[2:]]
    if not re.fullmatch(r"[\s|:-]+", rows[1]) or any(len(row) != len(header) for row in body):
        raise Unknown(f"{page}: a table whose rows differ in their cells: {rows[0]}")
    titled = any(header)
    made = [".. list-table::", f"   :header-rows: {int(titled)}", "   :width: 100%", ""]
    for row in [header] * titled + body:
        for number, cell in enumerate(row):
            made.append(f"   {'* -' if number == 0 else '  -'} {inline(cell, page)}".rstrip())
    return [*made, ""]


def _items(lines: list[str], page: str) -> list[str]:
    """Returns a list, whose items may go on in lines that are indented."""
    items: list[tuple[str, str]] = []
    for line in lines:
        begins = re.match(r"(- |\d+\. )(.*)", line)
        if begins:
            items.append((begins[1], begins[2]))
        else:
            items[-1] = (items[-1][0], f"{items[-1][1]} {line.strip()}")
    return [f"{mark}{inline(text, page)}" for mark, text in items] + [""]


def rendered(markdown: str, page: str) -> str:
    """Returns a page in reStructuredText; `page` is its path in the repository.

    Raises Unknown for a line that is not understood.
    """
    lines = markdown.splitlines()
    made = [f".. _{LABELS}{PAGES[page]}:", ""]
    at = 0

    def block(belongs: str) -> list[str]:
        """Takes the lines that go on matching."""
        nonlocal at
        begin = at
        while at < len(lines) and re.match(belongs, lines[at]):
            at += 1
        return lines[begin:at]

    while at < len(lines):
        line = lines[at]
        heading = re.match(r"(#{1,3}) (.+)", line)
        if not line.strip():
            at += 1
        elif heading:
            title = inline(heading[2], page)
            made += [title, UNDERLINES[len(heading[1])] * len(title), ""]
            at += 1
        elif line.startswith("```"):
            at += 1
            code = block(r"(?!```)")
            at += 1
            made += [f".. code-block:: {line[3:].strip() or 'text'}", ""]
            made += [f"   {text}".rstrip() for text in code] + [""]
        elif line.startswith("|"):
            made += _table(block(r"\|"), page)
        elif re.match(r"- |\d+\. ", line):
            made += _items(block(r"- |\d+\. |  +\S"), page)
        elif re.match(r"[#>\t]|    |<\w|---", line):
            raise Unknown(f"{page}:{at + 1}: {line}")
        else:
            made += [inline(" ".join(text.strip() for text in block(r"(?![|#]|```|- |\d+\. )\s*\S")), page), ""]
    return "\n".join(made)


def write_pages(collection: Path) -> list[Path]:
    """Writes the pages of a collection that lies in `collection` beside its guides; returns their files."""
    written = []
    for page, name in PAGES.items():
        target = collection / "docs" / "docsite" / "rst" / f"{name}.rst"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(rendered((collection / page).read_text(encoding="utf-8"), page), encoding="utf-8")
        written.append(target)
    return written
