// The history of a benchmark: its sessions, levels and changes, to zoom and to read one by one.
const STATISTICS = { min: "fastest round", median: "median of the rounds", mean: "mean of the rounds", value: "value" };

const hasAny = (lists) => lists.some((list) => list.length);

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
    if (change) words.push(`new level: ${percent(change.change)}${change.worse === null ? "" : change.worse ? " worse" : " better"}${change.accepted ? `, accepted: ${change.accepted}` : ""}`);
    if (trend.anomalies.includes(index)) words.push("stands out, did not last");
    if (trend.reasons[index]) words.push(`no figure: ${trend.reasons[index]}`);
    if (sessions.ids[session] === ownSession) words.push("this report");
    if (sessions.labels[session]) words.push(`label ${sessions.labels[session]}`);
    words.push(...sessions.baselines[session].map((name) => `baseline ${name}`), ...sessions.notes[session].map((text) => `note: ${text}`));
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
      const text = `${sign} ${percent(change.change)}${change.accepted ? " accepted" : ""}`;
      drawing.append(svg("text", { class: kind, x: at + (atEnd ? -5 : 5), y: EDGE.top + 10, "text-anchor": atEnd ? "end" : "start" }, text));
    }
    for (let index = first; index <= last; index += 1) {
      const at = place(x(index));
      const floor = HEIGHT - EDGE.bottom;
      const names = sessions.baselines[sessionAt(index)];
      if (names.length) {
        const atEnd = at > width * 0.75;
        drawing.append(svg("path", { class: "pinned", d: `M${at} ${EDGE.top}V${floor}` }));
        drawing.append(svg("text", { x: at + (atEnd ? -5 : 5), y: floor - 6, "text-anchor": atEnd ? "end" : "start" }, `baseline ${names.join(", ")}`.slice(0, 40)));
      }
      if (sessions.notes[sessionAt(index)].length) drawing.append(svg("path", { class: "noted", d: `M${at - 4} ${floor - 1}l4 -7l4 7z` }));
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
    "A dashed line is a lasting change of level, a yellow ring a session that stands out and did not last, a cross one without a figure" +
    `${hasAny(sessions.baselines) ? ", a dotted line the session of a baseline" : ""}${hasAny(sessions.notes) ? ", a triangle on the axis a session with a note" : ""}. ` +
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
