// The rounds of a run, and those of the session before: the share of rounds up to each time, or a histogram.
function distributionFigure(rounds, before, sessions, name, file) {
  const sorted = (one) => [...one.values_s].filter(isFigure).sort((a, b) => a - b);
  const sides = [{ kind: "now", text: "this session", one: rounds, values: sorted(rounds) }];
  if (before && before.values_s.some(isFigure)) {
    const index = sessions.ids.indexOf(before.session_id);
    const when = index >= 0 ? ` (${sessions.placed_at[index].slice(0, 10)})` : "";
    sides.push({ kind: "before", text: `the session before${when}`, one: before, values: sorted(before) });
  }
  const every = sides.flatMap((side) => side.values);
  const canLog = Math.min(...every) > 0;
  let isLog = canLog && Math.max(...every) / Math.min(...every) > 20;
  let isHistogram = false;
  const unit = unitFor("s", every);

  function draw(width) {
    const drawing = svg("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-label": summary });
    const [low, high] = padded(every, isLog);
    const x = scale(low, high, EDGE.left, width - EDGE.right, isLog);
    const bars = isHistogram ? sides.map((side) => sharesOf(side, low, high)) : [];
    const top = isHistogram ? Math.max(...bars.flat()) * 1.05 : 1;
    const y = scale(0, top, HEIGHT - EDGE.bottom, EDGE.top, false);
    const shares = isHistogram ? ticks(0, top, 4) : [0, 0.25, 0.5, 0.75, 1];
    axes(drawing, width, { yMarks: shares, yTexts: shares.map((share) => `${+(share * 100).toFixed(1)} %`), y, unitText: "", xMarks: timeMarks(low, high, x, width) });
    sides.forEach((side, number) => {
      const path = isHistogram ? barPath(bars[number], low, high, x, y) : sharePath(side, x, y, width);
      drawing.append(svg("path", { class: `${side.kind}${isHistogram ? " bars" : ""}`, d: path }));
      const lineY = isHistogram ? EDGE.top + 12 + 18 * number : HEIGHT - EDGE.bottom - 12 - 18 * (sides.length - 1 - number);
      drawing.append(svg("text", { class: side.kind, x: width - EDGE.right - 34, y: lineY, "text-anchor": "end" }, side.text));
      drawing.append(svg("path", { class: side.kind, d: `M${width - EDGE.right - 28} ${lineY - 4}h28` }));
    });
    return drawing;
  }
  function timeMarks(low, high, x, width) {
    const marks = isLog ? logTicks(low, high) : ticks(low / unit.size, high / unit.size, Math.max(2, Math.floor(width / 110))).map((mark) => mark * unit.size);
    const texts = axisTexts(marks, unit);
    const text = (index) => (isLog ? quantity(marks[index], { ...unit, digits: 1 }) : `${texts[index]}${index === marks.length - 1 ? ` ${unit.symbol}` : ""}`);
    // Marks of a log scale crowd at the end of each decade.
    let end = -Infinity;
    return marks.map((mark, index) => ({ x: x(mark), text: text(index) })).filter((mark) => {
      const fits = mark.x - mark.text.length * 3.5 > end && mark.x < width - 12;
      if (fits) end = mark.x + mark.text.length * 3.5;
      return fits;
    });
  }
  function sharePath(side, x, y, width) {
    const share = (index) => (side.one.quantiles ? index / (side.values.length - 1) : (index + 1) / side.values.length);
    let path = `M${place(x(side.values[0]))} ${place(y(0))}`;
    side.values.forEach((value, index) => { path += `H${place(x(value))}V${place(y(share(index)))}`; });
    return `${path}H${width - EDGE.right}`;
  }
  // Freedman and Diaconis's width of a bar, within reason: a few slow rounds must not leave one bar for all others.
  const fewest = Math.min(...sides.map((side) => side.one.n));
  const narrowest = Math.min(...sides.map((side) => quantile(side.values, 0.75) - quantile(side.values, 0.25)));
  const width = (2 * narrowest) / Math.cbrt(fewest);
  const bins = Math.max(5, Math.min(40, Math.ceil(width > 0 ? (every.reduce((a, b) => Math.max(a, b)) - every.reduce((a, b) => Math.min(a, b))) / width : 5)));
  const edge = (low, high, number) => (isLog ? low * (high / low) ** (number / bins) : low + ((high - low) * number) / bins);
  // Of quantiles, as many rounds lie between each two neighbours.
  function sharesOf(side, low, high) {
    const shares = Array(bins).fill(0);
    const at = (value) => Math.min(bins - 1, Math.max(0, Math.floor((isLog ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low)) * bins)));
    const count = side.one.quantiles ? (side.values.length - 1) * 8 : side.values.length;
    for (let number = 0; number < count; number += 1) {
      shares[at(side.one.quantiles ? quantile(side.values, (number + 0.5) / count) : side.values[number])] += 1 / count;
    }
    return shares;
  }
  function barPath(shares, low, high, x, y) {
    let path = `M${place(x(low))} ${place(y(0))}`;
    shares.forEach((share, number) => { path += `V${place(y(share))}H${place(x(edge(low, high, number + 1)))}`; });
    return `${path}V${place(y(0))}`;
  }

  const described = (side) => `${side.text}: ${side.one.n} round${side.one.n === 1 ? "" : "s"}, median ${quantity(quantile(side.values, 0.5), unit)}`;
  const summary = sides.map(described).join("; ");
  const how = html("span", {});
  const explain = () => {
    const few = sides.filter((side) => side.one.quantiles).map((side) => side.values.length)[0];
    how.textContent =
      (isHistogram
        ? "The height of a bar is the share of rounds that took a time within its width. Two humps mean that something was sometimes in the way. "
        : "The height of a line is the share of rounds that took at most the time below it: further left is faster, steeper is steadier; if the whole line is shifted, every round has changed. ") +
      (isLog ? "The scale of times is logarithmic. " : "The scale of times does not begin at 0. ") +
      (few ? `Many rounds are drawn from ${few} evenly spaced quantiles.` : "");
  };
  const toggle = (text, change) => {
    const pressed = button(text, () => {
      pressed.setAttribute("aria-pressed", String(change()));
      explain();
      chart.redraw();
    });
    return pressed;
  };
  const histogram = toggle("Histogram", () => (isHistogram = !isHistogram));
  const log = toggle("Log scale", () => (isLog = !isLog));
  histogram.setAttribute("aria-pressed", "false");
  log.setAttribute("aria-pressed", String(isLog));
  explain();
  const chart = chartFigure({
    title: "Distribution of the rounds", of: name,
    reading: html("p", { class: "reading" }, summary),
    how, draw, file: `${file}-distribution`,
    controls: canLog ? [histogram, log] : [histogram],
    table: () => {
      const longest = Math.max(...sides.map((side) => side.values.length));
      const rows = Array.from({ length: longest }, (_, index) => [String(index + 1), ...sides.map((side) => (index < side.values.length ? quantity(side.values[index], unit) : ""))]);
      return dataTable(["from the fastest", ...sides.map((side) => side.text)], rows);
    },
  });
  return chart.element;
}
