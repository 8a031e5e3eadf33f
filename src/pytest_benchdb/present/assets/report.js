"use strict";
// Sorting and filtering; the page says all it has to say without them.
for (const table of document.querySelectorAll("table")) {
  const runs = [...table.querySelectorAll(".run")];
  const groups = [...table.tBodies];
  const box = table.previousElementSibling;
  const [input, output] = [box.querySelector("input"), box.querySelector("output")];

  const filter = () => {
    const wanted = input.value.trim().toLowerCase();
    for (const run of runs) {
      const name = run.querySelector(".name");
      run.hidden = !(run.textContent + " " + (name ? name.title : "")).toLowerCase().includes(wanted);
    }
    for (const group of groups) group.hidden = !group.querySelector(".run:not([hidden])");
    const shown = runs.filter((run) => !run.hidden).length;
    output.textContent = wanted ? `${shown} of ${runs.length}` : "";
  };
  input.addEventListener("input", filter);
  box.hidden = false;

  // A cell that spans columns has no value in them, and neither has what was not measured: both go last.
  const valueAt = (run, column) => {
    let at = 0;
    for (const cell of run.cells) {
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
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const descending = head.getAttribute("aria-sort") === "ascending";
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", descending ? "descending" : "ascending");
      const figures = head.classList.contains("right");
      for (const group of groups) {
        const own = runs.filter((run) => run.parentNode === group);
        own.sort((a, b) => compare(valueAt(a, column), valueAt(b, column), figures, descending ? -1 : 1));
        group.append(...own);
      }
    });
  });
}
