// What happened within a run: its phases, what sensors read meanwhile, and its requests.
function phasesOf(phases, name) {
  const longest = Math.max(...phases.filter((one) => one.unit === "s").map((one) => one.value), 0);
  const list = dataTable(["phase", "metric", "value", "readings", "of the longest"], phases.map((one) => [one.phase, one.metric, quantity(one.value, unitFor(one.unit, [one.value])), String(one.n), ""]));
  phases.forEach((one, index) => {
    if (one.unit !== "s" || !(longest > 0) || one.value < 0) return;
    const bar = svg("svg", { class: "part", width: 100, height: 12, "aria-hidden": "true" }, svg("rect", { width: place((100 * one.value) / longest), height: 12 }));
    list.tBodies[0].rows[index].cells[4].append(bar);
  });
  list.className = "changes";
  return html("figure", {}, html("figcaption", {}, "Phases"),
    html("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": `Phases of ${name}` }, list),
    html("p", { class: "how" }, "Named parts of the run: the median of their readings. Bars compare times with the longest. Phases may lie within each other, so they need not add up."));
}

function courseFigure(course, name, file) {
  const spans = course.means.length;
  const span = (course.end_s - course.begin_s) / spans;
  const unit = unitFor(course.unit, course.means);
  const from = (index) => course.begin_s + span * index;
  const words = [course.metric.replaceAll("_", " "), course.domain && `of ${course.domain}`, course.device, course.phase && `during ${course.phase}`, course.provenance === "simulated" && "(simulated)"].filter(Boolean).join(" ");
  const summary = `${course.n} readings from ${quantity(course.min, unit)} to ${quantity(course.max, unit)}, mean ${quantity(course.mean, unit)}`;
  function draw(width) {
    const drawing = svg("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-label": `${words}: ${summary}` });
    const [low, high] = padded(course.means, false);
    const end = course.end_s > course.begin_s ? course.end_s : course.begin_s + 1;
    const x = scale(course.begin_s, end, EDGE.left, width - EDGE.right, false);
    const y = scale(low, high, HEIGHT - EDGE.bottom, EDGE.top, false);
    const marks = ticks(low / unit.size, high / unit.size, 5).map((mark) => mark * unit.size);
    const clock = unitFor("s", [end]);
    const times = ticks(course.begin_s / clock.size, end / clock.size, Math.max(2, Math.floor(width / 110))).map((mark) => mark * clock.size);
    const texts = axisTexts(times, clock);
    axes(drawing, width, { yMarks: marks, yTexts: axisTexts(marks, unit), y, unitText: unit.symbol, xMarks: times.map((time, index) => ({ x: Math.min(x(time), width - 24), text: `${texts[index]}${index === times.length - 1 ? ` ${clock.symbol}` : ""}` })) });
    let path = "";
    course.means.forEach((value, index) => {
      if (!isFigure(value)) return;
      const joined = index > 0 && isFigure(course.means[index - 1]);
      path += `${joined ? "L" : "M"}${place(x(from(index)))} ${place(y(value))}L${place(x(span ? from(index + 1) : end))} ${place(y(value))}`;
    });
    drawing.append(svg("path", { class: "now", d: path }));
    return drawing;
  }
  return chartFigure({
    title: words[0].toUpperCase() + words.slice(1), of: name, draw, file: `${file}-${shortName(words)}`,
    reading: html("p", { class: "reading" }, summary),
    how: `What a sensor read while the run lasted: the mean of each of ${spans} equal spans of time, a gap where it read nothing. The scale does not begin at 0.`,
    table: () => dataTable(["from", "to", "mean"], course.means.map((value, index) => [quantity(from(index), unitFor("s", [course.end_s])), quantity(from(index + 1), unitFor("s", [course.end_s])), quantity(value, unit)])),
  }).element;
}

function requestsFigure(part, name, file) {
  const unit = unitFor("s", part.e2e_s);
  const clock = unitFor("s", [Math.max(...part.sent_s.filter(isFigure), 0)]);
  const failed = part.ok.filter((one) => !one).length;
  const title = `Requests${part.phase ? ` of ${part.phase}` : ""}${part.provenance === "simulated" ? " (simulated)" : ""}`;
  const summary = `${part.requests} requests, ${failed} failed${part.requests > part.ok.length ? `; the first ${part.ok.length} are drawn` : ""}`;
  function draw(width) {
    const drawing = svg("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-label": `${title}: ${summary}` });
    const known = [...part.e2e_s, ...part.ttft_s].filter(isFigure);
    const sent = part.sent_s.filter(isFigure);
    if (!known.length || !sent.length) {
      drawing.append(svg("text", { x: 10, y: 30 }, "no request was answered"));
      return drawing;
    }
    const high = Math.max(...known) * 1.08 || 1;
    const [start, end] = [Math.min(...sent), Math.max(...sent, Math.min(...sent) + 1e-9)];
    const x = scale(start, end, EDGE.left + 6, width - EDGE.right - 6, false);
    const y = scale(0, high, HEIGHT - EDGE.bottom, EDGE.top, false);
    const marks = ticks(0, high / unit.size, 5).map((mark) => mark * unit.size);
    const times = ticks(start / clock.size, end / clock.size, Math.max(2, Math.floor(width / 110))).map((mark) => mark * clock.size);
    const texts = axisTexts(times, clock);
    axes(drawing, width, { yMarks: marks, yTexts: axisTexts(marks, unit), y, unitText: unit.symbol, xMarks: times.map((time, index) => ({ x: Math.min(x(time), width - 24), text: `${texts[index]}${index === times.length - 1 ? ` ${clock.symbol}` : ""}` })) });
    part.sent_s.forEach((time, index) => {
      if (!isFigure(time)) return;
      const at = place(x(time));
      if (!part.ok[index]) drawing.append(svg("path", { class: "gap", d: `M${at - 3} ${HEIGHT - EDGE.bottom - 7}l6 6m0 -6l-6 6` }));
      if (isFigure(part.ttft_s[index])) drawing.append(svg("path", { class: "first", d: `M${at - 3} ${place(y(part.ttft_s[index]))}h6` }));
      if (isFigure(part.e2e_s[index])) drawing.append(svg("circle", { class: "dot", cx: at, cy: place(y(part.e2e_s[index])), r: 2.5 }));
    });
    return drawing;
  }
  return chartFigure({
    title, of: name, draw, file: `${file}-requests`,
    reading: html("p", { class: "reading" }, summary),
    how: "Each request stands at the time when it was sent: a dot at the time until its last token, a dash at the time until its first one, a cross on the axis if it failed.",
    table: () => dataTable(["request", "sent after", "first token", "last token", "tokens in", "tokens out", "outcome"], part.sent_s.map((time, index) => [
      String(part.numbers[index]), quantity(time, clock), quantity(part.ttft_s[index], unit), quantity(part.e2e_s[index], unit),
      part.tokens_in[index] ?? "-", part.tokens_out[index] ?? "-", part.ok[index] ? "ok" : `failed: ${part.errors[index] ?? "no reason given"}`,
    ].map(String))),
  }).element;
}
