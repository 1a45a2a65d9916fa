// A trial under the pointer, or under the keys, lights up in every chart and table; dragging along
// an axis of the parallel coordinates keeps the trials that cross it there; headings sort.
(() => {
  "use strict";
  const REACH = 14; // pixels
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const element = (tag, text = "") => {
    const made = document.createElement(tag);
    made.textContent = text;
    return made;
  };
  const facts = new Map(read("trials").map((trial) => [trial.number, trial]));
  const specs = read("charts");
  const rows = Array.from(document.querySelectorAll("tr[data-t]"));
  const charts = Array.from(document.querySelectorAll("[data-chart]"), (host) => (
    { host, name: host.dataset.chart, seen: false, begun: false, view: null, marks: null }));
  const parallel = charts.find(({ name }) => name === "parallel");
  const ranges = new Map(); // axis of the parallel coordinates → [low, high], shares of its length
  let lit = null; // the trial that stands out
  let pinned = false; // it stays when the pointer leaves
  let off = {}; // the trials that a range left out, as keys

  // -- drawing: what is in sight first, the rest when the browser is idle -----------------------
  async function draw(chart) {
    if (chart.begun) return;
    chart.begun = true;
    const place = element("div");
    chart.host.replaceChildren(place);
    const options = { actions: false, hover: false, renderer: "canvas" };
    chart.view = chart.host.view = (await vegaEmbed(place, specs[chart.name], options)).view;
    show(chart);
  }

  function show({ view }) {
    if (!view || (view.signal("lit") === lit && view.signal("off") === off)) return;
    view.signal("lit", lit).signal("off", off).run();
  }

  const showAll = () => charts.filter((chart) => chart.seen).forEach(show);
  const sight = new IntersectionObserver((entries) => entries.forEach((entry) => {
    const chart = charts.find(({ host }) => host === entry.target);
    chart.seen = entry.isIntersecting;
    if (chart.seen) { draw(chart); show(chart); }
  }));
  async function drawRest() {
    const idle = window.requestIdleCallback || setTimeout;
    for (const chart of charts) {
      await new Promise((resolve) => idle(resolve));
      await draw(chart);
    }
    document.body.dataset.drawn = "all";
  }

  // -- where a trial's marks lie, in pixels of the chart ----------------------------------------
  function marksOf(chart) {
    if (chart.marks) return chart.marks;
    chart.marks = [];
    const walk = (mark, dx, dy) => {
      const at = (item) => [item.x + dx, item.y + dy];
      const add = (item, points) => {
        const trial = item?.datum?.trial;
        if (trial !== undefined) chart.marks.push({ trial, points });
      };
      if (mark.marktype === "line") add(mark.items[0], mark.items.map(at));
      if (mark.marktype === "symbol") mark.items.forEach((item) => add(item, [at(item)]));
      if (mark.marktype !== "group") return;
      for (const group of mark.items) {
        for (const inner of group.items) walk(inner, dx + (group.x || 0), dy + (group.y || 0));
      }
    };
    walk(chart.view.scenegraph().root, ...originOf(chart));
    return chart.marks;
  }

  function originOf({ view }) {
    const [{ left, top }, [x, y]] = [view.padding(), view.origin()];
    return [left + x, top + y];
  }

  function placeOf({ host }, event) {
    const box = host.querySelector("canvas").getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
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
      const far = off[mark.trial] ? Infinity : distance(mark.points, x, y);
      if (far < reach) [best, reach] = [mark.trial, far];
    }
    return best;
  }

  // -- the lit trial, and what is shown and read aloud of it ------------------------------------
  const [tip, said] = [element("div"), element("div")];
  [tip.id, said.id] = ["tip", "said"];
  said.setAttribute("role", "status");
  document.body.append(tip, said);

  function light(number) {
    if (number === null) tip.style.display = "none";
    if (number === lit) return;
    lit = number;
    for (const row of rows) row.classList.toggle("hot", Number(row.dataset.t) === lit);
    showAll();
  }

  function leave() { if (!pinned) light(null); }

  function say() {
    const { state, rows: pairs } = facts.get(lit);
    const text = pairs.map(([name, value]) => `${name} ${value}`).join(", ");
    said.textContent = `trial ${lit}, ${state}${pinned ? ", pinned" : ""}: ${text}`;
  }

  function pin() {
    pinned = lit !== null && !pinned;
    if (lit !== null) say();
  }

  function tell(x, y) {
    const trial = facts.get(lit);
    if (!trial) return;
    const list = element("dl");
    for (const [name, value] of trial.rows) list.append(element("dt", name), element("dd", value));
    tip.replaceChildren(element("b", `trial ${lit}, ${trial.state}`), list);
    tip.style.display = "block";
    const box = tip.getBoundingClientRect();
    const left = x + 18 + box.width > innerWidth ? x - 18 - box.width : x + 18;
    tip.style.left = `${Math.max(4, left)}px`;
    tip.style.top = `${Math.max(4, Math.min(y + 12, innerHeight - box.height - 6))}px`;
  }

  // -- pointer and keys over a chart ------------------------------------------------------------
  function step(chart, key) {
    const numbers = new Set(marksOf(chart).map(({ trial }) => trial).filter((n) => !off[n]));
    const known = Array.from(numbers).sort((a, b) => a - b);
    if (!known.length) return;
    const [first, last] = [known[0], known.at(-1)];
    const before = known.findLast((n) => n < lit) ?? last;
    const after = lit === null ? first : known.find((n) => n > lit) ?? first;
    const ends = { Home: first, End: last, ArrowLeft: before, ArrowUp: before };
    light(ends[key] ?? after);
    const [x, y] = marksOf(chart).find(({ trial }) => trial === lit).points.at(-1);
    const box = chart.host.querySelector("canvas").getBoundingClientRect();
    tell(box.left + x, box.top + y);
    say();
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
      if (!chart.view || !/^(Arrow|Home|End|Enter)/.test(event.key)) return;
      if (event.key === "Enter") pin(); else step(chart, event.key);
      event.preventDefault();
    });
    sight.observe(chart.host);
  }

  // -- tables: keys walk their rows, headings sort ----------------------------------------------
  function onlyTabStop(row) {
    for (const other of row?.parentNode.rows ?? []) other.tabIndex = other === row ? 0 : -1;
    return row;
  }

  for (const row of rows) {
    const number = Number(row.dataset.t);
    row.addEventListener("pointerenter", () => { if (!pinned) light(number); });
    row.addEventListener("pointerleave", leave);
    row.addEventListener("focus", () => { pinned = false; light(number); say(); });
    row.addEventListener("blur", leave);
    row.addEventListener("keydown", (event) => {
      const next = { ArrowDown: row.nextElementSibling, ArrowUp: row.previousElementSibling };
      if (event.key === "Enter") pin();
      else if (next[event.key]) onlyTabStop(next[event.key]).focus();
      else return;
      event.preventDefault();
    });
  }

  const key = (cell) => {
    const text = cell.dataset.v ?? cell.textContent;
    return text === "" || Number.isNaN(Number(text)) ? text : Number(text);
  };
  for (const { tHead, tBodies: [body] } of document.querySelectorAll("table.sortable")) {
    onlyTabStop(body.rows[0]);
    const heads = Array.from(tHead.rows[0].cells);
    heads.forEach((head, index) => head.firstChild.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      body.append(...Array.from(body.rows).sort((one, other) => {
        const [a, b] = [key(one.cells[index]), key(other.cells[index])];
        const numbers = typeof a === "number" && typeof b === "number";
        const order = numbers ? a - b : String(a).localeCompare(String(b));
        return down ? -order : order;
      }));
      onlyTabStop(body.rows[0]);
    }));
  }

  // -- ranges dragged along axes of the parallel coordinates ------------------------------------
  function apply() {
    const { lines, poles } = specs.parallel.datasets;
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
    said.textContent = names ? `${kept} by ranges of ${names}` : "all trials shown";
  }

  function drawRanges() {
    const drawn = Array.from(ranges, ([axis, [low, high]]) => ({ axis, low, high }));
    parallel.view.data("brushes", drawn).run();
  }

  if (parallel) {
    const { host } = parallel;
    let [pole, start] = [null, 0];
    const share = (event) => { // of the axis' length, from below, where the pointer is
      const y = placeOf(parallel, event)[1] - originOf(parallel)[1];
      return Math.min(1, Math.max(0, 1 - y / parallel.view.height()));
    };
    const drag = (event) => {
      if (pole === null) return;
      const here = share(event);
      ranges.set(pole, [Math.min(start, here), Math.max(start, here)]);
      drawRanges();
    };
    host.addEventListener("pointerdown", (event) => {
      if (!parallel.view) return;
      const x = placeOf(parallel, event)[0] - originOf(parallel)[0];
      const far = ({ axis }) => Math.abs(parallel.view.scale("x")(axis) - x);
      const near = specs.parallel.datasets.poles.find((one) => far(one) < REACH);
      if (!near) return;
      [pole, start] = [near.axis, share(event)];
      host.setPointerCapture(event.pointerId);
    });
    host.addEventListener("pointermove", drag);
    const end = (event) => {
      if (pole === null) return;
      drag(event);
      const [low, high] = ranges.get(pole);
      if (high - low < 0.01) ranges.delete(pole); // a click lets go
      pole = null;
      drawRanges();
      apply();
    };
    for (const kind of ["pointerup", "pointercancel"]) host.addEventListener(kind, end);
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
