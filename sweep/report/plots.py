"""A sweep's plots. Pure: results in, plots out; each is a Vega-Lite chart."""

from __future__ import annotations

from sweep.report.chart import Plot
from sweep.report.plot_parallel import parallel
from sweep.report.plots_of_parameters import importance, slices
from sweep.report.plots_of_rungs import rungs
from sweep.report.plots_of_trials import history, learning_curves
from sweep.results.results import Results


def all_plots(results: Results) -> tuple[Plot, ...]:
    """Return every plot, in the report's order."""
    draw = (history, importance, parallel, slices, learning_curves, rungs)
    return tuple(plot(results) for plot in draw)
