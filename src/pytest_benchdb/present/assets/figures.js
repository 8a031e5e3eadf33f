// Figures, written as the terminal writes them: `present/writing/units.py` has the same rules.
const ladder = (unit, prefixes, size, step, digits) =>
  prefixes.map((prefix, place) => ({ symbol: prefix + unit, size: size * step ** place, digits }));
const PREFIXES = ["n", "\u00b5", "m", "", "k", "M", "G", "T"];
const LADDERS = {
  s: ladder("s", ["n", "\u00b5", "m", ""], 1e-9, 1000, 4),
  B: ladder("B", ["", "Ki", "Mi", "Gi", "Ti"], 1, 1024, 3),
  "1/s": ladder("/s", ["", "k", "M", "G"], 1, 1000, 4),
  J: ladder("J", ["n", "\u00b5", "m", "", "k"], 1e-9, 1000, 4),
  kg: ladder("g", PREFIXES, 1e-12, 1000, 4),
};
for (const unit of ["W", "Hz", "B/s", "FLOP/s"]) LADDERS[unit] = ladder(unit, PREFIXES, 1e-9, 1000, 4);

const isFigure = (value) => typeof value === "number" && Number.isFinite(value);

// Python rounds a half to the even neighbour, JavaScript away from zero.
function evenHalf(exact, rounded, decimals) {
  const point = exact.indexOf(".") + 1 + decimals;
  if (!/^50*$/.test(exact.slice(point))) return rounded;
  const cut = exact.slice(0, point).replace(/\.$/, "");
  return "02468".includes(cut.at(-1)) ? cut : rounded;
}
function fixed(value, decimals) {
  const sign = value < 0 ? "-" : "";
  const size = Math.abs(value);
  return sign + evenHalf(size.toFixed(Math.min(100, decimals + 60)), size.toFixed(decimals), decimals);
}
function exponential(value, decimals) {
  const sign = value < 0 ? "-" : "";
  const [exact] = Math.abs(value).toExponential(Math.min(100, decimals + 60)).split("e");
  const [rounded, power] = Math.abs(value).toExponential(decimals).split("e");
  return `${sign}${evenHalf(exact, rounded, decimals)}e${power.replace("+", "")}`;
}

function unitFor(unit, values) {
  const finite = values.filter(isFigure);
  if (!(unit in LADDERS)) {
    return { symbol: unit === "1" ? "" : unit, size: 1, digits: finite.every(Number.isInteger) ? 0 : 4 };
  }
  const sizes = finite.map(Math.abs).filter((size) => size > 0).sort((a, b) => a - b);
  const steps = LADDERS[unit];
  if (!sizes.length) return steps.find((step) => step.size === 1) || steps[0];
  const typical = sizes[Math.floor(sizes.length / 2)];
  const found = steps.findLast((step) => step.size <= typical * (1 + 1e-12)) || steps[0];
  return found.symbol === "B" ? { ...found, digits: 0 } : found;
}

function figure(value, unit) {
  if (!isFigure(value)) return "-";
  const scaled = value / unit.size;
  if (scaled === 0) return "0";
  if (unit.digits === 0) return fixed(scaled, 0);
  if (Math.abs(scaled) >= 1e9) return exponential(scaled, unit.digits - 1);
  let digits = Math.max(unit.digits - 1, 1);
  if (Math.abs(Number(exponential(scaled, digits - 1))) >= 1) digits = unit.digits;
  const power = Number(exponential(scaled, digits - 1).split("e")[1]);
  const decimals = Math.max(0, digits - 1 - power);
  return decimals > 6 ? exponential(scaled, digits - 1) : fixed(scaled, decimals);
}
function quantity(value, unit) {
  if (isFigure(value) && unit.symbol === "K") return `${fixed(value - 273.15, 1)} \u00b0C`;
  const text = figure(value, unit);
  return text === "-" || !unit.symbol ? text : `${text} ${unit.symbol}`;
}
function percent(share) {
  if (!isFigure(share)) return "-";
  const text = fixed(share * 100, Math.abs(share) < 1 ? 1 : 0);
  return /^-?0\.0$/.test(text) ? "0.0 %" : `${share > 0 ? "+" : ""}${text} %`;
}
function quantile(sorted, share) {
  const position = share * (sorted.length - 1);
  const below = Math.floor(position);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
}
