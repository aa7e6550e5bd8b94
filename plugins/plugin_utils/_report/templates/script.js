
(() => {
  "use strict";
  const PAGE = 50;
  const FEW = 8;
  const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

  // Text becomes text: nothing here reads markup.
  const make = (tag, properties, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(properties || {})) {
      if (name in element) element[name] = value;
      else element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  };
  const sample = document.querySelector("svg.bar");
  const drawnBar = ([text, kind, share]) => {
    if (!sample) return "";
    const svg = sample.cloneNode(true);
    svg.setAttribute("class", kind);
    svg.setAttribute("aria-label", text);
    svg.querySelector(".used").setAttribute("width", (share * 160).toFixed(1));
    return svg;
  };
  const lineElement = (line) => {
    if (typeof line === "string") return make("div", {}, line);
    const [text, kind, more] = line;
    if (kind === "link") return make("div", {}, make("a", { href: "#" + more }, text));
    if (line.length === 3) return make("div", {}, drawnBar(line), text);
    return make("div", { className: kind }, text);
  };
  const textOf = (cell) => cell.map((line) => (typeof line === "string" ? line : line[0])).join(" ");

  const copy = (text) => {
    if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
    // A page that came unencrypted may not use the clipboard otherwise.
    const area = make("textarea", { value: text });
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done ? Promise.resolve() : Promise.reject(new Error("refused"));
  };
  const copyButton = (row) => {
    const name = textOf(row.cells[0]);
    const button = make("button", { type: "button", className: "copy", title: row.command }, "Copy command");
    button.setAttribute("aria-label", `Copy command for ${name}`);
    button.addEventListener("click", () => {
      const say = (text) => {
        button.textContent = text;
        setTimeout(() => { button.textContent = "Copy command"; }, 2000);
      };
      copy(row.command).then(() => say("Copied"), () => window.prompt("Copy it from here:", row.command));
    });
    return button;
  };

  const tables = [];
  const start = (frame) => {
    const data = JSON.parse(frame.querySelector("script.rows").textContent);
    const table = frame.querySelector("table");
    const body = table.tBodies[0];
    const head = table.tHead.rows[0];
    const commands = data.rows.some((row) => row.command);
    let rows = data.rows;
    let from = 0;
    const choices = {};

    const draw = (rowsShown) => {
      body.replaceChildren(...rowsShown.map((row) => {
        const cells = row.cells.map((lines, column) => {
          const cell = make(column ? "td" : "th", { className: data.columns[column][1] }, ...lines.map(lineElement));
          if (!column) cell.scope = "row";
          return cell;
        });
        if (commands) cells.push(make("td", {}, ...(row.command ? [copyButton(row)] : [])));
        return make("tr", row.id ? { id: row.id } : {}, ...cells);
      }));
    };

    const said = make("span", { role: "status" });
    const back = make("button", { type: "button" }, "Previous");
    const on = make("button", { type: "button" }, "Next");
    const pages = make("div", { className: "pages" }, back, on, said);
    const scroller = frame.querySelector(".scroll");
    const show = () => {
      draw(rows.slice(from, from + PAGE));
      back.disabled = from === 0;
      on.disabled = from + PAGE >= rows.length;
      back.hidden = on.hidden = rows.length <= PAGE;
      const few = rows.length <= PAGE;
      const of = rows.length === data.rows.length ? `${rows.length} rows` : `${rows.length} of ${data.rows.length} rows`;
      said.textContent = few ? of : `${from + 1} to ${Math.min(from + PAGE, rows.length)} of ${of}`;
    };
    const turn = (by) => {
      from = Math.max(0, from + by * PAGE);
      show();
      scroller.scrollTop = 0;
    };
    back.addEventListener("click", () => turn(-1));
    on.addEventListener("click", () => turn(1));

    const order = { column: -1, direction: 1 };
    const search = make("input", { type: "search" });
    const wordsOf = new Map();
    const words = (row) => {
      if (!wordsOf.has(row)) wordsOf.set(row, row.cells.map(textOf).join("\n").toLocaleLowerCase());
      return wordsOf.get(row);
    };
    const choose = () => {
      const wanted = search.value.trim().toLocaleLowerCase();
      rows = data.rows.filter((row) => (
        Object.entries(choices).every(([key, select]) => !select.value || (row.is[key] || []).includes(select.value))
        && (!wanted || words(row).includes(wanted))
      ));
      const { column, direction } = order;
      if (column >= 0) {
        const keyed = rows.map((row) => [row.sort[column], row.sort[column] === null ? textOf(row.cells[column]) : "", row]);
        keyed.sort((one, other) => direction * (
          one[0] === null && other[0] === null ? collator.compare(one[1], other[1]) : (one[0] ?? -1) - (other[0] ?? -1)
        ));
        rows = keyed.map((one) => one[2]);
      }
      from = 0;
      show();
    };

    [...head.cells].forEach((cell, column) => {
      const button = make("button", { type: "button" }, ...cell.childNodes);
      cell.append(button);
      button.addEventListener("click", () => {
        order.direction = order.column === column ? -order.direction : 1;
        order.column = column;
        [...head.cells].forEach((other) => other.removeAttribute("aria-sort"));
        cell.setAttribute("aria-sort", order.direction === 1 ? "ascending" : "descending");
        choose();
      });
    });
    if (commands) head.append(make("th", { scope: "col" }, "Command"));

    if (data.rows.length >= FEW) {
      const line = make("div", { className: "find" });
      for (const filter of data.filters) {
        const select = make("select", {}, make("option", { value: "" }, "All"));
        for (const [value, word] of filter.choices) select.append(make("option", { value }, word));
        select.addEventListener("change", choose);
        choices[filter.key] = select;
        line.append(make("label", {}, `${filter.label} `, select));
      }
      search.addEventListener("input", choose);
      line.append(make("label", {}, "Rows with ", search), pages);
      scroller.before(line);
    }
    frame.querySelectorAll("p.rest").forEach((one) => one.remove());
    show();

    const numbers = new Map(data.rows.map((row) => [row.id, row]));
    tables.push({
      // Shows the row of this id, whatever was chosen; tells whether it has one.
      reveal(id) {
        const row = numbers.get(id);
        if (!id || !row) return false;
        if (!rows.includes(row)) {
          Object.values(choices).forEach((select) => { select.value = ""; });
          search.value = "";
          choose();
        }
        from = Math.floor(rows.indexOf(row) / PAGE) * PAGE;
        show();
        return true;
      },
      all: () => draw(rows),
      some: show,
    });
  };
  document.querySelectorAll("div.table").forEach(start);

  for (const more of document.querySelectorAll("div.more")) {
    const rest = JSON.parse(more.querySelector("script.items").textContent);
    const list = more.previousElementSibling;
    const button = make("button", { type: "button" });
    const show = () => {
      list.append(...rest.splice(0, PAGE).map(([label, anchor, message]) => make(
        "li", {}, anchor ? make("a", { href: "#" + anchor }, label) : make("b", {}, label), make("span", {}, message),
      )));
      name();
    };
    const name = () => {
      if (rest.length) button.textContent = `Show ${Math.min(PAGE, rest.length)} more of ${rest.length}`;
      else button.remove();
    };
    button.addEventListener("click", show);
    more.replaceChildren(button);
    name();
  }

  const reveal = () => {
    const id = location.hash.slice(1);
    document.querySelectorAll(".target").forEach((one) => one.classList.remove("target"));
    tables.some((table) => table.reveal(id));
    const target = document.getElementById(id);
    if (!target) return;
    for (let around = target.parentElement; around; around = around.parentElement) {
      if (around.tagName === "DETAILS") around.open = true;
    }
    target.classList.add("target");
    target.scrollIntoView({ block: "center" });
  };
  addEventListener("hashchange", reveal);
  // A second click on the link of the same row.
  document.addEventListener("click", (event) => {
    const link = event.target.closest && event.target.closest("a[href^='#']");
    if (link && link.getAttribute("href") === location.hash) reveal();
  });
  if (location.hash) reveal();

  let folded = [];
  addEventListener("beforeprint", () => {
    tables.forEach((table) => table.all());
    folded = [...document.querySelectorAll("details:not([open])")];
    folded.forEach((one) => { one.open = true; });
  });
  addEventListener("afterprint", () => {
    tables.forEach((table) => table.some());
    folded.forEach((one) => { one.open = false; });
  });
})();
