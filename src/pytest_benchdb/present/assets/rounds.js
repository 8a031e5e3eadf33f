// The rounds of a run, and those of the session before.
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
