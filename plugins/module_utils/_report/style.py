# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The page's style and its script, the same for every report, and the policy that allows these two and nothing else."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

STYLE = """
:root {
  color-scheme: light dark;
  --page: #f7f8f9; --sheet: #ffffff; --ink: #1b2127; --soft: #59636e; --line: #dde1e6; --stripe: #f4f6f8;
  --link: #1f5f99; --focus: #1f5f99; --edge: #9aa5b1;
  --error: #b3261e; --error-ground: #fdf0ef; --warning: #8a5300; --warning-ground: #fdf5e6;
  --info: #35618e; --info-ground: #eef4fa; --good: #22693f; --good-ground: #edf7f0;
  --physical: #b26a00; --virtual: #2f7d54; --track: #e3e7eb;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14181c; --sheet: #1b2026; --ink: #e4e8ec; --soft: #9da8b3; --line: #323a43; --stripe: #20262d;
    --link: #85bcf0; --focus: #85bcf0; --edge: #5d6975;
    --error: #ff8f86; --error-ground: #35201f; --warning: #efb65a; --warning-ground: #322a1c;
    --info: #8fbbe6; --info-ground: #1d2a37; --good: #7fd0a0; --good-ground: #1b2e23;
    --physical: #e0a03f; --virtual: #62bd8b; --track: #36404a;
  }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body {
  margin: 0; background: var(--page); color: var(--ink); line-height: 1.5; font-size: 15px;
  font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Hiragino Sans", "Yu Gothic UI", Meiryo,
    "Noto Sans", "Noto Sans CJK JP", sans-serif;
}
code, .mono { font-family: ui-monospace, "Cascadia Mono", Consolas, Menlo, monospace; font-size: .9em; }
.wrap { max-width: 1240px; margin: 0 auto; padding: 0 1.5rem; }
a { color: var(--link); text-underline-offset: 2px; }
a:focus-visible, button:focus-visible, input:focus-visible, summary:focus-visible, .scroll:focus-visible {
  outline: 2px solid var(--focus); outline-offset: 2px; border-radius: 3px;
}
.skip { position: absolute; left: -9999px; }
.skip:focus { left: 1rem; top: 1rem; background: var(--sheet); padding: .5rem 1rem; z-index: 1; }
header { background: var(--sheet); border-bottom: 1px solid var(--line); padding: 1.75rem 0 1rem; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 .35rem; font-weight: 650; letter-spacing: -.01em; }
h2 { font-size: 1.2rem; margin: 2.25rem 0 .25rem; font-weight: 650; }
h3 { font-size: 1rem; margin: 0; font-weight: 650; }
h4 { font-size: .95rem; margin: 1.25rem 0 .25rem; font-weight: 650; }
p { margin: .35rem 0; }
.soft { color: var(--soft); }
.facts { display: flex; flex-wrap: wrap; gap: .1rem 1.5rem; margin: 0; color: var(--soft); font-size: .93rem; }
.facts b { color: var(--ink); font-weight: 600; }
nav ul { display: flex; flex-wrap: wrap; gap: .1rem 1.25rem; list-style: none; margin: 1rem 0 0; padding: 0; }
nav { font-size: .93rem; }
main { padding-bottom: 3rem; }
.tiles {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(7.75rem, 1fr)); gap: .75rem; margin: 1.5rem 0 0;
}
.tile { background: var(--sheet); border: 1px solid var(--line); border-radius: 8px; padding: .7rem .9rem; margin: 0; }
.tile dt { color: var(--soft); font-size: .86rem; }
.tile dd { margin: 0; }
.tile .figure { font-size: 1.55rem; font-weight: 650; line-height: 1.25; font-variant-numeric: tabular-nums; }
.tile.error .figure { color: var(--error); } .tile.warning .figure { color: var(--warning); }
.tile.info .figure { color: var(--info); } .tile.good .figure { color: var(--good); }
.card {
  background: var(--sheet); border: 1px solid var(--line); border-left: 4px solid var(--info); border-radius: 8px;
  padding: .8rem 1rem .85rem; margin: .75rem 0;
}
.card.error { border-left-color: var(--error); } .card.warning { border-left-color: var(--warning); }
.card.good { border-left-color: var(--good); }
.card .head { display: flex; flex-wrap: wrap; align-items: baseline; gap: .25rem .6rem; }
.card .head code { color: var(--soft); }
.badge {
  display: inline-block; border-radius: 4px; padding: .02rem .45rem; font-size: .78rem; font-weight: 650;
  white-space: nowrap; color: var(--info); background: var(--info-ground);
}
.badge.error { color: var(--error); background: var(--error-ground); }
.badge.warning { color: var(--warning); background: var(--warning-ground); }
.badge.good { color: var(--good); background: var(--good-ground); }
.todo { margin: .3rem 0 .4rem; }
.seen { list-style: none; margin: .3rem 0 0; padding: 0; font-size: .93rem; }
.seen li { padding: .3rem 0; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
.seen li span { display: block; color: var(--soft); }
@media (min-width: 800px) {
  .seen li { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 3fr); gap: 0 1rem; }
}
details > summary { cursor: pointer; color: var(--link); font-size: .93rem; padding: .35rem 0 .1rem; }
.scroll {
  overflow-x: auto; background: var(--sheet); border: 1px solid var(--line); border-radius: 8px; margin: .75rem 0;
}
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
caption { text-align: left; padding: .6rem .8rem; color: var(--soft); }
th, td { text-align: left; vertical-align: top; padding: .45rem .65rem; border-top: 1px solid var(--line); }
thead th { background: var(--stripe); white-space: nowrap; font-weight: 600; }
tbody th { font-weight: 600; }
td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td .soft, th .soft { display: block; font-weight: 400; font-size: .92em; }
td.name, th.name { min-width: 9rem; overflow-wrap: anywhere; }
tr:target > * { background: var(--info-ground); }
th button {
  font: inherit; color: inherit; background: none; border: 0; padding: 0; cursor: pointer; white-space: nowrap;
}
th button::after { content: "\\2195"; color: var(--soft); font-weight: 400; padding-left: .35em; }
th[aria-sort="ascending"] button::after { content: "\\2191"; color: var(--ink); }
th[aria-sort="descending"] button::after { content: "\\2193"; color: var(--ink); }
.find { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem; margin: .75rem 0 -.25rem; font-size: .93rem; }
.find input {
  font: inherit; color: inherit; background: var(--sheet); border: 1px solid var(--edge); border-radius: 6px;
  padding: .25rem .6rem; max-width: 100%;
}
.legend { display: flex; flex-wrap: wrap; gap: .1rem 1.25rem; font-size: .9rem; color: var(--soft); margin: .3rem 0; }
.legend svg { vertical-align: -1px; margin-right: .4rem; }
.map { display: block; min-width: 1000px; width: 100%; height: auto; padding: .75rem; }
.map text { fill: var(--ink); font-size: 12.5px; }
.map text.mono { font-size: 11.5px; }
.map text.second { fill: var(--soft); font-size: 11px; }
.map text.top { fill: var(--soft); font-size: 12px; font-weight: 600; }
.map .node rect.box { fill: var(--sheet); stroke: var(--edge); }
.map .node rect.mark { fill: var(--edge); }
.map .node.physical rect.mark { fill: var(--physical); } .map .node.virtual rect.mark { fill: var(--virtual); }
.map .node.missing rect.box { stroke: var(--error); stroke-dasharray: 4 3; }
.map a { text-decoration: none; }
.map a:hover rect.box, .map a:focus-visible rect.box { stroke: var(--focus); stroke-width: 2; }
.map path { fill: none; stroke: var(--edge); stroke-width: 1.5; }
.map path.physical { stroke: var(--physical); } .map path.virtual { stroke: var(--virtual); stroke-dasharray: 6 3; }
.bar { display: block; margin: .2rem 0; }
.bar .track { fill: var(--track); } .bar .used { fill: var(--info); } .bar .used.short { fill: var(--error); }
.bar .physical, .legend .physical { fill: var(--physical); } .bar .virtual, .legend .virtual { fill: var(--virtual); }
footer { border-top: 1px solid var(--line); color: var(--soft); font-size: .88rem; padding: 1rem 0 2rem; }
@media (max-width: 640px) {
  body { font-size: 14.5px; }
  .wrap { padding: 0 1rem; }
  header { padding: 1.1rem 0 .8rem; }
  td.name, th.name { min-width: 12rem; }
  .tiles { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: .5rem; }
}
@media print {
  @page { size: A4 landscape; margin: 12mm; }
  :root {
    color-scheme: light; --page: #fff; --sheet: #fff; --ink: #000; --soft: #444; --line: #bbb; --stripe: #f2f2f2;
    --link: #000; --edge: #777; --error: #b3261e; --error-ground: #fff; --warning: #8a5300; --warning-ground: #fff;
    --info: #35618e; --info-ground: #fff; --good: #22693f; --good-ground: #fff; --physical: #b26a00;
    --virtual: #2f7d54; --track: #ddd;
  }
  html { font-size: 10.5px; }
  body { font-size: 1rem; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  .wrap { max-width: none; padding: 0; }
  nav, .find, .skip { display: none; }
  .scroll { overflow: visible; border: 0; }
  .map { min-width: 0; padding: 0; }
  .tile, .seen li, .head, tr, .map .node { break-inside: avoid; }
  h2, h3, h4, .head, .todo, .legend { break-after: avoid; }
  th, td { padding: .25rem .4rem; }
  td.name, th.name { min-width: 0; }
  td, th { overflow-wrap: anywhere; }
  thead th { white-space: normal; }
  /* Chromium leaves the buttons out where it repeats the head of a table. */
  th button { display: contents; }
  th button::after { content: none; }
  a { text-decoration: none; }
}
"""

# Without it the page is whole: it only adds sorting, a search field, and opening what is folded for printing.
SCRIPT = """
(() => {
  "use strict";
  const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });
  const compare = (one, other) => {
    if (one.dataset.sort !== undefined && other.dataset.sort !== undefined) {
      return Number(one.dataset.sort) - Number(other.dataset.sort);
    }
    return collator.compare(one.textContent, other.textContent);
  };
  const searches = [];
  for (const table of document.querySelectorAll("table.sortable")) {
    const body = table.tBodies[0];
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const direction = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", direction === 1 ? "ascending" : "descending");
        const rows = [...body.rows];
        rows.sort((one, other) => direction * compare(one.cells[column], other.cells[column]));
        body.append(...rows);
      });
    });
    if (body.rows.length < 8) continue;
    const line = document.createElement("div");
    const label = document.createElement("label");
    const input = document.createElement("input");
    const said = document.createElement("span");
    line.className = "find";
    input.type = "search";
    said.setAttribute("role", "status");
    label.append("Show only rows with ", input);
    line.append(label, said);
    table.closest(".scroll").before(line);
    const show = () => {
      const wanted = input.value.trim().toLocaleLowerCase();
      let shown = 0;
      for (const row of body.rows) {
        row.hidden = wanted !== "" && !row.textContent.toLocaleLowerCase().includes(wanted);
        shown += row.hidden ? 0 : 1;
      }
      said.textContent = wanted === "" ? "" : `${shown} of ${body.rows.length}`;
    };
    input.addEventListener("input", show);
    searches.push({ input, show });
  }
  const reveal = () => {
    const target = document.getElementById(location.hash.slice(1));
    if (!target) return;
    for (let around = target.parentElement; around; around = around.parentElement) {
      if (around.tagName === "DETAILS") around.open = true;
    }
    if (target.hidden) {
      searches.forEach(({ input, show }) => { input.value = ""; show(); });
    }
    target.scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  reveal();
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details:not([open])")];
    folded.forEach((one) => { one.open = true; });
  });
  addEventListener("afterprint", () => folded.forEach((one) => { one.open = false; }));
})();
"""


def policy() -> str:
    """Returns the content security policy: this very style and this very script, and no request to anywhere."""
    return (
        f"default-src 'none'; style-src {_hash(STYLE)}; script-src {_hash(SCRIPT)}; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
