// Charts that need room: the history of a benchmark, and the distribution of its rounds.
const HEIGHT = 260;
const EDGE = { left: 62, right: 14, top: 14, bottom: 26 };

function svg(name, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}
function html(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}
function button(text, action) {
  const element = html("button", { type: "button" }, text);
  element.addEventListener("click", action);
  return element;
}

// Round numbers for the marks of an axis, about `count` of them.
function ticks(low, high, count) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough) || rough;
  const found = [];
  for (let place = Math.ceil(low / step - 1e-9); place * step <= high * (1 + 1e-12); place += 1) found.push(place * step);
  return found;
}
function logTicks(low, high) {
  const found = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power += 1) {
    for (const factor of [1, 2, 5]) {
      const value = factor * 10 ** power;
      if (value >= low && value <= high) found.push(value);
    }
  }
  return found;
}
function scale(low, high, from, to, isLog) {
  const shape = isLog ? Math.log10 : (value) => value;
  const [start, end] = [shape(low), shape(high)];
  return (value) => from + ((shape(value) - start) / (end - start || 1)) * (to - from);
}
function padded(values, isLog) {
  const finite = values.filter(isFigure);
  let [low, high] = [Math.min(...finite), Math.max(...finite)];
  if (isLog) return [low / 1.08, high * 1.08];
  const room = (high - low) * 0.08 || Math.abs(high) * 0.05 || 1;
  return [low - room, high + room];
}
// The labels of an axis: as many decimals as tell its marks apart.
function axisTexts(marks, unit) {
  const step = marks.length > 1 ? Math.abs(marks[1] - marks[0]) / unit.size : 1;
  const decimals = Math.min(6, Math.max(0, -Math.floor(Math.log10(step) + 1e-9)));
  return marks.map((mark) => (mark === 0 ? "0" : fixed(mark / unit.size, decimals)));
}
const place = (number) => Math.round(number * 10) / 10;

// A figure with what every chart has: a title, how to read it, its data as a table, and itself as a file.
function chartFigure({ title, of, how, draw, table, file, controls = [], reading = null }) {
  const box = html("div", { class: "chart" });
  const redraw = () => box.clientWidth && box.replaceChildren(draw(box.clientWidth));
  const data = html("details", { class: "data" }, html("summary", {}, "Data as a table"));
  data.addEventListener("toggle", () => {
    if (data.open && data.children.length === 1) data.append(html("div", { tabindex: 0, role: "region", "aria-label": `${title}, ${of}: data` }, table()));
  });
  const save = button("Download SVG", () => download(`${file}.svg`, "image/svg+xml", asFile(box.firstElementChild)));
  const element = html("figure", {}, html("figcaption", {}, title), box);
  if (reading) element.append(reading);
  element.append(html("div", { class: "controls" }, ...controls, save), html("p", { class: "how" }, how), data);
  new ResizeObserver(redraw).observe(box);
  return { element, redraw, box };
}
function dataTable(heads, rows) {
  const cells = (kind, texts) => texts.map((text) => html(kind, kind === "th" ? { scope: "col" } : {}, text));
  return html(
    "table",
    {},
    html("thead", {}, html("tr", {}, ...cells("th", heads))),
    html("tbody", {}, ...rows.map((row) => html("tr", {}, ...cells("td", row)))),
  );
}
// The drawing with its colours in itself, so that it is the same outside this page.
function asFile(drawing) {
  const copy = drawing.cloneNode(true);
  const [from, to] = [[...drawing.querySelectorAll("*")], [...copy.querySelectorAll("*")]];
  from.forEach((element, index) => {
    const style = getComputedStyle(element);
    for (const name of ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "font-family", "font-size"]) {
      to[index].setAttribute(name, style.getPropertyValue(name));
    }
    to[index].removeAttribute("class");
  });
  for (const name of ["tabindex", "role", "class"]) copy.removeAttribute(name);
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  const ground = getComputedStyle(document.body).backgroundColor;
  copy.prepend(svg("rect", { width: "100%", height: "100%", fill: ground }));
  return new XMLSerializer().serializeToString(copy);
}
function download(name, type, text) {
  const link = html("a", { href: URL.createObjectURL(new Blob([text], { type })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

function axes(drawing, width, { yMarks, yTexts, y, unitText, xMarks }) {
  yMarks.forEach((mark, index) => {
    drawing.append(svg("path", { class: "grid", d: `M${EDGE.left} ${place(y(mark))}H${width - EDGE.right}` }));
    drawing.append(svg("text", { x: EDGE.left - 6, y: place(y(mark)) + 4, "text-anchor": "end" }, yTexts[index]));
  });
  if (unitText) drawing.append(svg("text", { x: 2, y: 10 }, unitText));
  for (const { x, text, anchor = "middle" } of xMarks) {
    drawing.append(svg("text", { x: place(x), y: HEIGHT - 8, "text-anchor": anchor }, text));
  }
  drawing.append(svg("path", { class: "axis", d: `M${EDGE.left} ${HEIGHT - EDGE.bottom}H${width - EDGE.right}` }));
}

function historyFigure(trend, sessions, ownSession, file) {
  const count = trend.values.length;
  const sessionAt = (index) => (trend.at ? trend.at[index] : index);
  const time = (index) => sessions.placed_at[sessionAt(index)].slice(0, 16).replace("T", " ");
  const commit = (index) => (sessions.commits[sessionAt(index)] || "").slice(0, 10);
  const bandAt = (index) => trend.bands.findLast(([start]) => start <= index);
  const changeAt = (index) => trend.changes.find((change) => change.index === index);
  let [first, last] = [0, count - 1];
  let [cursor, anchor] = [null, null];
  let isLog = false;

  const remark = (index) => {
    const change = changeAt(index);
    const session = sessionAt(index);
    const words = [];
    if (change) words.push(`new level: ${percent(change.change)}${change.worse === null ? "" : change.worse ? " worse" : " better"}`);
    if (trend.anomalies.includes(index)) words.push("stands out, did not last");
    if (trend.reasons[index]) words.push(`no figure: ${trend.reasons[index]}`);
    if (sessions.ids[session] === ownSession) words.push("this report");
    if (sessions.labels[session]) words.push(`label ${sessions.labels[session]}`);
    return words.join("; ");
  };
  const unitOf = () => unitFor(trend.unit, trend.values.slice(first, last + 1));
  const describe = (index) => {
    const unit = unitOf();
    const subject = sessions.subjects[sessionAt(index)];
    const parts = [`${index + 1} of ${count}`, `${time(index)} UTC`, commit(index) && `${commit(index)}${subject ? ` ${subject}` : ""}`, quantity(trend.values[index], unit)];
    const band = bandAt(index);
    if (band) parts.push(`level ${quantity(band[1], unit)}`);
    return [...parts, remark(index)].filter(Boolean).join(" \u00b7 ");
  };
  const reading = html("p", { class: "reading" }, describe(count - 1));
  const label = `History of ${trend.fullname}`;

  function draw(width) {
    const drawing = svg("svg", {
      viewBox: `0 0 ${width} ${HEIGHT}`, tabindex: 0, role: "slider", "aria-label": `${label}: session`,
      "aria-valuemin": 1, "aria-valuemax": count, "aria-valuenow": (cursor ?? count - 1) + 1,
      "aria-valuetext": describe(cursor ?? count - 1),
    });
    const shown = trend.values.slice(first, last + 1);
    const bands = trend.bands
      .map(([start, level, low, high], number) => ({ start, end: (trend.bands[number + 1] || [count])[0] - 1, level, low, high }))
      .filter((band) => band.end >= first && band.start <= last);
    const finite = shown.filter(isFigure);
    if (!finite.length) return svg("svg", { viewBox: `0 0 ${width} ${HEIGHT}` }, svg("text", { x: 10, y: 30 }, "no figure in these sessions"));
    const unit = unitOf();
    const asLog = isLog && finite.every((value) => value > 0);
    const [low, high] = padded([...finite, ...bands.flatMap((band) => [band.low, band.high])].filter((value) => !asLog || value > 0), asLog);
    const x = scale(first, Math.max(last, first + 1), EDGE.left + 8, width - EDGE.right - 8, false);
    const y = scale(low, high, HEIGHT - EDGE.bottom, EDGE.top, asLog);
    const marks = asLog ? logTicks(low, high) : ticks(low / unit.size, high / unit.size, 5).map((mark) => mark * unit.size);
    const many = Math.max(2, Math.min(6, Math.floor(width / 130)));
    const shownDays = [];
    const isShort = Date.parse(`${time(last)}Z`.replace(" ", "T")) - Date.parse(`${time(first)}Z`.replace(" ", "T")) < 5 * 86400000;
    for (let step = 0; step < many; step += 1) {
      const index = Math.round(first + ((last - first) * step) / (many - 1));
      const anchorText = step === 0 ? "start" : step === many - 1 ? "end" : "middle";
      if (!shownDays.some((day) => day.index === index)) shownDays.push({ index, x: x(index), text: isShort ? time(index).slice(5) : time(index).slice(0, 10), anchor: anchorText });
    }
    axes(drawing, width, { yMarks: marks, yTexts: axisTexts(marks, unit), y, unitText: unit.symbol, xMarks: shownDays });
    for (const band of bands) {
      const [from, to] = [x(Math.max(band.start, first)) - 4, x(Math.min(band.end, last)) + 4];
      if (isFigure(band.low)) {
        const [top, bottom] = [y(Math.min(band.high, high)), y(Math.max(band.low, low))];
        drawing.append(svg("rect", { class: "band", x: place(from), y: place(top), width: place(to - from), height: place(Math.max(bottom - top, 1)) }));
      }
    }
    for (const band of bands) {
      const [from, to] = [x(Math.max(band.start, first)) - 4, x(Math.min(band.end, last)) + 4];
      drawing.append(svg("path", { class: "levels", d: `M${place(from)} ${place(y(band.level))}H${place(to)}` }));
    }
    for (const change of trend.changes.filter((one) => one.index > first && one.index <= last)) {
      const kind = change.worse === null ? "" : change.worse ? "worse" : "better";
      const at = place((x(change.previous) + x(change.index)) / 2);
      const atEnd = at > width * 0.75;
      drawing.append(svg("path", { class: `mark ${kind}`, d: `M${at} ${EDGE.top}V${HEIGHT - EDGE.bottom}` }));
      const sign = change.worse === null ? "\u25c6" : change.worse ? "\u25b2" : "\u25bc";
      drawing.append(svg("text", { class: kind, x: at + (atEnd ? -5 : 5), y: EDGE.top + 10, "text-anchor": atEnd ? "end" : "start" }, `${sign} ${percent(change.change)}`));
    }
    let path = "";
    let isDrawing = false;
    for (let index = first; index <= last; index += 1) {
      const value = trend.values[index];
      if (isFigure(value)) {
        path += `${isDrawing ? "L" : "M"}${place(x(index))} ${place(y(value))}`;
      } else {
        drawing.append(svg("path", { class: "gap", d: `M${place(x(index)) - 3} ${HEIGHT - EDGE.bottom - 7}l6 6m0 -6l-6 6` }));
      }
      isDrawing = isFigure(value);
    }
    drawing.append(svg("path", { class: "values", d: path }));
    for (let index = first; index <= last; index += 1) {
      const value = trend.values[index];
      if (!isFigure(value)) continue;
      const own = sessions.ids[sessionAt(index)] === ownSession;
      const odd = trend.anomalies.includes(index);
      drawing.append(svg("circle", { class: `dot${odd ? " odd" : ""}${own ? " own" : ""}`, cx: place(x(index)), cy: place(y(value)), r: own || odd ? 4.5 : last - first > 150 ? 1.5 : 2.5 }));
    }
    if (cursor !== null && cursor >= first && cursor <= last) {
      drawing.append(svg("path", { class: "cursor", d: `M${place(x(cursor))} ${EDGE.top}V${HEIGHT - EDGE.bottom}` }));
    }
    if (anchor !== null && cursor !== null && anchor !== cursor) {
      const [from, to] = [x(anchor), x(cursor)].sort((a, b) => a - b);
      drawing.append(svg("rect", { class: "choice", x: place(from), y: EDGE.top, width: place(to - from), height: HEIGHT - EDGE.top - EDGE.bottom }));
    }
    return drawing;
  }

  const move = (index) => {
    cursor = Math.min(Math.max(index, first), last);
    reading.textContent = describe(cursor);
    update();
  };
  const zoom = (from, to) => {
    if (to - from < 1) return;
    [first, last] = [Math.max(0, from), Math.min(count - 1, to)];
    if (cursor !== null) cursor = Math.min(Math.max(cursor, first), last);
    update();
  };
  const zoomBy = (factor) => {
    const middle = cursor ?? (first + last) / 2;
    const half = Math.max(1, ((last - first) * factor) / 2);
    zoom(Math.max(0, Math.round(middle - half)), Math.min(count - 1, Math.round(middle + half)));
  };
  const logButton = button("Log scale", () => {
    isLog = !isLog;
    logButton.setAttribute("aria-pressed", String(isLog));
    update();
  });
  logButton.setAttribute("aria-pressed", "false");
  const controls = [button("Zoom in", () => zoomBy(0.5)), button("Zoom out", () => zoomBy(2)), button("All", () => zoom(0, count - 1)), logButton];
  const how =
    `A dot is the ${STATISTICS[trend.statistic]} of a session on this machine, the thick line the level; about 95 % of sessions lie in the band as long as nothing changes. ` +
    "A dashed line is a lasting change of level, a yellow ring a session that stands out and did not last, a cross one without a figure. " +
    "The scale does not begin at 0. Drag over sessions to zoom in, or focus the chart: arrows move, + and - zoom, 0 shows all.";
  const chart = chartFigure({
    title: `History: ${trend.metric}${trend.phase ? ` of ${trend.phase}` : ""}, ${trend.better === "higher" ? "higher" : "lower"} is better`,
    of: trend.fullname, how, draw, controls, reading, file: `${file}-history`,
    table: () => {
      const unit = unitFor(trend.unit, trend.values);
      const rows = trend.values.map((value, index) => {
        const band = bandAt(index);
        return [String(index + 1), time(index), commit(index) || "-", quantity(value, unit), band ? quantity(band[1], unit) : "-", remark(index)];
      });
      return dataTable(["session", "time (UTC)", "commit", "value", "level", "remarks"], rows);
    },
  });
  const update = () => {
    const hadFocus = chart.box.contains(document.activeElement);
    chart.redraw();
    if (hadFocus) chart.box.firstElementChild.focus({ preventScroll: true });
  };
  const indexAt = (event) => {
    const bounds = chart.box.getBoundingClientRect();
    const share = (event.clientX - bounds.left - EDGE.left - 8) / (bounds.width - EDGE.left - EDGE.right - 16);
    return Math.round(first + Math.min(Math.max(share, 0), 1) * (last - first));
  };
  chart.box.addEventListener("pointermove", (event) => move(indexAt(event)));
  chart.box.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || event.pointerType === "touch") return;
    event.preventDefault();
    anchor = indexAt(event);
    chart.box.setPointerCapture(event.pointerId);
    chart.box.firstElementChild.focus({ preventScroll: true });
  });
  chart.box.addEventListener("pointerup", () => {
    const [from, to] = [anchor, cursor].sort((a, b) => a - b);
    const isRange = anchor !== null && to - from >= 1;
    anchor = null;
    if (isRange) zoom(from, to);
    else update();
  });
  chart.box.addEventListener("keydown", (event) => {
    const at = cursor ?? last;
    const actions = {
      ArrowLeft: () => move(at - 1), ArrowRight: () => move(at + 1), Home: () => move(first), End: () => move(last),
      "+": () => zoomBy(0.5), "=": () => zoomBy(0.5), "-": () => zoomBy(2), 0: () => zoom(0, count - 1),
    };
    if (!actions[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    actions[event.key]();
  });
  return chart.element;
}
const STATISTICS = { min: "fastest round", median: "median of the rounds", mean: "mean of the rounds", value: "value" };

function distributionFigure(rounds, before, sessions, name, file) {
  const sorted = (one) => [...one.values_s].filter(isFigure).sort((a, b) => a - b);
  const sides = [{ kind: "now", text: "this session", one: rounds, values: sorted(rounds) }];
  if (before) {
    const index = sessions.ids.indexOf(before.session_id);
    const when = index >= 0 ? ` (${sessions.placed_at[index].slice(0, 10)})` : "";
    sides.push({ kind: "before", text: `the session before${when}`, one: before, values: sorted(before) });
  }
  const every = sides.flatMap((side) => side.values);
  const isLog = Math.min(...every) > 0 && Math.max(...every) / Math.min(...every) > 20;
  const unit = unitFor("s", every);
  function draw(width) {
    const drawing = svg("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-label": summary });
    const [low, high] = padded(every, isLog);
    const x = scale(low, high, EDGE.left, width - EDGE.right, isLog);
    const y = scale(0, 1, HEIGHT - EDGE.bottom, EDGE.top, false);
    const marks = isLog ? logTicks(low, high) : ticks(low / unit.size, high / unit.size, Math.max(2, Math.floor(width / 110))).map((mark) => mark * unit.size);
    const texts = axisTexts(isLog ? [0, marks[0] || 1] : marks, unit);
    const xMarks = marks.map((mark, index) => ({ x: x(mark), text: `${isLog ? quantity(mark, { ...unit, digits: 1 }) : texts[index]}${index === marks.length - 1 && !isLog ? ` ${unit.symbol}` : ""}` }));
    axes(drawing, width, { yMarks: [0, 0.25, 0.5, 0.75, 1], yTexts: ["0 %", "25 %", "50 %", "75 %", "100 %"], y, unitText: "", xMarks });
    sides.forEach((side, number) => {
      const share = (index) => (side.one.quantiles ? index / (side.values.length - 1) : (index + 1) / side.values.length);
      let path = `M${place(x(side.values[0]))} ${place(y(0))}`;
      side.values.forEach((value, index) => { path += `H${place(x(value))}V${place(y(share(index)))}`; });
      drawing.append(svg("path", { class: side.kind, d: `${path}H${width - EDGE.right}` }));
      const lineY = HEIGHT - EDGE.bottom - 12 - 18 * (sides.length - 1 - number);
      drawing.append(svg("text", { class: side.kind, x: width - EDGE.right - 34, y: lineY, "text-anchor": "end" }, side.text));
      drawing.append(svg("path", { class: side.kind, d: `M${width - EDGE.right - 28} ${lineY - 4}h28` }));
    });
    return drawing;
  }
  const described = (side) => `${side.text}: ${side.one.n} rounds, median ${quantity(quantile(side.values, 0.5), unit)}`;
  const summary = sides.map(described).join("; ");
  return chartFigure({
    title: "Distribution of the rounds", of: name,
    reading: html("p", { class: "reading" }, summary),
    how:
      "The height of a line is the share of rounds that took at most the time below it: further left is faster, steeper is steadier; if the whole line is shifted, every round has changed. " +
      (isLog ? "The scale of times is logarithmic. " : "The scale of times does not begin at 0. ") +
      (sides.some((side) => side.one.quantiles) ? "Of more than 101 rounds, 101 evenly spaced quantiles are drawn." : ""),
    draw, file: `${file}-distribution`,
    table: () => {
      const longest = Math.max(...sides.map((side) => side.values.length));
      const rows = Array.from({ length: longest }, (_, index) => [String(index + 1), ...sides.map((side) => (index < side.values.length ? quantity(side.values[index], unit) : ""))]);
      return dataTable(["from the fastest", ...sides.map((side) => side.text)], rows);
    },
  }).element;
}
