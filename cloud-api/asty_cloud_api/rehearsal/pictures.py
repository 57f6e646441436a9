"""The plots: SVG, readable without colours, the same bytes for the same figures."""

import io
from collections.abc import Sequence
from contextlib import AbstractContextManager

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from asty_cloud_api.forecast.backtest import Backtest
from asty_cloud_api.rehearsal.month import Month
from asty_cloud_api.rehearsal.summary import PUBLISHED, Summary

STYLE = {
    "fixed rounds": ("#3d4b57", "//", "--"),
    "own weekdays": ("#b3400e", "..", ":"),
    "forecast": ("#0b5cad", "", "-"),
}
"""Colour, hatch, line of each way."""


def of_months(it: Summary, months: Sequence[Month]) -> str:
    """Kilometres per day, fill when emptied, overflow, and the paired change of each seed."""
    with _plain():
        figure = Figure(figsize=(10.5, 7.2), layout="constrained")
        axes = figure.subplots(2, 2)
        _kilometres(axes[0, 0], it, months)
        _fills(axes[0, 1], it, months)
        _overflow(axes[1, 0], it)
        _changes(axes[1, 1], it)
        w = it.wanted
        figure.suptitle(f"{w.days} days of a town of {w.bins} bins, {len(it.seeds)} seeds: fixed routes and forecast-driven plans")
        return _svg(figure)


def of_backtest(it: Backtest, source: str, full: float) -> str:
    """How often it came true beside the chance that was said, over how often such a chance was said."""
    with _plain():
        figure = Figure(figsize=(6.0, 6.4), layout="constrained")
        above, below = figure.subplots(2, 1, height_ratios=(3, 1), sharex=True)
        said = [c.said for c in it.calibration]
        error = [1.96 * (c.came * (1 - c.came) / c.n) ** 0.5 for c in it.calibration]
        above.plot([0, 1], [0, 1], color="#8a8f94", linestyle="--", label="a chance that comes true")
        above.errorbar(said, [c.came for c in it.calibration], yerr=error, fmt="o-", color="#0b5cad", label="forecast, ± 95 %")
        above.set_ylabel(f"came true: {100 * full:.0f} % full by then")
        above.set_xlim(0, 1)
        above.set_ylim(0, 1)
        above.legend(frameon=False)
        above.set_title(f"{source}: {it.n} stretches; Brier {it.ours.brier:.3f}, persistence {it.persistence.brier:.3f}")
        below.bar(said, [c.n for c in it.calibration], width=0.04, color="#0b5cad")
        below.set_yscale("log")
        below.set_ylabel("stretches")
        below.set_xlabel("chance that was said")
        return _svg(figure)


def _plain() -> AbstractContextManager[None]:
    return mpl.rc_context({"svg.hashsalt": "asty", "font.size": 9.0, "axes.spines.top": False, "axes.spines.right": False})


def _kilometres(axes: Axes, it: Summary, months: Sequence[Month]) -> None:
    for way in it.of:
        per_day = np.array([[book.metres / 1000 for book in month.books[way]] for month in months])
        colour, _, line = STYLE[way]
        days = np.arange(1, per_day.shape[1] + 1)
        axes.plot(days, per_day.cumsum(axis=1).mean(axis=0), color=colour, linestyle=line, label=way)
        axes.fill_between(days, per_day.cumsum(axis=1).min(axis=0), per_day.cumsum(axis=1).max(axis=0), color=colour, alpha=0.15)
    axes.set_xlabel("day")
    axes.set_ylabel("km driven so far (mean, all seeds)")
    axes.legend(frameon=False)


def _fills(axes: Axes, it: Summary, months: Sequence[Month]) -> None:
    edges = [0.05 * i for i in range(27)]
    for way in it.of:
        fills = [fill for month in months for book in month.books[way] for fill in book.fills]
        colour, _, line = STYLE[way]
        axes.hist(np.minimum(fills, 1.299), edges, histtype="step", color=colour, linestyle=line, linewidth=1.6, label=way)
    axes.axvline(1, color="#8a8f94", linewidth=0.8)
    axes.set_xlabel("fill when emptied (1 = full)")
    axes.set_ylabel("lifts")
    axes.legend(frameon=False)


def _overflow(axes: Axes, it: Summary) -> None:
    for place, way in enumerate(it.of):
        colour, hatch, _ = STYLE[way]
        value = it.figure(way, "overflow")
        axes.bar(place, value.value, 0.6, yerr=value.half or 0.0, color="white", edgecolor=colour, hatch=hatch, capsize=4)
    axes.set_ylim(bottom=0)
    axes.axhline(0.1, color="#8a8f94", linestyle="--", linewidth=1)
    axes.annotate("goal 0.1 %", (0, 0.1), xytext=(-18, 3), textcoords="offset points", fontsize=8)
    axes.set_xticks(range(len(it.of)), list(it.of))
    axes.set_ylabel("bin-days overflowing, %")


def _changes(axes: Axes, it: Summary) -> None:
    others = [way for way in it.of if way != "forecast"]
    for place, way in enumerate(others):
        colour, hatch, _ = STYLE[way]
        pairs = zip(it.of["forecast"], it.of[way], strict=True)
        changes = [100 * (a.km / b.km - 1) for a, b in pairs]
        at = np.arange(len(changes)) + 0.4 * place
        axes.bar(at, changes, 0.38, color="white", edgecolor=colour, hatch=hatch, label=f"against {way}")
    axes.axhline(PUBLISHED, color="#1c7a3d", linestyle="--", linewidth=1, label=f"published, Groningen: {PUBLISHED} %")
    axes.axhline(0, color="#1b2733", linewidth=0.8)
    axes.set_xticks(np.arange(len(it.seeds)) + 0.2, [f"seed {seed}" for seed in it.seeds])
    axes.set_ylabel("kilometres of the forecast's plans, %")
    axes.legend(frameon=False, fontsize=8, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)


def _svg(figure: Figure) -> str:
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None})
    return out.getvalue()
