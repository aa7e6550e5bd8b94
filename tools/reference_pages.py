"""Makes pages of the documentation site of what antsibull-docs does not know: playbooks, and event sources for
Event-Driven Ansible. What they say stands with the thing itself: in the comment that a playbook begins with, in the
specification of its variables, in DOCUMENTATION and EXAMPLES of a source.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import yaml

LABELS = "ansible_collections.winbackup.storage.docsite."
SOURCES = "extensions/eda/plugins/event_source"
SPECIFICATION = "playbooks/vars/argument_specs.yml"
# Ansible's markup of options, values, variables, environment, code, and its emphasis.
MARKUP = re.compile(r"\b([A-Z]+)\(([^()]*)\)")
EMPHASIS = {"B": "**{}**", "I": "*{}*"}


def escaped(text: str) -> str:
    """Returns plain text so that nothing in it is markup."""
    return re.sub(r"([\\*`|]|_(?=\W|$))", r"\\\1", text)


def inline(text: str) -> str:
    """Returns a text with Ansible's markup in reStructuredText."""
    made, last = "", 0
    for found in MARKUP.finditer(text):
        module = re.fullmatch(r"(\w+\.\w+\.\w+)", found[2]) if found[1] == "M" else None
        marked = f":ansplugin:`{module[1]}#module`" if module else EMPHASIS.get(found[1], "``{}``").format(found[2])
        made += escaped(text[last : found.start()]) + marked
        last = found.end()
    return made + escaped(text[last:])


def paragraphs(description: str | list[str]) -> list[str]:
    """Returns the paragraphs of a description, each in one line."""
    parts = [description] if isinstance(description, str) else description
    return [inline(" ".join(part.split())) for part in parts]


def options_table(title: str, options: dict[str, dict[str, Any]]) -> list[str]:
    """Returns a table of options: name and type, what it means, choices and default."""
    made = [".. list-table::", "   :header-rows: 1", "   :width: 100%", "", f"   * - {title}", "     - meaning", ""]
    for name, option in options.items():
        kind = f"{option['type']} of {option['elements']}" if "elements" in option else option.get("type", "str")
        made += [f"   * - ``{name}``", "", f"       *{kind}*", ""]
        said = paragraphs(option["description"])
        if "choices" in option:
            said.append("One of " + ", ".join(f"``{choice}``" for choice in option["choices"]) + ".")
        default = option.get("default")
        if default not in (None, [], ""):
            said.append(f"Default: ``{str(default).lower() if isinstance(default, bool) else default}``.")
        made += [f"     - {said[0]}", "", *(line for text in said[1:] for line in (f"       {text}", ""))]
    return made


def heading(text: str, underline: str) -> list[str]:
    """Returns a heading."""
    return [text, underline * len(text), ""]


def playbooks_page(collection: Path) -> str:
    """Returns the page of the playbooks: of each what its comment says, and the variables that have no role."""
    made = [f".. _{LABELS}playbooks:", "", *heading("Playbooks", "=")]
    made += ["Each is run by its name, and needs no file of yours: ``ansible-playbook winbackup.storage.audit``.", ""]
    for path in sorted((collection / "playbooks").glob("*.yml")):
        text = path.read_text(encoding="utf-8")
        comment = re.match(r"---\n((?:#.*\n)+)", text)
        if comment is None:
            raise ValueError(f"{path.name} does not begin with a comment that says what it does")
        # A line that ends a sentence ends a paragraph.
        said = re.sub(r"(?<!\.)\n# ?", " ", comment[1].removeprefix("# ")).replace("\n# ", "\n").strip()
        made += [*heading(f"winbackup.storage.{path.stem}", "-")]
        made += [line for part in said.splitlines() for line in (escaped(part), "")]
        roles = sorted(set(re.findall(r"^ +name: winbackup\.storage\.(\w+)$", text, re.MULTILINE)))
        links = [f":ansplugin:`winbackup.storage.{role}#role`" for role in roles]
        made += [f"Takes the variables of the role {' and '.join(links)}.", ""] if links else []
    specification = yaml.safe_load((collection / SPECIFICATION).read_text(encoding="utf-8"))
    for entry, playbooks in (("main", "audit and site"), ("rehearse", "rehearse")):
        made += heading(f"Variables of {playbooks}", "-")
        made += options_table("variable", specification["argument_specs"][entry]["options"])
    return "\n".join(made)


def source_page(path: Path) -> str:
    """Returns the page of an event source."""
    told = {
        target.id: node.value.value
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    said = yaml.safe_load(told["DOCUMENTATION"])
    made = [f".. _{LABELS}event_source_{path.stem}:", "", *heading(f"Event source winbackup.storage.{path.stem}", "=")]
    made += [f"{said['short_description']}. How it is used: :ref:`{LABELS}guide_events`.", ""]
    made += [line for text in paragraphs(said["description"]) for line in (text, "")]
    made += [*heading("Requirements", "-"), *(f"* {text}" for text in paragraphs(said["requirements"])), ""]
    made += [*heading("Options", "-"), *options_table("option", said["options"])]
    made += [*heading("Examples", "-"), ".. code-block:: yaml", ""]
    return "\n".join([*made, *(f"   {line}".rstrip() for line in told["EXAMPLES"].strip().splitlines()), ""])


def pages(collection: Path) -> dict[str, str]:
    """Returns the texts of all pages by their names."""
    sources = sorted((collection / SOURCES).glob("*.py"))
    made = {f"event_source_{path.stem}": source_page(path) for path in sources}
    return {"playbooks": playbooks_page(collection), **made}


def write_pages(collection: Path) -> None:
    """Writes the pages of a collection that lies in `collection` beside its guides."""
    for name, text in pages(collection).items():
        (collection / "docs" / "docsite" / "rst" / f"{name}.rst").write_text(text + "\n", encoding="utf-8")
