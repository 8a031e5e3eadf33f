// What all charts have in common: elements, scales, axes, and a figure with its data as a table and as files.
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
  const step = marks.length > 1 && marks[1] !== marks[0] ? Math.abs(marks[1] - marks[0]) / unit.size : 1;
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
  const paint = button("Download PNG", () => savePicture(`${file}.png`, asFile(box.firstElementChild), box.firstElementChild.viewBox.baseVal));
  const element = html("figure", {}, html("figcaption", {}, title), box);
  if (reading) element.append(reading);
  element.append(html("div", { class: "controls" }, ...controls, save, paint), html("p", { class: "how" }, how), data);
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
  for (const side of ["width", "height"]) copy.setAttribute(side, drawing.viewBox.baseVal[side]);
  const ground = getComputedStyle(document.body).backgroundColor;
  copy.prepend(svg("rect", { width: "100%", height: "100%", fill: ground }));
  return new XMLSerializer().serializeToString(copy);
}
// A picture twice as large as the drawing on the screen, so that it is sharp in print.
async function savePicture(name, text, { width, height }) {
  const address = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
  const drawing = new Image(width * 2, height * 2);
  drawing.src = address;
  await drawing.decode();
  const canvas = html("canvas", { width: width * 2, height: height * 2 });
  canvas.getContext("2d").drawImage(drawing, 0, 0, canvas.width, canvas.height);
  URL.revokeObjectURL(address);
  canvas.toBlob((bytes) => download(name, "image/png", bytes), "image/png");
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

// A button says for a moment what became of a press.
function flash(element, text) {
  const before = element.textContent;
  element.textContent = text;
  setTimeout(() => { element.textContent = before; }, 1500);
}
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Browsers without the clipboard for files: the older way.
    const area = html("textarea", { class: "unseen" });
    area.value = text;
    document.body.append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    return copied;
  }
}

// What `pack` wrote: compressed JSON in Base64. A page of thousands of runs unpacks what is looked at.
async function unpack(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(plain).text());
}
// Returns a function that gives the item at a place of a packed list, and keeps what it has unpacked.
function packedList(packs, size) {
  const opened = new Map();
  return async (place) => {
    const number = Math.floor(place / size);
    if (!opened.has(number)) opened.set(number, unpack(packs[number]));
    return (await opened.get(number))[place % size];
  };
}
