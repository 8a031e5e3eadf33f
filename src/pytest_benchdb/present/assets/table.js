// The table of all runs: searching, counting, sorting, copying. The page says all it has to say without it.
const DATA = JSON.parse(document.getElementById("data").textContent);
const table = document.querySelector("table.runs");
const runs = table
  ? [...table.querySelectorAll(".run")].map((row, index) => ({
      row, index, about: DATA.runs[index], values: Object.fromEntries(DATA.fields.map((name, at) => [name, DATA.rows[index][at]])),
      text: `${row.textContent} ${row.querySelector(".name")?.title ?? ""} ${row.dataset.tags}`.toLowerCase(), home: row.parentNode, detail: null,
    }))
  : [];
const shown = () => runs.filter((run) => !run.row.hidden);

function setUpTable() {
  const groups = [...table.tBodies];
  const tools = document.querySelector(".tools");
  const [input, output] = [tools.querySelector("input"), tools.querySelector("output")];
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

  function filter() {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    const tags = counts.filter((chip) => chip.getAttribute("aria-pressed") === "true").map((chip) => chip.dataset.tag);
    for (const run of runs) {
      const own = run.row.dataset.tags.split(" ");
      run.row.hidden = !(words.every((word) => run.text.includes(word)) && (!tags.length || tags.some((tag) => own.includes(tag))));
      if (run.detail) run.detail.hidden = run.row.hidden;
    }
    for (const group of groups) group.hidden = !group.querySelector(".run:not([hidden])");
    output.textContent = words.length || tags.length ? `${shown().length} of ${runs.length}` : "";
  }
  input.addEventListener("input", filter);
  showRun = (run) => {
    if (!run.row.hidden) return;
    input.value = "";
    for (const chip of counts) chip.setAttribute("aria-pressed", "false");
    filter();
  };

  // A cell that spans columns has no value in them, and neither has what was not measured: both go last.
  const valueAt = (run, column) => {
    let at = 0;
    for (const cell of run.row.cells) {
      if (at === column) return cell.dataset.value;
      at += cell.colSpan;
      if (at > column) return undefined;
    }
  };
  const compare = (left, right, figures, sign) => {
    const missing = (left === undefined) - (right === undefined);
    if (missing || left === undefined) return missing;
    return sign * (figures ? left - right : left.localeCompare(right, undefined, { numeric: true }));
  };
  const put = (run, body) => body.append(run.row, ...(run.detail ? [run.detail] : []));
  const heads = [...table.tHead.rows[0].cells];
  // Sorted rows are one list, without their groups: the slowest of all is what people look for.
  const flat = groups[0];
  const titles = groups.map((group) => group.querySelector(".group")).filter(Boolean);
  heads.forEach((head, column) => {
    if (head.classList.contains("drawn")) return;
    const press = button("", () => {
      const figures = head.classList.contains("right") || head.classList.contains("change");
      const now = head.getAttribute("aria-sort");
      const next = { descending: figures ? "ascending" : null, ascending: figures ? null : "descending" }[now] ?? (now ? null : figures ? "descending" : "ascending");
      for (const other of heads) other.removeAttribute("aria-sort");
      for (const title of titles) title.hidden = next !== null;
      if (next === null) {
        for (const run of runs) put(run, run.home);
      } else {
        head.setAttribute("aria-sort", next);
        const sign = next === "descending" ? -1 : 1;
        const order = [...runs].sort((a, b) => compare(valueAt(a, column), valueAt(b, column), figures, sign) || a.index - b.index);
        for (const run of order) put(run, flat);
      }
      filter();
    });
    press.append(...head.childNodes);
    head.append(press);
  });

  const actions = {
    markdown: async (pressed) => {
      const copied = await copy(asMarkdown(heads));
      flash(pressed, copied ? "Copied" : "Not copied: the browser refused");
    },
    csv: () => download("report.csv", "text/csv", asCsv()),
    theme: (pressed) => {
      const next = { undefined: "light", light: "dark", dark: "system" }[document.documentElement.dataset.theme] ?? "light";
      if (next === "system") delete document.documentElement.dataset.theme;
      else document.documentElement.dataset.theme = next;
      pressed.textContent = `Theme: ${next}`;
    },
  };
  for (const pressed of tools.querySelectorAll("[data-action]")) {
    pressed.addEventListener("click", () => actions[pressed.dataset.action](pressed));
  }
  tools.hidden = false;
}
let showRun = () => {};

function flash(element, text) {
  const before = element.textContent;
  element.textContent = text;
  setTimeout(() => { element.textContent = before; }, 1500);
}
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Browsers without the clipboard for files: the older way.
    const area = html("textarea", { class: "unseen" });
    area.value = text;
    document.body.append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    return copied;
  }
}
const inMarkdown = (text) =>
  text.replace(/\s+/g, " ").trim().replace(/[\\`*[\]~|#]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, "\\$&")
    .replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/@/g, "@\u200b");
function asMarkdown(heads) {
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
  return [line(kept.map((at) => inMarkdown(heads[at].textContent))), line(rule), ...shown().map((run) => line(cellsOf(run)))].join("\n") + "\n";
}
// As `benchdb report -f csv`: a text that a spreadsheet would take for a formula gets an apostrophe in front.
function inCsv(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  const text = (typeof value === "string" ? value : JSON.stringify(value)).replaceAll("\0", "\\0");
  return `"${/^[=+\-@\t\r\n'\uff1d\uff0b\uff0d\uff20]/.test(text) ? "'" : ""}${text.replaceAll('"', '""')}"`;
}
function asCsv() {
  const lines = [DATA.fields, ...shown().map((run) => DATA.rows[run.index])];
  return lines.map((line) => `${line.map(inCsv).join(",")}\n`).join("");
}
if (table) setUpTable();
