// The table of all runs: searching, counting, sorting, copying. The page says all it has to say without it, but for the
// charts of the rows that a long table leaves to this script.
const DATA = JSON.parse(document.getElementById("data").textContent);
const table = document.querySelector("table.runs");
const groups = DATA.groups.flatMap(([name, count], place) => Array(count).fill({ name, place }));
const runs = DATA.keys.map((key, index) => ({
  index, key, row: document.getElementById(key), tags: DATA.tags[index].split(" "), text: DATA.texts[index], group: groups[index], detail: null,
}));
const STATIC = runs.filter((run) => run.row).length;
const PAGE = 200;
const detailsAt = packedList(DATA.details, DATA.per_pack);
const markupAt = packedList(DATA.rows, DATA.rows_per_pack);
const detailsOfRun = (run) => detailsAt(DATA.positions[run.index]);

let chosen = runs; // what the filters leave, in order
let limit = STATIC < runs.length ? PAGE : Infinity;
let showRun = async () => {};
let rowMade = () => {}; // what else a new row needs

// Rows that are not in the page yet are made from their markup.
async function makeRows(wanted) {
  await Promise.all(wanted.filter((run) => !run.row).map(async (run) => {
    const holder = document.createElement("template");
    holder.innerHTML = await markupAt(run.index - STATIC);
    if (run.row) return;
    run.row = holder.content.querySelector("tr");
    rowMade(run);
  }));
}

function setUpTable() {
  const tools = document.querySelector(".tools");
  const [input, output] = [tools.querySelector("input"), tools.querySelector("output")];
  const more = document.querySelector(".more");
  const titles = [...table.querySelectorAll(".group")];
  const width = titles[0]?.cells[0].colSpan;
  const counts = [...document.querySelectorAll(".count")].map((count) => {
    const chip = button(count.textContent, () => {
      chip.setAttribute("aria-pressed", String(chip.getAttribute("aria-pressed") !== "true"));
      filter();
    });
    chip.className = count.className;
    chip.dataset.tag = count.dataset.tag;
    chip.setAttribute("aria-pressed", "false");
    count.replaceWith(chip);
    return chip;
  });

  let order = runs;
  let isSorted = false;
  let turn = 0;
  async function render() {
    turn += 1;
    const own = turn;
    const visible = chosen.slice(0, limit);
    if (visible.some((run) => !run.row)) await makeRows(visible);
    if (own !== turn) return;
    const bodies = [];
    let last = null;
    for (const run of visible) {
      // Sorted rows are one list, without their groups: the slowest of all is what people look for.
      if (!bodies.length || (!isSorted && run.group !== last)) {
        bodies.push(html("tbody", { role: "rowgroup" }));
        if (!isSorted && run.group.name !== null) bodies.at(-1).append(groupTitle(run.group));
        last = run.group;
      }
      bodies.at(-1).append(run.row, ...(run.detail ? [run.detail] : []));
    }
    for (const body of [...table.tBodies]) body.remove();
    table.append(...bodies);
    const left = chosen.length - visible.length;
    more.hidden = left <= 0;
    more.firstElementChild.textContent = `Show ${Math.min(PAGE, left)} more of ${left}`;
    output.textContent = chosen.length < runs.length ? `${chosen.length} of ${runs.length}` : "";
  }
  function groupTitle({ name, place }) {
    titles[place] ??= html("tr", { role: "row", class: "group" }, html("th", { scope: "rowgroup", role: "rowheader", colspan: width }, name));
    return titles[place];
  }
  function filter() {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    const tags = counts.filter((chip) => chip.getAttribute("aria-pressed") === "true").map((chip) => chip.dataset.tag);
    chosen = order.filter((run) => words.every((word) => run.text.includes(word)) && (!tags.length || tags.some((tag) => run.tags.includes(tag))));
    limit = STATIC < runs.length ? PAGE : Infinity;
    return render();
  }
  input.addEventListener("input", filter);
  showRun = async (run) => {
    if (!chosen.includes(run)) {
      input.value = "";
      for (const chip of counts) chip.setAttribute("aria-pressed", "false");
      await filter();
    }
    limit = Math.max(limit, chosen.indexOf(run) + 1);
    await render();
  };

  // What was not measured goes last, whichever the direction.
  const compare = (left, right, sign) => {
    const missing = (left === null) - (right === null);
    if (missing || left === null) return missing;
    return sign * (typeof left === "number" ? left - right : left.localeCompare(right, undefined, { numeric: true }));
  };
  const heads = [...table.tHead.rows[0].cells];
  for (const head of heads) {
    if (head.dataset.column === undefined) continue;
    const values = DATA.columns[head.dataset.column];
    const press = button("", () => {
      const figures = head.classList.contains("right") || head.classList.contains("change");
      const now = head.getAttribute("aria-sort");
      const next = { descending: figures ? "ascending" : null, ascending: figures ? null : "descending" }[now] ?? (now ? null : figures ? "descending" : "ascending");
      for (const other of heads) other.removeAttribute("aria-sort");
      isSorted = next !== null;
      if (next !== null) head.setAttribute("aria-sort", next);
      const sign = next === "descending" ? -1 : 1;
      order = isSorted ? [...runs].sort((a, b) => compare(values[a.index], values[b.index], sign) || a.index - b.index) : runs;
      filter();
    });
    press.append(...head.childNodes);
    head.append(press);
  }

  const actions = {
    markdown: async (pressed) => {
      const copied = await copy(await asMarkdown(heads));
      flash(pressed, copied ? "Copied" : "Not copied: the browser refused");
    },
    csv: async () => download("report.csv", "text/csv", await asCsv()),
    theme: (pressed) => {
      const next = { undefined: "light", light: "dark", dark: "system" }[document.documentElement.dataset.theme] ?? "light";
      if (next === "system") delete document.documentElement.dataset.theme;
      else document.documentElement.dataset.theme = next;
      pressed.textContent = `Theme: ${next}`;
    },
    more: () => {
      limit += PAGE;
      render();
    },
  };
  for (const pressed of document.querySelectorAll("[data-action]")) {
    pressed.addEventListener("click", () => actions[pressed.dataset.action](pressed));
  }
  tools.hidden = false;
  if (limit < runs.length) render();
}

const inMarkdown = (text) =>
  text.replace(/\s+/g, " ").trim().replace(/[\\`*[\]~|#]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, "\\$&")
    .replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/@/g, "@\u200b");
async function asMarkdown(heads) {
  const wanted = chosen;
  await makeRows(wanted);
  const kept = heads.map((head, at) => at).filter((at) => !heads[at].classList.contains("drawn"));
  const cellsOf = (run) => {
    const texts = [];
    for (const cell of run.row.cells) {
      texts.push(cell.classList.contains("name") ? [...cell.children].map((part) => part.textContent).join(" ") : cell.textContent);
      for (let more = 1; more < cell.colSpan; more += 1) texts.push("");
    }
    return kept.map((at) => inMarkdown(texts[at]));
  };
  const line = (cells) => `| ${cells.join(" | ")} |`;
  const rule = kept.map((at) => (heads[at].classList.contains("right") ? "---:" : ":---"));
  return [line(kept.map((at) => inMarkdown(heads[at].textContent))), line(rule), ...wanted.map((run) => line(cellsOf(run)))].join("\n") + "\n";
}
// As `benchdb report -f csv`: a text that a spreadsheet would take for a formula gets an apostrophe in front.
function inCsv(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  const text = (typeof value === "string" ? value : JSON.stringify(value)).replaceAll("\0", "\\0");
  return `"${/^[=+\-@\t\r\n'\uff1d\uff0b\uff0d\uff20]/.test(text) ? "'" : ""}${text.replaceAll('"', '""')}"`;
}
async function asCsv() {
  const rows = await Promise.all(chosen.map(async (run) => {
    const { values } = await detailsOfRun(run);
    return DATA.fields.map((name) => values[name]);
  }));
  return [DATA.fields, ...rows].map((line) => `${line.map(inCsv).join(",")}\n`).join("");
}
if (table) setUpTable();
