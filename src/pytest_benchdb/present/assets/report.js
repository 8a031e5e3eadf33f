// Rows of a report open into the details of their runs.
async function open(run) {
  const details = await detailsOfRun(run);
  if (!run.detail) {
    const cell = html("td", { role: "cell", colspan: table.tHead.rows[0].cells.length }, ...detailsOf(details, DATA.sessions, DATA.units, DATA.baseline));
    run.detail = html("tr", { role: "row", class: "detail" }, cell);
    run.row.after(run.detail);
  }
  run.opener.setAttribute("aria-expanded", "true");
  // Not location.hash, which would scroll and fill the browser's history.
  history.replaceState(null, "", `#${run.key}`);
}
function close(run) {
  run.detail?.remove();
  run.detail = null;
  run.opener.setAttribute("aria-expanded", "false");
}
async function followLink() {
  const key = location.hash.slice(1);
  const run = key && runs.find((one) => one.key === key);
  if (!run) return;
  await showRun(run);
  await open(run);
  run.row.scrollIntoView({ block: "start" });
}
rowMade = (run) => {
  const cell = run.row.querySelector(".name") || run.row.cells[0];
  const text = cell.querySelector(".title");
  run.opener = button("", () => (run.detail ? close(run) : open(run)));
  run.opener.setAttribute("aria-expanded", "false");
  if (text) {
    text.replaceWith(run.opener);
    run.opener.append(text);
  } else {
    run.opener.append(...cell.childNodes);
    cell.append(run.opener);
    cell.classList.add("name");
  }
};
runs.filter((run) => run.row).forEach(rowMade);
addEventListener("hashchange", followLink);
followLink();
