// The details below a run, made when they are opened: its history, its rounds, and all that is known about it.
const LABELS = [
  "backend", "device", "model", "model_version", "implementation", "framework", "workload", "precision", "batch_size",
  "sequence_length", "group", "provenance", "attempt", "worker", "main_metric", "main_phase", "session_id", "run_id",
];
const UNITS = { cpu_per_wall: "share", throttled_share: "share", roof_share: "share", relative: "1", rounds: "1", iterations: "1", outliers: "1" };
const shortName = (text) => text.replace(/[^\w.-]+/g, "-").slice(0, 80);

function facts(pairs) {
  return html("dl", { class: "facts wide" }, ...pairs.map(([name, text]) => html("div", {}, html("dt", {}, name), html("dd", {}, text))));
}
function valueText(name, value) {
  const unit = UNITS[name] ?? DATA.units[name];
  if (typeof value !== "number" || unit === undefined) return typeof value === "object" ? JSON.stringify(value) : String(value);
  return unit === "share" ? `${fixed(value * 100, 1)} %` : quantity(value, unitFor(unit, [value]));
}
function detailOf(run) {
  const { values, about } = run;
  const file = shortName(values.name || values.fullname);
  const known = (name) => values[name] !== null && values[name] !== undefined;
  const charts = html("div", {});
  const side = html("div", {});
  const trend = about.trend === null ? null : DATA.trends[about.trend];
  if (trend && trend.values.length > 1) charts.append(historyFigure(trend, DATA.sessions, values.session_id, file), changesOf(trend));
  if (about.rounds && about.rounds.values_s.some(isFigure)) side.append(distributionFigure(about.rounds, about.before, DATA.sessions, values.fullname, file));

  const params = Object.entries(values.params || {}).map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]);
  const figures = DATA.fields.filter((name) => !LABELS.includes(name) && typeof values[name] === "number").map((name) => [title(name), valueText(name, values[name])]);
  const labels = LABELS.filter(known).map((name) => [title(name), String(values[name])]);
  const parts = [["Parameters", params], ["Figures", figures], ["Labels", labels]];
  const lists = parts.filter(([, pairs]) => pairs.length).map(([name, pairs]) => html("details", { class: "data" }, html("summary", {}, name), facts(pairs)));
  const panes = html("div", { class: "panes" }, ...(charts.children.length ? [charts] : []), html("div", {}, side, ...lists));

  const head = html("header", {}, html("h3", {}, values.fullname), html("a", { href: `#${about.key}` }, "Link to this"));
  if (about.command) {
    const press = button("Copy", async () => flash(press, (await copy(about.command)) ? "Copied" : "Not copied"));
    head.append(html("span", { class: "controls" }, "Repeat it with ", html("code", {}, about.command), press));
  }
  if (values.reason) head.append(html("p", { class: "warn" }, `${values.outcome}: ${values.reason}`));
  const cell = html("td", { role: "cell", colspan: table.tHead.rows[0].cells.length }, head, panes);
  return html("tr", { role: "row", class: "detail" }, cell);
}
const title = (name) => name.replace(/_(s|bytes|j|hz)$/, "").replaceAll("_", " ");

function changesOf(trend) {
  if (!trend.changes.length) {
    const more = trend.sessions_needed ? ` They are looked for once there are ${trend.sessions_needed} more sessions.` : "";
    return html("p", { class: "how" }, `No change of level in this history.${more}`);
  }
  const unit = unitFor(trend.unit, trend.changes.flatMap((change) => [change.before, change.after]));
  const rows = [...trend.changes].reverse().map((change) => {
    const word = change.worse === null ? "\u25c6" : change.worse ? "\u25b2 worse" : "\u25bc better";
    return [`${percent(change.change)} ${word}`, quantity(change.before, unit), quantity(change.after, unit), change.commits, change.p_value.toExponential(0), change.sure];
  });
  const list = dataTable(["change of level", "before", "after", "commits", "p", "how sure"], rows);
  list.className = "changes";
  return html("div", { class: "scroll" }, list);
}

function open(run) {
  if (!run.detail) {
    run.detail = detailOf(run);
    run.row.after(run.detail);
  }
  run.opener?.setAttribute("aria-expanded", "true");
  // Not location.hash, which would scroll and fill the browser's history.
  history.replaceState(null, "", `#${run.about.key}`);
}
function close(run) {
  run.detail?.remove();
  run.detail = null;
  run.opener?.setAttribute("aria-expanded", "false");
}
function followLink() {
  const key = location.hash.slice(1);
  const run = key && runs.find((one) => one.about.key === key);
  if (!run) return;
  showRun(run);
  open(run);
  run.row.scrollIntoView({ block: "start" });
}
for (const run of runs) {
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
}
addEventListener("hashchange", followLink);
followLink();
