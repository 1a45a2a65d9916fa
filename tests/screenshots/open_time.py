"""How long a browser takes to open the report of 1,000 trials; README.md beside it says how."""

from __future__ import annotations

import argparse
import math
import random
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from sweep.log.event import Event
from sweep.log.kinds import Completed, Continued, Pruned, Reported
from sweep.report.document import render_report
from sweep.results.results import open_results
from tests.sweep.events_factory import some, started
from tests.sweep.sweep_factory import asked, closed, ended, write_sweep

EPOCHS, RUNGS = 30, (2, 6, 18)
# Resolves to the time since the page was opened, once two frames showed every chart in sight.
IN_SIGHT = """new Promise((resolve) => {
  const frame = (act) => requestAnimationFrame(() => requestAnimationFrame(act));
  const hosts = Array.from(document.querySelectorAll("[data-chart]"));
  const seen = hosts.filter((host) => host.getBoundingClientRect().top < innerHeight);
  const look = () => seen.every((host) => host.view)
    ? frame(() => resolve(performance.now())) : setTimeout(look, 4);
  look();
})"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--chromium", default=shutil.which("chromium"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = Path(folder) / "report.html"
        path.write_text(made_up_report(Path(folder), options.trials), encoding="utf-8")
        browser = playwright.chromium.launch(executable_path=options.chromium)
        for _ in range(3):
            page = browser.new_page(viewport={"width": 1500, "height": 1000})
            page.goto(path.as_uri())
            seen = page.evaluate(IN_SIGHT) / 1000
            page.wait_for_selector("body[data-drawn=all]")
            drawn = page.evaluate("performance.now()") / 1000
            sys.stdout.write(
                f"{options.trials} trials, {path.stat().st_size / 1e6:.1f} MB: what is in sight "
                f"drawn after {seen:.2f} s, all of it after {drawn:.2f} s\n"
            )
        browser.close()


def made_up_report(folder: Path, trials: int) -> str:
    """The report of a sweep with halving: eight parameters, thirty epochs, three rungs."""
    rng = random.Random(0)
    events = [event for number in range(trials) for event in made_up_trial(number, rng)]
    pruning = {"pruning": {"rule": "halving"}}
    return render_report(open_results(write_sweep(folder, *events, closed(), search=pruning)))


def made_up_trial(number: int, rng: random.Random) -> list[Event]:
    params = {
        "cell": rng.choice(["lstm", "gru", "rnn_tanh"]),
        "hidden_size": rng.randint(16, 128),
        "num_layers": rng.randint(1, 3),
        "learning_rate": 10 ** rng.uniform(-4, -1),
        **{f"{where}_dropout": rng.uniform(0, 0.5) for where in ("input", "layer", "output")},
        "weight_decay": 10 ** rng.uniform(-7, -3),
    }
    floor = 0.2 + 0.2 * abs(math.log10(params["learning_rate"]) + 2.5) + rng.random() / 10
    events, best = [asked(number, **params), started(number)], math.inf
    for epoch in range(1, EPOCHS + 1):
        value = floor + math.exp(-epoch / 5) + rng.gauss(0, 0.01)
        best = min(best, value)
        report = some(
            Reported,
            train={"loss": 0.8 * value**2},
            validation={"rmse": value, "loss": value**2},
            best={"rmse": best, "loss": best**2},
            best_epoch=epoch,
            train_seconds=0.4,
            parameters=5_000,
        )
        events.append(Event(report, number, 1, epoch))
        if epoch in RUNGS and rng.random() < floor:
            return [*events, ended(Pruned, number, epoch, {"rmse": best}, values=(best,))]
        if epoch in RUNGS:
            events.append(Event(Continued(), number, 1, epoch))
    return [*events, ended(Completed, number, EPOCHS, {"rmse": best}, values=(best,))]


if __name__ == "__main__":
    main()
