// A trial under the pointer lights up in every chart and table; dragging along an axis of the
// parallel coordinates keeps the trials that cross it there; a click on a heading sorts.
(() => {
  "use strict";
  const REACH = 14; // pixels of the panel's own coordinates
  const facts = new Map(
    JSON.parse(document.getElementById("trials").textContent).map((t) => [t.number, t]));
  const marks = new Map();
  for (const el of document.querySelectorAll("[data-t]")) {
    const number = Number(el.dataset.t);
    if (!marks.has(number)) marks.set(number, []);
    marks.get(number).push(el);
  }
  const pointsOf = (el) => {
    if (el.tagName === "circle") return [el.cx.baseVal.value, el.cy.baseVal.value];
    if (el.tagName === "polyline") return Array.from(el.points).flatMap((p) => [p.x, p.y]);
    const box = el.getBBox();
    return [box.x + box.width / 2, box.y + box.height / 2];
  };

  // -- the trial under the pointer ------------------------------------------------------------
  const tip = document.createElement("div");
  tip.id = "tip";
  document.body.append(tip);
  let shown = null;
  let clones = [];

  function clear() {
    clones.forEach((clone) => clone.remove());
    document.querySelectorAll("tr.hot").forEach((row) => row.classList.remove("hot"));
    tip.style.display = "none";
    clones = [];
    shown = null;
  }

  function light(number) {
    if (shown === number) return;
    clear();
    shown = number;
    for (const el of marks.get(number) || []) {
      if (el.tagName === "TR") { el.classList.add("hot"); continue; }
      const clone = el.cloneNode();
      clone.removeAttribute("data-t");
      clone.classList.remove("off", "faint");
      clone.classList.add("hot");
      el.parentNode.append(clone);
      clones.push(clone);
    }
  }

  function tell(number, event) {
    const trial = facts.get(number);
    if (!trial) return;
    const title = document.createElement("b");
    title.textContent = `trial ${number}, ${trial.state}`;
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
    const right = event.clientX + 18 + box.width > innerWidth;
    const left = right ? event.clientX - 18 - box.width : event.clientX + 18;
    const top = Math.min(event.clientY + 12, innerHeight - box.height - 6);
    tip.style.left = `${Math.max(4, left)}px`;
    tip.style.top = `${Math.max(4, top)}px`;
  }

  function distance(points, x, y) {
    let nearest = Math.hypot(points[0] - x, points[1] - y);
    for (let i = 2; i < points.length; i += 2) {
      const [ax, ay] = [points[i - 2], points[i - 1]];
      const [dx, dy] = [points[i] - ax, points[i + 1] - ay];
      const along = ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy || 1);
      const at = Math.min(1, Math.max(0, along));
      nearest = Math.min(nearest, Math.hypot(ax + at * dx - x, ay + at * dy - y));
    }
    return nearest;
  }

  for (const svg of document.querySelectorAll("svg.panel")) {
    const plot = svg.querySelector(".plot");
    let known = null;
    let waiting = null;
    const look = () => {
      const event = waiting;
      waiting = null;
      if (!event) return;
      known ||= Array.from(plot.querySelectorAll("[data-t]"), (el) => (
        { el, number: Number(el.dataset.t), points: pointsOf(el) }));
      const matrix = plot.getScreenCTM().inverse();
      const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix);
      let best = null;
      let reach = REACH;
      for (const mark of known) {
        if (mark.el.classList.contains("off") || !mark.points.length) continue;
        const far = distance(mark.points, at.x, at.y);
        if (far < reach) [best, reach] = [mark, far];
      }
      if (best) { light(best.number); tell(best.number, event); } else clear();
    };
    svg.addEventListener("pointermove", (event) => {
      if (!waiting) requestAnimationFrame(look);
      waiting = event;
    });
    svg.addEventListener("pointerleave", () => { waiting = null; clear(); });
  }
  for (const row of document.querySelectorAll("tr[data-t]")) {
    row.addEventListener("pointerenter", () => light(Number(row.dataset.t)));
    row.addEventListener("pointerleave", clear);
  }

  // -- ranges dragged on the poles of parallel coordinates --------------------------------------
  for (const svg of document.querySelectorAll('svg[data-kind="parallel"]')) {
    const plot = svg.querySelector(".plot");
    const ranges = new Map();
    const yOf = (event) =>
      new DOMPoint(event.clientX, event.clientY).matrixTransform(plot.getScreenCTM().inverse()).y;
    const apply = () => {
      for (const line of plot.querySelectorAll("polyline[data-t]")) {
        const points = Array.from(line.points);
        const kept = Array.from(ranges).every(([pole, [low, high]]) => {
          const x = Number(pole.dataset.x);
          const point = points.find((p) => Math.abs(p.x - x) < 1);
          return point && point.y >= low - 1 && point.y <= high + 1;
        });
        for (const el of marks.get(Number(line.dataset.t))) el.classList.toggle("off", !kept);
      }
    };
    for (const pole of svg.querySelectorAll(".pole")) {
      let start = null;
      const box = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      box.setAttribute("class", "brush");
      const draw = (event) => {
        const end = Math.min(Math.max(yOf(event), 0), Number(pole.dataset.height));
        const range = [Math.min(start, end), Math.max(start, end)];
        box.setAttribute("x", Number(pole.dataset.x) - 8);
        box.setAttribute("y", range[0]);
        box.setAttribute("width", 16);
        box.setAttribute("height", range[1] - range[0]);
        return range;
      };
      pole.addEventListener("pointerdown", (event) => {
        pole.setPointerCapture(event.pointerId);
        start = Math.min(Math.max(yOf(event), 0), Number(pole.dataset.height));
        pole.append(box);
        draw(event);
      });
      pole.addEventListener("pointermove", (event) => { if (start !== null) draw(event); });
      pole.addEventListener("pointerup", (event) => {
        if (start === null) return;
        const range = draw(event);
        start = null;
        if (range[1] - range[0] < 3) { ranges.delete(pole); box.remove(); } else ranges.set(pole, range);
        apply();
      });
    }
  }

  // -- tables sorted by a click on a heading ------------------------------------------------------
  const key = (cell) => {
    const text = cell.dataset.v ?? cell.textContent;
    return text === "" || Number.isNaN(Number(text)) ? text : Number(text);
  };
  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = Array.from(table.tHead.rows[0].cells);
    heads.forEach((head, index) => head.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const rows = Array.from(table.tBodies[0].rows);
      rows.sort((one, other) => {
        const [a, b] = [key(one.cells[index]), key(other.cells[index])];
        const numbers = typeof a === "number" && typeof b === "number";
        const order = numbers ? a - b : String(a).localeCompare(String(b));
        return down ? -order : order;
      });
      table.tBodies[0].append(...rows);
    }));
  }
})();
