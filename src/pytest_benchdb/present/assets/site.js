// Pages of a site: searching, filtering and sorting tables, the theme, and the charts of a benchmark's page.
const THEMES = { undefined: "light", light: "dark", dark: "system" };
function setTheme(theme) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}
// A browser may refuse to keep anything for pages from files.
function kept(name, value) {
  try {
    if (value === undefined) return localStorage.getItem(name);
    localStorage.setItem(name, value);
  } catch { /* the theme holds for this page */ }
  return null;
}
function setUpTheme() {
  const press = document.querySelector("[data-action=theme]");
  const saved = kept("benchdb-theme");
  if (saved === "light" || saved === "dark") setTheme(saved);
  const label = () => { press.textContent = `Theme: ${document.documentElement.dataset.theme ?? "system"}`; };
  press.addEventListener("click", () => {
    const next = THEMES[document.documentElement.dataset.theme];
    setTheme(next);
    kept("benchdb-theme", next);
    label();
  });
  label();
  press.hidden = false;
}

function setUpTable(table) {
  const body = table.tBodies[0];
  const rows = [...body.rows].map((row, index) => ({ row, index, text: row.textContent.toLowerCase(), tags: (row.dataset.tags ?? "").split(" ") }));
  const tools = document.querySelector(".tools");
  const [input, output] = [tools.querySelector("input"), tools.querySelector("output")];
  const chips = [...document.querySelectorAll(".count")].map((count) => {
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
  // What is shown is part of the address, so that it can be linked to.
  function remember(tags) {
    const state = new URLSearchParams();
    if (input.value) state.set("q", input.value);
    if (tags.length) state.set("show", tags.join(" "));
    const sorted = table.tHead.querySelector("[aria-sort]");
    if (sorted) state.set("sort", `${sorted.getAttribute("aria-sort") === "descending" ? "-" : ""}${sorted.cellIndex}`);
    history.replaceState(null, "", `#${state}`);
  }
  function filter(isFirst = false) {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    const tags = chips.filter((chip) => chip.getAttribute("aria-pressed") === "true").map((chip) => chip.dataset.tag);
    let shown = 0;
    for (const { row, text, tags: own } of rows) {
      row.hidden = !(words.every((word) => text.includes(word)) && (!tags.length || tags.some((tag) => own.includes(tag))));
      shown += !row.hidden;
    }
    output.textContent = words.length || tags.length ? `${shown} of ${rows.length}` : "";
    if (!isFirst) remember(tags);
  }
  // A message spans columns: it has no value in them and goes last, as what was not measured does.
  function valueAt(row, column) {
    let at = 0;
    for (const cell of row.cells) {
      if (at === column && cell.classList.contains("message")) return undefined;
      if (at === column) return cell.dataset.value || (cell.classList.contains("figure") || cell.classList.contains("change") ? undefined : cell.textContent);
      at += cell.colSpan;
      if (at > column) return undefined;
    }
    return undefined;
  }
  const heads = [...table.tHead.rows[0].cells];
  function sort(column, order) {
    const sign = order === "descending" ? -1 : 1;
    for (const head of heads) head.removeAttribute("aria-sort");
    if (order) heads[column].setAttribute("aria-sort", order);
    const keyed = rows.map((entry) => ({ ...entry, value: order ? valueAt(entry.row, column) : "" }));
    keyed.sort((a, b) => {
      const missing = (a.value === undefined) - (b.value === undefined);
      if (missing || a.value === undefined) return missing || a.index - b.index;
      const [left, right] = [Number(a.value), Number(b.value)];
      const compared = Number.isNaN(left) || Number.isNaN(right) ? a.value.localeCompare(b.value, undefined, { numeric: true }) : left - right;
      return sign * compared || a.index - b.index;
    });
    body.append(...keyed.map(({ row }) => row));
  }
  heads.forEach((head, column) => {
    if (head.classList.contains("drawn")) return;
    const press = button("", () => {
      const figures = head.classList.contains("right") || head.classList.contains("change");
      const [one, other] = figures ? ["descending", "ascending"] : ["ascending", "descending"];
      sort(column, { [one]: other, [other]: null }[head.getAttribute("aria-sort")] ?? (head.hasAttribute("aria-sort") ? null : one));
      filter();
    });
    press.append(...head.childNodes);
    head.append(press);
  });
  input.addEventListener("input", () => filter());
  tools.hidden = false;
  const state = new URLSearchParams(location.hash.slice(1));
  input.value = state.get("q") ?? "";
  for (const chip of chips) chip.setAttribute("aria-pressed", String((state.get("show") ?? "").split(" ").includes(chip.dataset.tag)));
  const sorted = /^(-?)(\d+)$/.exec(state.get("sort") ?? "");
  if (sorted && heads[Number(sorted[2])]) sort(Number(sorted[2]), sorted[1] ? "descending" : "ascending");
  filter(true);
}

// What a page has without scripts gives way to the charts of a report.
function setUpDetails({ benchmark, sessions }) {
  const places = new Map(sessions.ids.map((id, index) => [id, index]));
  for (const holder of document.querySelectorAll(".details")) {
    const details = benchmark.details[Number(holder.dataset.at)];
    for (const trend of details.trends) trend.at = trend.session_ids.map((id) => places.get(id));
    const [, panes] = detailsOf(details, sessions, sessions.units);
    holder.replaceChildren(panes);
  }
}
function setUpCopying() {
  for (const press of document.querySelectorAll("[data-action=copy]")) {
    press.hidden = !navigator.clipboard;
    press.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(press.previousElementSibling.textContent);
        press.textContent = "Copied";
      } catch {
        press.textContent = "Not copied";
      }
      setTimeout(() => { press.textContent = "Copy"; }, 1500);
    });
  }
}
setUpTheme();
setUpCopying();
const sortable = document.querySelector(".tools") && document.querySelector("table.sortable");
if (sortable) setUpTable(sortable);
if (globalThis.BENCHDB?.benchmark) setUpDetails(globalThis.BENCHDB);
