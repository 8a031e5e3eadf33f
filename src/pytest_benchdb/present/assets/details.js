// What opens below a run, or fills a page of its own: its history, its rounds, and all that is known about it.
const LABELS = [
  "backend", "device", "model", "model_version", "implementation", "framework", "workload", "precision", "batch_size",
  "sequence_length", "group", "provenance", "attempt", "worker", "main_metric", "main_phase", "session_id", "run_id",
];
const UNITS = { cpu_per_wall: "share", throttled_share: "share", roof_share: "share", relative: "1", rounds: "1", iterations: "1", outliers: "1" };
const shortName = (text) => text.replace(/[^\w.-]+/g, "-").slice(0, 80);
const titleOf = (name) => name.replace(/_(s|bytes|j|hz)$/, "").replaceAll("_", " ");

// Returns elements. `details` is one of `details_data`, `sessions` of `sessions_data`, `units` by the name of a field.
function detailsOf(details, sessions, units) {
  const { values } = details;
  const file = shortName(values.name || values.fullname);
  const charts = html("div", {});
  const side = html("div", {});
  for (const trend of details.trends.filter((one) => one.values.length > 1)) {
    charts.append(historyFigure(trend, sessions, values.session_id, file), changesOf(trend));
  }
  if (details.rounds && details.rounds.values_s.some(isFigure)) {
    side.append(distributionFigure(details.rounds, details.before, sessions, values.fullname, file));
  }
  side.append(...factsOf(values, units));
  const panes = html("div", { class: "panes" }, ...(charts.children.length ? [charts] : []), side);

  const head = html("header", {}, html("h3", {}, values.fullname), html("a", { href: `#${details.key}` }, "Link to this"));
  if (details.command) {
    const press = button("Copy", async () => flash(press, (await copy(details.command)) ? "Copied" : "Not copied"));
    head.append(html("span", { class: "controls" }, "Repeat it with ", html("code", {}, details.command), press));
  }
  if (values.reason) head.append(html("p", { class: "warn" }, `${values.outcome}: ${values.reason}`));
  return [head, panes];
}

function factsOf(values, units) {
  const known = (name) => values[name] !== null && values[name] !== undefined;
  const params = Object.entries(values.params || {}).map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]);
  const figures = Object.keys(values).filter((name) => !LABELS.includes(name) && typeof values[name] === "number").map((name) => [titleOf(name), valueText(values[name], UNITS[name] ?? units[name])]);
  const labels = LABELS.filter(known).map((name) => [titleOf(name), String(values[name])]);
  const parts = [["Parameters", params], ["Figures", figures], ["Labels", labels]];
  return parts.filter(([, pairs]) => pairs.length).map(([name, pairs]) => html("details", { class: "data" }, html("summary", {}, name), facts(pairs)));
}
function facts(pairs) {
  return html("dl", { class: "facts wide" }, ...pairs.map(([name, text]) => html("div", {}, html("dt", {}, name), html("dd", {}, text))));
}
function valueText(value, unit) {
  if (unit === undefined) return String(value);
  return unit === "share" ? `${fixed(value * 100, 1)} %` : quantity(value, unitFor(unit, [value]));
}

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
  return html("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": `Changes of level of ${trend.metric}, ${trend.fullname}` }, list);
}
