// One activation explored: sliders for its parameters, a probe with its tangent, zooming, comparison, the view in the link.
// Leans on charts.js and on `activations`, the functions printed from the formulas (the first is the page's own, the rest
// are compared with it). State lives in one object; `draw` shows all of it, `probe` moves the point only.

// Shows the page's first state and goes on from there; without Plotly the page stays as it was written.
function start(page, activations) {
  if (typeof Plotly === "undefined") document.getElementById("stays-still").hidden = false;
  else explore(page, activations);
}

function explore(page, activations) {
  const [main] = activations;
  const plots = { value: document.getElementById("plot-value"), slope: document.getElementById("plot-slope") };
  const dials = new Map([...document.querySelectorAll("[data-dial]")].map((element) => [element.dataset.dial, dial(element)]));
  const overlays = { value: overlay(plots.value), slope: overlay(plots.slope) };
  const margin = page.figures.value.layout.margin;
  const readout = document.getElementById("readout");
  const flat = document.getElementById("flat");
  const toggles = [...document.querySelectorAll("[data-toggle]")];
  const state = {
    parameters: Object.fromEntries(page.parameters.map((p) => [p.name, p.value])),
    range: [...page.range],
    x: page.probe,
  };
  const sticky = { value: null, slope: null }; // the y axes: they grow while a slider moves, and are fitted anew on reset

  // ---- what is drawn -------------------------------------------------------------------------------------------------

  const argumentsOf = (activation) => (activation === main ? Object.values(state.parameters) : activation.values);
  const functionOf = (activation, kind) => {
    const values = argumentsOf(activation);
    return (x) => activation[kind](x, ...values);
  };
  function breakpointsOf(activation) {
    const values = argumentsOf(activation);
    const there = activation.breakpoints.filter((b) => b.holds(...values)).map((b) => b.location(...values));
    return [...new Set(there)].filter(Number.isFinite);
  }

  function draw() {
    const [low, high] = state.range;
    const reach = [2 * low - high, 2 * high - low]; // a view's width beyond each end: dragging uncovers no blank
    const slope = functionOf(main, "slope");
    for (const kind of ["value", "slope"]) {
      const figure = themed(page.figures[kind]);
      const sampled = activations.map((a) => sample(functionOf(a, kind), reach, breakpointsOf(a), page.samples));
      const shownCurves = sampled.filter((_, i) => i === 0 || toggles[i - 1].checked);
      const inView = shownCurves.flatMap(({ points }) => points.filter(([x]) => x >= low && x <= high).map(([, y]) => y));
      const needed = windowOf(inView);
      const old = sticky[kind];
      sticky[kind] = old ? [Math.min(old[0], needed[0]), Math.max(old[1], needed[1])] : needed;
      const traces = figure.data.map((trace, i) => ({
        ...trace,
        ...withGaps(sampled[i].points, sticky[kind]),
        visible: i === 0 || toggles[i - 1].checked,
      }));
      const colour = themed(`var(--${kind})`);
      traces.push(...dotTraces(sampled[0].jumps, colour, themed("var(--paper)")));
      const layout = {
        ...figure.layout,
        xaxis: { ...figure.layout.xaxis, range: [low, high] },
        yaxis: { ...figure.layout.yaxis, range: sticky[kind] },
        dragmode: matchMedia("(pointer: fine)").matches ? "pan" : false,
        shapes: [...breakpointsOf(main).map(mark), ...(flat.checked ? flatBands(slope, reach) : [])],
        annotations: breakpointsOf(main).filter((b) => b > low && b < high).map(markText),
      };
      Plotly.react(plots[kind], traces, layout, { displayModeBar: false, responsive: true, doubleClick: false });
    }
    drawProbe();
    report();
    refreshNumbers();
  }

  function dotTraces(jumps, colour, paper) {
    const limits = { x: [], y: [] }, values = { x: [], y: [] };
    for (const { x, left, at, right, broken } of jumps) {
      if (!broken) continue;
      for (const y of new Set([left, right])) if (y !== null && y !== at) limits.x.push(x), limits.y.push(y);
      if (at !== null) values.x.push(x), values.y.push(at);
    }
    const marker = { size: 8, line: { color: colour, width: 2 } };
    return [
      { ...limits, mode: "markers", marker: { ...marker, color: paper }, name: "limit" },
      { ...values, mode: "markers", marker: { ...marker, color: colour }, name: "value" },
    ];
  }

  const mark = (x) => ({
    type: "line", x0: x, x1: x, y0: 0, y1: 1, yref: "paper", layer: "below",
    line: { color: themed("var(--axis)"), width: 1, dash: "dot" },
  });
  const markText = (x) => ({
    x, y: 0, yref: "paper", yanchor: "bottom", xanchor: "left", xshift: 3, showarrow: false,
    text: `x = ${shown(x)}`, font: { size: 11, color: themed("var(--muted)") },
  });

  function flatBands(slope, [low, high]) {
    const bands = [], count = 900;
    let start = null;
    for (let i = 0; i <= count; i++) {
      const x = low + ((high - low) * i) / count, inside = Math.abs(slope(x)) < 0.1;
      if (inside && start === null) start = x;
      if (start !== null && (!inside || i === count)) {
        bands.push({ type: "rect", x0: start, x1: x, y0: 0, y1: 1, yref: "paper", layer: "below", line: { width: 0 }, fillcolor: themed("var(--band)") });
        start = null;
      }
    }
    return bands;
  }

  // ---- the probe: a point on both curves and the tangent, in an SVG of our own over each chart ------------------------

  // Redrawing Plotly's charts for each move of the pointer would be slower than the pointer.
  function overlay(plot) {
    const make = (name, parent) => parent.appendChild(document.createElementNS("http://www.w3.org/2000/svg", name));
    const whole = make("svg", plot.parentElement);
    whole.classList.add("overlay");
    whole.setAttribute("aria-hidden", "true");
    const inside = make("svg", whole); // an inner svg clips what leaves it
    return { inside, line: make("line", inside), point: make("circle", inside) };
  }

  function drawProbe([low, high] = state.range) {
    const { x } = state, slope = finite(functionOf(main, "slope")(x)), value = finite(functionOf(main, "value")(x));
    for (const kind of ["value", "slope"]) {
      const { inside, line, point } = overlays[kind], [bottom, top] = sticky[kind], { l, r, t, b } = margin;
      const width = plots[kind].clientWidth - l - r, height = plots[kind].clientHeight - t - b;
      if (!(width > 0 && height > 0)) continue; // not laid out: hidden, or the page is about to go
      const kept = (pixel) => Math.min(Math.max(pixel, -1e5), 1e5); // SVG takes no infinities
      const place = (x, y) => [kept(((x - low) / (high - low)) * width), kept(((top - y) / (top - bottom)) * height)];
      const set = (element, values) => Object.entries(values).forEach(([name, v]) => element.setAttribute(name, v));
      set(inside, { x: l, y: t, width, height });
      const y = kind === "value" ? value : slope, half = 0.22 * (high - low);
      const ends = kind === "slope" ? [[x, bottom], [x, top]] : [-half, half].map((step) => [x + step, value + step * slope]);
      const [[x1, y1], [x2, y2], [cx, cy]] = [...ends, [x, y]].map((end) => place(...end));
      const drawable = kind === "slope" || (value !== null && slope !== null);
      point.style.display = y === null ? "none" : "";
      line.style.display = drawable ? "" : "none";
      if (y !== null) set(point, { cx, cy, r: 5 });
      if (drawable) set(line, { x1, y1, x2, y2 });
    }
  }

  function probe(x) {
    state.x = x;
    drawProbe();
    report();
  }

  // ---- numbers on the page -------------------------------------------------------------------------------------------

  function report() {
    const { x, range: [low, high] } = state;
    const value = functionOf(main, "value"), slope = functionOf(main, "slope");
    const parts = [`x = ${shown(x)}`, `f(x) = ${shown(finite(value(x)))}`, `f′(x) = ${shown(finite(slope(x)))}`];
    if (breakpointsOf(main).includes(x)) {
      const jump = jumpAt(slope, x);
      if (jump.broken) parts.push(`(from the left ${shown(jump.left)}, from the right ${shown(jump.right)})`);
    }
    readout.textContent = parts.map((part) => part.replace(/ /g, "\u00a0")).join("   "); // no line ends inside a part
    dials.get("x").show(x, low, high);
    for (const [name, value] of Object.entries(state.parameters)) {
      for (const cell of document.querySelectorAll(`[data-parameter="${name}"]`)) cell.textContent = shown(value);
    }
    remember();
  }

  // The numbers outside the charts: data-live="slope-left" is f' from the left, at data-x or at breakpoint data-breakpoint.
  // At the card's own parameters the page's text stands: it comes from proofs and from the oracle.
  const written = new Map([...document.querySelectorAll("[data-live]")].map((cell) => [cell, cell.innerHTML]));

  function refreshNumbers() {
    const values = Object.values(state.parameters);
    const asWritten = page.parameters.every((p) => state.parameters[p.name] === p.value);
    for (const [cell, html] of written) {
      const { live, breakpoint, x } = cell.dataset;
      if (asWritten) {
        cell.innerHTML = html;
      } else if (live === "class") {
        const rank = (c) => (c.order === "infinity" ? Infinity : c.order);
        const held = main.conditions.filter((c) => c.holds(...values)).sort((a, b) => rank(b) - rank(a));
        cell.replaceChildren(...classNodes(held.length ? held[0].text : page.classText));
      } else {
        const [kind, side] = live.split("-");
        const at = breakpoint === undefined ? Number(x) : main.breakpoints[breakpoint].location(...values);
        const f = functionOf(main, kind);
        cell.textContent = shown(Number.isFinite(at) ? jumpAt(f, at)[side] : f(at));
      }
    }
  }

  // C^1 as C with a raised 1.
  function classNodes(text) {
    if (!text.startsWith("C^")) return [text];
    const [letter, raised] = [document.createElement("i"), document.createElement("sup")];
    letter.textContent = "C";
    raised.textContent = text.slice(2).replace("infinity", "∞");
    return [letter, raised];
  }

  // ---- the view in the link ------------------------------------------------------------------------------------------

  // Keys of our own have a hyphen (or are x), so that no parameter's name can be taken for one.
  function fromLink() {
    const link = new URLSearchParams(location.hash.slice(1));
    const number = (text) => (text === null || text.trim() === "" ? NaN : Number(text));
    const on = (key, otherwise) => (link.has(key) ? link.get(key) === "1" : otherwise);
    for (const parameter of page.parameters) {
      const value = number(link.get(parameter.name));
      state.parameters[parameter.name] = refusal(parameter, value) ? parameter.value : value;
    }
    const [low, high] = (link.get("x-range") ?? "").split(",").map(number);
    state.range = sensible(low, high) ? [low, high] : [...page.range];
    const x = number(link.get("x"));
    state.x = Number.isFinite(x) ? x : page.probe;
    flat.checked = on("flat-shown", false);
    for (const toggle of toggles) toggle.checked = on(`with-${toggle.dataset.toggle}`, true);
    showParameters();
  }

  let waiting;
  function remember() {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      const link = new URLSearchParams();
      for (const parameter of page.parameters) {
        if (state.parameters[parameter.name] !== parameter.value) link.set(parameter.name, state.parameters[parameter.name]);
      }
      if (state.x !== page.probe) link.set("x", Number(state.x.toPrecision(6)));
      if (String(state.range) !== String(page.range)) link.set("x-range", state.range.map((v) => Number(v.toPrecision(6))).join(","));
      if (flat.checked) link.set("flat-shown", "1");
      for (const toggle of toggles) if (!toggle.checked) link.set(`with-${toggle.dataset.toggle}`, "0");
      const hash = link.toString().replace(/%2C/g, ",");
      history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search);
    }, 200);
  }

  const sensible = (low, high) => Number.isFinite(low) && Number.isFinite(high) && high - low > 1e-9 * Math.max(1, Math.abs(low), Math.abs(high)) && high - low < 1e12;

  // ---- controls ------------------------------------------------------------------------------------------------------

  // Why a parameter can't have this value; empty where it can.
  function refusal({ name, domain, low, high, closedLow, closedHigh }, value) {
    if (!Number.isFinite(value)) return `${name} is a number`;
    const above = low === null || (closedLow ? value >= low : value > low);
    const below = high === null || (closedHigh ? value <= high : value < high);
    return above && below && !(domain === "nonzero" && value === 0) ? "" : `${name} = ${shown(value)} is outside its domain, ${domain}`;
  }

  // A slider with a number beside it, and a line that says why a number was refused.
  function dial(element) {
    const [slider, number] = element.querySelectorAll("input");
    const note = element.querySelector("[role=alert]");
    const listen = (input, event, change) =>
      input.addEventListener(event, () => {
        const value = input.value.trim() === "" ? NaN : Number(input.value);
        const why = change(value);
        note.textContent = why;
        number.setAttribute("aria-invalid", String(Boolean(why)));
      });
    return {
      onChange(change) {
        listen(slider, "input", change);
        listen(number, "change", change);
      },
      show(value, low, high) {
        [slider.min, slider.max] = [Math.min(low, value), Math.max(high, value)];
        slider.value = value;
        if (document.activeElement !== number || number.getAttribute("aria-invalid") !== "true") number.value = Number(value.toPrecision(12));
      },
    };
  }

  function setParameter(parameter, value) {
    const why = refusal(parameter, value);
    if (why) return why;
    state.parameters[parameter.name] = value;
    showParameters();
    drawSoon(true);
    return "";
  }

  function setRange(low, high) {
    if (!sensible(low, high)) return;
    state.range = [low, high];
    sticky.value = sticky.slope = null;
    draw();
  }

  function zoom(factor, centre = (state.range[0] + state.range[1]) / 2) {
    setRange(...state.range.map((end) => centre + (end - centre) * factor));
  }

  function showParameters() {
    for (const { name, sliderLow, sliderHigh } of page.parameters) dials.get(name).show(state.parameters[name], sliderLow, sliderHigh);
  }

  function reset() {
    for (const { name, value } of page.parameters) state.parameters[name] = value;
    showParameters();
    state.x = page.probe;
    setRange(...page.range);
  }

  // Once a frame at most, with the newest value.
  function perFrame(act) {
    let newest = null;
    return (value) => {
      if (newest === null) requestAnimationFrame(() => { const v = newest; newest = null; act(v); });
      newest = value;
    };
  }

  const drawSoon = perFrame(draw);
  const probeSoon = perFrame(probe);

  function xUnder(event, plot) {
    const box = plot.getBoundingClientRect(), { l, r } = margin;
    const share = (event.clientX - box.left - l) / (box.width - l - r);
    return share < 0 || share > 1 ? null : state.range[0] + share * (state.range[1] - state.range[0]);
  }

  fromLink();
  for (const parameter of page.parameters) dials.get(parameter.name).onChange((value) => setParameter(parameter, value));
  dials.get("x").onChange((value) => (Number.isFinite(value) ? (probe(value), "") : "x is a number"));
  for (const toggle of toggles) toggle.addEventListener("change", () => { sticky.value = sticky.slope = null; draw(); });
  flat.addEventListener("change", draw);
  document.getElementById("zoom-in").addEventListener("click", () => zoom(0.5));
  document.getElementById("zoom-out").addEventListener("click", () => zoom(2));
  document.getElementById("reset").addEventListener("click", reset);
  for (const button of document.querySelectorAll("[data-picture]")) {
    const [kind, format] = button.dataset.picture.split(".");
    button.addEventListener("click", () => {
      const layout = { ...plots[kind].layout, paper_bgcolor: themed("var(--paper)") }; // on the page it is see-through
      const options = { format, width: 720, height: 480, filename: `${page.name}-${kind}` };
      Plotly.downloadImage({ data: plots[kind].data, layout }, options);
    });
  }

  document.documentElement.classList.add("live");
  draw();
  for (const plot of Object.values(plots)) {
    const rangeOf = (change) => [0, 1].map((end) => Number(change[`xaxis.range[${end}]`] ?? state.range[end]));
    plot.on("plotly_relayout", (change) => {
      if (Object.keys(change).some((key) => key.startsWith("xaxis.range"))) setRange(...rangeOf(change));
    });
    plot.on("plotly_relayouting", (change) => drawProbe(rangeOf(change)));
    plot.on("plotly_doubleclick", () => setRange(...page.range));
    plot.addEventListener("pointermove", (event) => {
      const x = event.buttons && event.pointerType === "mouse" ? null : xUnder(event, plot); // a pressed mouse drags the view
      if (x !== null) probeSoon(x);
    });
    plot.addEventListener("wheel", (event) => {
      const x = xUnder(event, plot);
      if ((!event.ctrlKey && !event.metaKey) || x === null) return;
      event.preventDefault();
      zoom(event.deltaY > 0 ? 1.15 : 1 / 1.15, x);
    }, { passive: false });
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawSoon(true));
  new ResizeObserver(() => drawProbe()).observe(plots.value);
  window.addEventListener("hashchange", () => { fromLink(); setRange(...state.range); });
}
