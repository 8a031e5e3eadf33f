// The compatibility matrix: search, states and columns. The page says all it has to say without it.
const tools = document.querySelector(".tools");
if (tools) {
  const lines = [...document.querySelectorAll(".line")].map((row) => ({
    row, text: `${row.textContent} ${row.dataset.words}`.toLowerCase(), tags: row.dataset.tags.split(" "),
  }));
  const [input, output] = [tools.querySelector("input"), tools.querySelector("output")];
  const chips = [...document.querySelectorAll(".count")].map((count) => {
    const chip = document.createElement("button");
    chip.type = "button";
    chip.className = count.className;
    chip.dataset.tag = count.dataset.tag;
    chip.textContent = count.textContent;
    chip.setAttribute("aria-pressed", "false");
    chip.addEventListener("click", () => {
      chip.setAttribute("aria-pressed", String(chip.getAttribute("aria-pressed") !== "true"));
      filter();
    });
    count.replaceWith(chip);
    return chip;
  });
  function filter() {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = chips.filter((chip) => chip.getAttribute("aria-pressed") === "true").map((chip) => chip.dataset.tag);
    for (const line of lines) {
      line.row.hidden = !(words.every((word) => line.text.includes(word)) && (!wanted.length || wanted.some((tag) => line.tags.includes(tag))));
    }
    const shown = lines.filter((line) => !line.row.hidden).length;
    output.textContent = words.length || wanted.length ? `${shown} of ${lines.length}` : "";
  }
  input.addEventListener("input", filter);
  for (const box of document.querySelectorAll(".columns input")) {
    box.addEventListener("change", () => {
      const of = document.querySelectorAll(`.matrix [data-column="${box.dataset.column}"]`);
      for (const cell of of) cell.classList.toggle("off", !box.checked);
    });
  }
  tools.querySelector("[data-action=theme]")?.addEventListener("click", (event) => {
    const next = { undefined: "light", light: "dark", dark: "system" }[document.documentElement.dataset.theme] ?? "light";
    if (next === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    event.currentTarget.textContent = `Theme: ${next}`;
  });
  tools.hidden = false;
  document.querySelector(".columns").hidden = false;
}
