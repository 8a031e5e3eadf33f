// Pages for decisions: searching, filtering and sorting the tables, and the theme. The pages say all they have to say
// without it.
const tables = [...document.querySelectorAll("table.runs")];
const rows = tables.flatMap((table) => [...table.querySelectorAll(".run")].map((row, index) => ({
  row, index, table, tags: (row.dataset.tags ?? "").split(" "),
  text: `${row.textContent} ${row.querySelector(".name")?.title ?? ""}`.toLowerCase(),
})));
const tools = document.querySelector(".tools");

function pressable(text, press) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  made.addEventListener("click", () => press(made));
  return made;
}
const isPressed = (chip) => chip.getAttribute("aria-pressed") === "true";

function setUp() {
  const [input, output] = [tools.querySelector("input"), tools.querySelector("output")];
  const chips = [...document.querySelectorAll(".count")].map((count) => {
    const chip = pressable(count.textContent, () => {
      chip.setAttribute("aria-pressed", String(!isPressed(chip)));
      filter();
    });
    chip.className = count.className;
    chip.dataset.tag = count.dataset.tag;
    chip.setAttribute("aria-pressed", "false");
    count.replaceWith(chip);
    return chip;
  });
  function filter() {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    const tags = chips.filter(isPressed).map((chip) => chip.dataset.tag);
    for (const one of rows) {
      one.row.hidden = !(words.every((word) => one.text.includes(word)) && (!tags.length || tags.some((tag) => one.tags.includes(tag))));
    }
    const shown = rows.filter((one) => !one.row.hidden).length;
    output.textContent = words.length || tags.length ? `${shown} of ${rows.length}` : "";
  }
  input.addEventListener("input", filter);
  tables.forEach(sortable);
  const actions = {
    csv: () => download("rows.csv", asCsv()),
    theme: (pressed) => {
      const next = { undefined: "light", light: "dark", dark: "system" }[document.documentElement.dataset.theme] ?? "light";
      if (next === "system") delete document.documentElement.dataset.theme;
      else document.documentElement.dataset.theme = next;
      pressed.textContent = `Theme: ${next}`;
    },
  };
  for (const pressed of tools.querySelectorAll("[data-action]")) pressed.addEventListener("click", () => actions[pressed.dataset.action](pressed));
  if (!rows.length) for (const part of tools.querySelectorAll(".search, [data-action=csv]")) part.hidden = true;
  tools.hidden = false;
}

// What was not measured has no value and goes last, whatever the order.
function sortable(table) {
  const heads = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  const home = [...body.rows];
  heads.forEach((head, column) => {
    if (!("sorts" in head.dataset)) return;
    const figures = head.classList.contains("right");
    const press = pressable("", () => {
      const order = figures ? ["descending", "ascending"] : ["ascending", "descending"];
      const next = order[order.indexOf(head.getAttribute("aria-sort")) + 1] ?? null;
      for (const other of heads) other.removeAttribute("aria-sort");
      if (next === null) return body.append(...home);
      head.setAttribute("aria-sort", next);
      const sign = next === "descending" ? -1 : 1;
      const valueOf = (row) => row.cells[column].dataset.value;
      const compare = (a, b) => {
        const [left, right] = [valueOf(a), valueOf(b)];
        if (left === undefined || right === undefined) return (left === undefined) - (right === undefined);
        const [x, y] = [Number(left), Number(right)];
        return sign * (Number.isNaN(x) || Number.isNaN(y) ? left.localeCompare(right, undefined, { numeric: true }) : x - y);
      };
      body.append(...[...home].sort(compare));
    });
    press.append(...head.childNodes);
    head.append(press);
  });
}

// As the command's own CSV: a text that a spreadsheet would take for a formula gets an apostrophe in front.
function inCsv(text) {
  return `"${/^[=+\-@\t\r\n'\uff1d\uff0b\uff0d\uff20]/.test(text) && Number.isNaN(Number(text)) ? "'" : ""}${text.replaceAll('"', '""')}"`;
}
function asCsv() {
  const lines = [];
  for (const table of tables) {
    const kept = [...table.tHead.rows[0].cells].map((head, at) => [head.textContent, at]).filter(([, at]) => !table.tHead.rows[0].cells[at].classList.contains("drawn"));
    lines.push(kept.map(([title]) => inCsv(title)).join(","));
    for (const one of rows) {
      if (one.table !== table || one.row.hidden) continue;
      lines.push(kept.map(([, at]) => inCsv(one.row.cells[at].dataset.value ?? (one.row.cells[at].classList.contains("figure") ? "" : one.row.cells[at].textContent))).join(","));
    }
  }
  return `${lines.join("\n")}\n`;
}
function download(name, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

// A link into a closed part opens it.
function openTarget() {
  let target = null;
  try {
    target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  } catch {
    return;  // not an address of ours
  }
  for (let part = target?.closest("details"); part; part = part.parentElement?.closest("details")) part.open = true;
  target?.scrollIntoView();
}
window.addEventListener("hashchange", openTarget);
if (location.hash) openTarget();
if (tools) setUp();
