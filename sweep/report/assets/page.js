// A trial under the pointer, or under the keys, lights up in every chart and table; dragging along
// an axis of the parallel coordinates keeps the trials that cross it there; headings sort.
(() => {
  "use strict";
  const REACH = 14; // pixels of a chart
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const facts = new Map(read("trials").map((trial) => [trial.number, trial]));
  const specs = read("charts");
  const rows = Array.from(document.querySelectorAll("tr[data-t]"));
  const charts = Array.from(document.querySelectorAll("[data-chart]"), (host) => (
    { host, spec: specs[host.dataset.chart], seen: false, begun: false, view: null, marks: null }));
  let lit = null; // the trial that stands out
  let pinned = false; // it stays when the pointer leaves
  let off = {}; // the trials that a brush left out, as keys

  // -- drawing: what is in sight first, the rest when the browser is idle -----------------------
  async function draw(chart) {
    if (chart.begun) return;
    chart.begun = true;
    const place = document.createElement("div");
    chart.host.replaceChildren(place);
    const options = { actions: false, hover: false, renderer: "canvas" };
    const { view } = await vegaEmbed(place, chart.spec, options);
    chart.host.view = chart.view = view;
    show(chart);
  }

  function show(chart) {
    const view = chart.view;
    if (!view || (view.signal("lit") === lit && view.signal("off") === off)) return;
    view.signal("lit", lit).signal("off", off).run();
  }

  const showAll = () => charts.forEach((chart) => { if (chart.seen) show(chart); });
  const sight = new IntersectionObserver((entries) => entries.forEach((entry) => {
    const chart = charts.find(({ host }) => host === entry.target);
    chart.seen = entry.isIntersecting;
    if (chart.seen) { draw(chart); show(chart); }
  }));
  const whenIdle = window.requestIdleCallback || ((act) => setTimeout(act, 50));
  const drawRest = () => whenIdle(async () => {
    const next = charts.find((chart) => !chart.begun);
    if (!next) { document.body.dataset.drawn = "all"; return; }
    await draw(next);
    drawRest();
  });

  // -- where a trial's marks lie, in pixels of the chart ----------------------------------------
  function marksOf(chart) {
    if (chart.marks) return chart.marks;
    chart.marks = [];
    const add = (item, points) => {
      const trial = item && item.datum && item.datum.trial;
      if (trial !== undefined && trial !== null) chart.marks.push({ trial, points });
    };
    const walk = (mark, dx, dy) => {
      const at = (item) => [item.x + dx, item.y + dy];
      if (mark.marktype === "line") add(mark.items[0], mark.items.map(at));
      if (mark.marktype === "symbol") mark.items.forEach((item) => add(item, [at(item)]));
      if (mark.marktype !== "group") return;
      for (const group of mark.items) {
        for (const inner of group.items) walk(inner, dx + (group.x || 0), dy + (group.y || 0));
      }
    };
    walk(chart.view.scenegraph().root, ...origin(chart.view));
    return chart.marks;
  }

  function origin(view) {
    const [padding, [x, y]] = [view.padding(), view.origin()];
    return [padding.left + x, padding.top + y];
  }

  // The page may show the canvas smaller than it is.
  function scaleOf(canvas) {
    const box = canvas.getBoundingClientRect();
    return { box, ratio: canvas.width / devicePixelRatio / box.width };
  }

  function placeOf(chart, event) {
    const { box, ratio } = scaleOf(chart.host.querySelector("canvas"));
    return [(event.clientX - box.left) * ratio, (event.clientY - box.top) * ratio];
  }

  function distance(points, x, y) {
    let nearest = Math.hypot(points[0][0] - x, points[0][1] - y);
    for (let i = 1; i < points.length; i += 1) {
      const [[ax, ay], [bx, by]] = [points[i - 1], points[i]];
      const [dx, dy] = [bx - ax, by - ay];
      const along = ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy || 1);
      const part = Math.min(1, Math.max(0, along));
      nearest = Math.min(nearest, Math.hypot(ax + part * dx - x, ay + part * dy - y));
    }
    return nearest;
  }

  function nearest(chart, x, y) {
    let [best, reach] = [null, REACH];
    for (const mark of marksOf(chart)) {
      if (off[mark.trial]) continue;
      const far = distance(mark.points, x, y);
      if (far < reach) [best, reach] = [mark.trial, far];
    }
    return best;
  }

  // -- the lit trial, and what is said of it ----------------------------------------------------
  const tip = document.createElement("div");
  tip.id = "tip";
  const said = document.createElement("div");
  said.id = "said";
  said.setAttribute("role", "status"); // read aloud when it changes
  document.body.append(tip, said);
  const say = (text) => { said.textContent = text; };

  function light(number) {
    if (number === null) tip.style.display = "none";
    if (number === lit) return;
    lit = number;
    for (const row of rows) row.classList.toggle("hot", Number(row.dataset.t) === lit);
    showAll();
  }

  function leave() { if (!pinned) light(null); }

  function sayTrial() {
    const trial = facts.get(lit);
    const pairs = trial.rows.map(([name, value]) => `${name} ${value}`);
    say(`trial ${lit}, ${trial.state}${pinned ? ", pinned" : ""}: ${pairs.join(", ")}`);
  }

  function pin() {
    pinned = lit !== null && !pinned;
    if (pinned) sayTrial(); else say("not pinned");
  }

  function tell(clientX, clientY) {
    const trial = facts.get(lit);
    if (!trial) return;
    const title = document.createElement("b");
    title.textContent = `trial ${lit}, ${trial.state}`;
    const list = document.createElement("dl");
    for (const [name, value] of trial.rows) {
      const term = document.createElement("dt");
      const text = document.createElement("dd");
      term.textContent = name;
      text.textContent = value;
      list.append(term, text);
    }
    tip.replaceChildren(title, list);
    tip.style.display = "block";
    const box = tip.getBoundingClientRect();
    const right = clientX + 18 + box.width > innerWidth;
    const left = right ? clientX - 18 - box.width : clientX + 18;
    const top = Math.min(clientY + 12, innerHeight - box.height - 6);
    tip.style.left = `${Math.max(4, left)}px`;
    tip.style.top = `${Math.max(4, top)}px`;
  }

  // -- pointer and keys over a chart ------------------------------------------------------------
  function step(chart, key) {
    const numbers = new Set(marksOf(chart).map((mark) => mark.trial).filter((n) => !off[n]));
    const known = Array.from(numbers).sort((a, b) => a - b);
    if (!known.length) return;
    const back = key === "ArrowLeft" || key === "ArrowUp";
    const next = back ? known.findLast((n) => n < lit) : known.find((n) => n > lit);
    const [first, last] = [known[0], known[known.length - 1]];
    const ends = { Home: first, End: last };
    light(ends[key] ?? (lit === null ? first : next ?? (back ? last : first)));
    const canvas = chart.host.querySelector("canvas");
    const { box, ratio } = scaleOf(canvas);
    const [x, y] = marksOf(chart).find((mark) => mark.trial === lit).points.at(-1);
    tell(box.left + x / ratio, box.top + y / ratio);
    sayTrial();
  }

  for (const chart of charts) {
    let waiting = null;
    const look = () => {
      const event = waiting;
      waiting = null;
      if (!event || pinned || !chart.view) return;
      light(nearest(chart, ...placeOf(chart, event)));
      tell(event.clientX, event.clientY);
    };
    chart.host.addEventListener("pointermove", (event) => {
      if (!waiting) requestAnimationFrame(look);
      waiting = event;
    });
    chart.host.addEventListener("pointerleave", () => { waiting = null; leave(); });
    chart.host.addEventListener("blur", leave);
    chart.host.addEventListener("keydown", (event) => {
      if (!chart.view) return;
      if (/^(Arrow|Home|End)/.test(event.key)) step(chart, event.key);
      else if (event.key === "Enter") pin();
      else return;
      event.preventDefault();
    });
    sight.observe(chart.host);
  }

  // -- tables: keys walk their rows, headings sort ----------------------------------------------
  for (const row of rows) {
    const number = Number(row.dataset.t);
    row.addEventListener("pointerenter", () => { if (!pinned) light(number); });
    row.addEventListener("pointerleave", leave);
    row.addEventListener("focus", () => { pinned = false; light(number); sayTrial(); });
    row.addEventListener("blur", leave);
    row.addEventListener("keydown", (event) => {
      const next = { ArrowDown: row.nextElementSibling, ArrowUp: row.previousElementSibling };
      if (event.key === "Enter") pin();
      else if (next[event.key]) reach(next[event.key]).focus();
      else return;
      event.preventDefault();
    });
  }

  function reach(row) { // one row of a table at a time is reached by Tab
    for (const other of row.parentNode.rows) other.tabIndex = other === row ? 0 : -1;
    return row;
  }

  const key = (cell) => {
    const text = cell.dataset.v ?? cell.textContent;
    return text === "" || Number.isNaN(Number(text)) ? text : Number(text);
  };
  for (const table of document.querySelectorAll("table.sortable")) {
    const body = table.tBodies[0];
    if (body.rows.length) reach(body.rows[0]);
    const heads = Array.from(table.tHead.rows[0].cells);
    heads.forEach((head, index) => head.firstChild.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const sorted = Array.from(body.rows).sort((one, other) => {
        const [a, b] = [key(one.cells[index]), key(other.cells[index])];
        const numbers = typeof a === "number" && typeof b === "number";
        const order = numbers ? a - b : String(a).localeCompare(String(b));
        return down ? -order : order;
      });
      body.append(...sorted);
      if (sorted.length) reach(sorted[0]);
    }));
  }

  // -- ranges dragged on the axes of parallel coordinates ---------------------------------------
  const ranges = new Map(); // axis → [low, high], shares of its length
  const parallel = charts.find(({ host }) => host.dataset.chart === "parallel");

  function apply() {
    const { lines, poles } = parallel.spec.datasets;
    const crosses = ({ axis, at }) => Array.from(ranges).every(([pole, [low, high]]) => {
      const value = at[axis.indexOf(pole)];
      return value >= low && value <= high;
    });
    const out = lines.filter((line) => !crosses(line));
    off = Object.fromEntries(out.map((line) => [line.trial, true]));
    if (off[lit]) { pinned = false; light(null); }
    for (const row of rows) row.classList.toggle("off", Boolean(off[row.dataset.t]));
    showAll();
    const names = Array.from(ranges.keys(), (pole) => poles[pole].name).join(", ");
    const kept = `${lines.length - out.length} of ${lines.length} trials kept`;
    say(names ? `${kept} by ranges of ${names}` : "all trials shown");
  }

  function drawRanges() {
    const brushes = Array.from(ranges, ([axis, [low, high]]) => ({ axis, low, high }));
    parallel.view.data("brushes", brushes).run();
  }

  if (parallel) {
    let [pole, start] = [null, 0];
    const share = (event) => { // of the axis' length, from below
      const [, top] = origin(parallel.view);
      const height = parallel.view.signal("height");
      return Math.min(1, Math.max(0, 1 - (placeOf(parallel, event)[1] - top) / height));
    };
    const drag = (event) => {
      const end = share(event);
      ranges.set(pole, [Math.min(start, end), Math.max(start, end)]);
      drawRanges();
    };
    parallel.host.addEventListener("pointerdown", (event) => {
      if (!parallel.view) return;
      const [x, y] = placeOf(parallel, event);
      const [left, top] = origin(parallel.view);
      const scale = parallel.view.scale("x");
      const near = parallel.spec.datasets.poles.find(
        ({ axis }) => Math.abs(left + scale(axis) - x) < REACH);
      if (!near || y < top - REACH || y > top + parallel.view.signal("height") + REACH) return;
      [pole, start] = [near.axis, share(event)];
      parallel.host.setPointerCapture(event.pointerId);
      drag(event);
    });
    parallel.host.addEventListener("pointermove", (event) => { if (pole !== null) drag(event); });
    parallel.host.addEventListener("pointerup", (event) => {
      if (pole === null) return;
      drag(event);
      const [low, high] = ranges.get(pole);
      if (high - low < 0.01) ranges.delete(pole); // a click lets go
      pole = null;
      drawRanges();
      apply();
    });
  }

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    pinned = false;
    light(null);
    if (!ranges.size) return;
    ranges.clear();
    drawRanges();
    apply();
  });
  drawRest();
})();
