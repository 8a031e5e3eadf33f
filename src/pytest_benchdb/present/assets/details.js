// What opens below a run, or fills a page of its own: its history, its rounds, and all that is known about it.
const LABELS = [
  "backend", "device", "model", "model_version", "implementation", "framework", "workload", "precision", "batch_size",
  "sequence_length", "group", "provenance", "attempt", "worker", "main_metric", "main_phase", "session_id", "run_id",
];
const UNITS = { cpu_per_wall: "share", throttled_share: "share", roof_share: "share", relative: "1", rounds: "1", iterations: "1", outliers: "1" };
const shortName = (text) => text.replace(/[^\w.-]+/g, "-").slice(0, 80);
const titleOf = (name) => name.replace(/_(s|bytes|j|hz)$/, "").replaceAll("_", " ");

// Returns elements. `details` is one of `details_data`, `sessions` of `sessions_data`, `units` by the name of a field,
// `baseline` the name of what the run is compared with.
function detailsOf(details, sessions, units, baseline = null) {
  const { values } = details;
  const file = shortName(values.name || values.fullname);
  const charts = html("div", {});
  const side = html("div", {});
  const trends = details.trends.filter((one) => one.values.length > 1);
  if (trends.length) charts.append(historiesOf(trends, sessions, values.session_id, file));
  charts.append(...details.courses.map((course) => courseFigure(course, values.fullname, file)));
  charts.append(...details.requests.map((part) => requestsFigure(part, values.fullname, file)));
  if (details.rounds && details.rounds.values_s.some(isFigure)) {
    side.append(distributionFigure(details.rounds, details.before, sessions, values.fullname, file));
  }
  if (details.phases.length) side.append(phasesOf(details.phases, values.fullname));
  side.append(...factsOf(values, units));
  const panes = html("div", { class: "panes" }, ...(charts.children.length ? [charts] : []), side);

  const head = html("header", {}, html("h3", {}, values.fullname), html("a", { href: `#${details.key}` }, "Link to this"));
  if (details.command) {
    const press = button("Copy", async () => flash(press, (await copy(details.command)) ? "Copied" : "Not copied"));
    head.append(html("span", { class: "controls" }, "Repeat it with ", html("code", {}, details.command), press));
  }
  if (details.judgement) head.append(html("p", { class: "how" }, judgementText(details.judgement, baseline)));
  if (values.reason) head.append(html("p", { class: "warn" }, `${values.outcome}: ${values.reason}`));
  return [head, panes];
}

function judgementText(judgement, baseline) {
  const { interval } = judgement;
  const parts = [`Against ${baseline}: ${judgement.text}`];
  if (isFigure(judgement.change)) parts.push(percent(judgement.change));
  if (interval) parts.push(`${fixed(interval[2] * 100, 0)} % interval from ${percent(interval[0])} to ${percent(interval[1])}`);
  if (judgement.reason) parts.push(judgement.reason);
  return parts.join(" \u00b7 ");
}

// The history of one metric at a time; the main time first.
function historiesOf(trends, sessions, ownSession, file) {
  const text = (trend) => `${trend.metric.replaceAll("_", " ")}${trend.phase ? ` of ${trend.phase}` : ""}${trend.device && trends.some((other) => other.metric === trend.metric && other.device !== trend.device) ? `, ${trend.device}` : ""}`;
  const holder = html("div", {});
  const show = (trend) => holder.replaceChildren(historyFigure(trend, sessions, ownSession, `${file}-${shortName(text(trend))}`), changesOf(trend));
  show(trends[0]);
  if (trends.length === 1) return holder;
  const choice = html("select", {}, ...trends.map((trend, index) => html("option", { value: index }, text(trend))));
  choice.addEventListener("change", () => show(trends[choice.value]));
  return html("div", {}, html("label", { class: "choose" }, "Metric ", choice), holder);
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
