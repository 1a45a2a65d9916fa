"""Takes pictures of a sweep's pages in a headless Chromium; README.md beside it says how."""

from __future__ import annotations

import argparse
import io
import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from sweep.log.places import open_log
from sweep.report.document import render_report
from sweep.results.results import Results, open_results
from sweep.tracking.view import share_key

START_SECONDS = 180
COLORS = 256
SETTLE_MS = 6_000  # MLflow's pages load their parts one after the other
WIDE = {"width": 1500, "height": 1000}
# The middle of the best trial's way to the last axis of the parallel coordinates, on the page.
BEST_LINE = """() => {
  const host = document.querySelector("[data-chart=parallel]");
  const lines = JSON.parse(document.getElementById("charts").textContent).parallel.datasets.lines;
  const { axis, at } = lines.at(-1);
  const middle = (values, scale) => (scale(values.at(-1)) + scale(values.at(-2))) / 2;
  const box = host.querySelector("canvas").getBoundingClientRect();
  const [[x, y], { left, top }] = [host.view.origin(), host.view.padding()];
  return [box.left + left + x + middle(axis, host.view.scale("x")),
          box.top + top + y + middle(at, host.view.scale("y"))];
}"""


def main() -> None:
    options = _options()
    results = open_results(options.name, options.dir)
    options.output.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=options.chromium)
        page = browser.new_page(viewport=WIDE)
        page.set_default_timeout(60_000)
        pictures = {**report_pictures(page, results)}
        with ui(options.dir) as address:
            pictures |= mlflow_pictures(page, address, results)
        browser.close()
    for name, picture in pictures.items():
        path = options.output / f"{name}.png"
        path.write_bytes(smaller(picture))
        sys.stdout.write(f"{path} {path.stat().st_size / 1000:.0f} KB\n")


def report_pictures(page: Page, results: Results) -> dict[str, bytes]:
    """The report's head, and its parallel coordinates with one trial under the pointer."""
    path = results.folder.resolve() / "report.html"
    path.write_text(render_report(results), encoding="utf-8")
    page.goto(path.as_uri())
    page.wait_for_selector("body[data-drawn=all]")
    head = page.screenshot()
    page.evaluate("document.getElementById('parallel').scrollIntoView()")
    page.mouse.move(*page.evaluate(BEST_LINE))
    page.wait_for_selector("#tip", state="visible")
    return {"report": head, "report-parallel": page.screenshot()}


def mlflow_pictures(page: Page, address: str, results: Results) -> dict[str, bytes]:
    """The run list, its charts, the parent with its children, and two runs side by side."""
    log = open_log(results.folder)
    uid = log.uid()
    log.close()
    name = results.config.tracking.experiment or results.config.name
    found = ask(address, f"experiments/get-by-name?experiment_name={urllib.parse.quote(name)}")
    experiment = found["experiment"]["experiment_id"]
    runs = f"{address}/#/experiments/{experiment}/runs"
    view = f"viewStateShareKey={share_key(uid)}"
    page.goto(f"{runs}?{view}")
    page.wait_for_timeout(SETTLE_MS)
    tidy(page)
    pictures = {"mlflow-runs": page.screenshot()}
    page.set_viewport_size({"width": 1500, "height": 1350})
    page.goto(f"{runs}?compareRunsMode=CHART&{view}")
    page.reload()
    page.wait_for_timeout(SETTLE_MS)
    tidy(page)
    pictures["mlflow-charts"] = page.screenshot()
    page.set_viewport_size(WIDE)
    page.goto(f"{runs}?searchFilter=")
    page.reload()
    page.wait_for_timeout(SETTLE_MS)
    tidy(page)
    page.locator('button[data-component-id*="runnamecellrenderer"]').first.click()  # the [+]
    page.wait_for_timeout(SETTLE_MS)
    pictures["mlflow-children"] = page.screenshot()
    ids = best_runs(address, experiment, uid, results)
    chosen = urllib.parse.quote(json.dumps(ids)), urllib.parse.quote(json.dumps([experiment]))
    page.goto(f"{address}/#/compare-runs?runs={chosen[0]}&experiments={chosen[1]}")
    page.wait_for_timeout(SETTLE_MS)
    tidy(page)
    page.get_by_text("Visualizations").click()  # folds them: two lines say little
    page.set_viewport_size({"width": 1500, "height": 1900})
    page.wait_for_timeout(1_000)
    pictures["mlflow-compare"] = page.screenshot()
    return pictures


def tidy(page: Page) -> None:
    """Close what covers the page."""
    for close in page.get_by_label("Close", exact=True).all():
        if close.is_visible():
            close.click()
    page.wait_for_timeout(1_000)


def best_runs(address: str, experiment: str, uid: str, results: Results) -> list[str]:
    """Return the run ids of the sweep's two best trials."""
    order = "DESC" if results.goal.leading.direction == "maximize" else "ASC"
    query = {
        "experiment_ids": [experiment],
        "filter": f"tags.`sweep.uid` = '{uid}' and tags.`sweep.source` = 'sampler'",
        "order_by": [f"metrics.objective {order}"],
        "max_results": 2,
    }
    return [run["info"]["run_id"] for run in ask(address, "runs/search", query)["runs"]]


def ask(address: str, path: str, query: dict | None = None) -> dict:
    data = None if query is None else json.dumps(query).encode()
    request = urllib.request.Request(  # the server started here
        f"{address}/api/2.0/mlflow/{path}", data, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


@contextmanager
def ui(directory: Path) -> Iterator[str]:
    """Serve the folder's MLflow record on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "sweep", "ui", "--dir", str(directory), "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(f"{address}/health", server)
        yield address
    finally:
        server.terminate()
        server.wait(timeout=30)


def wait_for(url: str, server: subprocess.Popen) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except (URLError, OSError):
            time.sleep(1)
        else:
            return
    raise SystemExit(f"{url} must answer within {START_SECONDS} s, but does not.")


def smaller(png: bytes) -> bytes:
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    file = io.BytesIO()
    picture.quantize(COLORS, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
    return file.getvalue()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", help="the sweep's name")
    parser.add_argument("--dir", type=Path, default=Path("sweeps"))
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "pictures")
    parser.add_argument("--chromium", default=shutil.which("chromium"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
