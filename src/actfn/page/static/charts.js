// Charts with Plotly: theming by CSS variables, sampling of functions, gaps at jumps and poles.
// The Python side (page/chart.py) draws the same things as SVG; the rules of gaps and of the y axis are the same.

const finite = (y) => (Number.isFinite(y) ? y : null);

// A copy of `value` in which every "var(--name)" is the colour that the page gives that variable now.
function themed(value, style = getComputedStyle(document.body)) {
  if (typeof value === "string") {
    return value === "inherit" ? style.fontFamily : value.replace(/var\((--[\w-]+)\)/g, (_, name) => style.getPropertyValue(name).trim());
  }
  if (Array.isArray(value)) return typeof value[0] === "number" ? value : value.map((v) => themed(v, style));
  if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, themed(v, style)]));
  return value;
}

// The next float64 above or below x.
function neighbour(x, up) {
  if (x === 0) return up ? Number.MIN_VALUE : -Number.MIN_VALUE;
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, x);
  view.setBigInt64(0, view.getBigInt64(0) + (x > 0 === up ? 1n : -1n));
  return view.getFloat64(0);
}

// The value at x with the values right beside it, as at a jump.
function jumpAt(f, x) {
  const [left, at, right] = [f(neighbour(x, false)), f(x), f(neighbour(x, true))].map(finite);
  const known = [left, at, right].filter((y) => y !== null);
  const spread = Math.max(...known) - Math.min(...known);
  const broken = known.length < 3 || spread > 1e-9 * Math.max(1, ...known.map(Math.abs));
  return { x, left, at, right, broken };
}

// Points of f on [low, high], with the values on both sides of each breakpoint; no gaps yet.
function sample(f, [low, high], breakpoints, count) {
  const jumps = breakpoints.filter((b) => b > low && b < high).map((b) => jumpAt(f, b));
  const points = [];
  for (let i = 0; i <= count; i++) {
    const x = low + ((high - low) * i) / count;
    if (!jumps.some((jump) => jump.x === x)) points.push([x, finite(f(x))]);
  }
  for (const { x, left, at, right, broken } of jumps) points.push(...(broken ? [[x, left], [x, null], [x, right]] : [[x, at]]));
  points.sort((a, b) => a[0] - b[0]); // stable: the three points of a jump keep their order
  return { points, jumps };
}

// The y axis for these values: all of them with some air, or the bulk of them where a few are far out (poles).
function windowOf(values) {
  const known = values.filter((y) => y !== null && Math.abs(y) < 1e300).sort((a, b) => a - b);
  if (!known.length) return [-1, 1];
  let [low, high] = [known[0], known[known.length - 1]];
  const cut = Math.floor(known.length / 20);
  const [bulkLow, bulkHigh] = [known[cut], known[known.length - 1 - cut]];
  if (bulkHigh > bulkLow && high - low > 12 * (bulkHigh - bulkLow)) {
    low = Math.max(low, 2 * bulkLow - bulkHigh);
    high = Math.min(high, 2 * bulkHigh - bulkLow);
  }
  const air = 0.06 * (high - low) || 0.5 * Math.max(Math.abs(high), 1);
  return [low - air, high + air];
}

// Plotly's x and y, with a gap where the curve leaves the view on one side and comes back from the other.
function withGaps(points, [low, high]) {
  const x = [], y = [];
  for (const [at, value] of points) {
    const before = y.length ? y[y.length - 1] : null;
    if (before !== null && value !== null && ((before > high && value < low) || (before < low && value > high))) {
      x.push((x[x.length - 1] + at) / 2);
      y.push(null);
    }
    x.push(at);
    y.push(value);
  }
  return { x, y };
}

// A number for reading: six significant digits, a true minus sign, a dash where there is none.
function shown(value) {
  if (value === null || Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  return String(Number(value.toPrecision(6))).replace(/-/g, "−");
}
