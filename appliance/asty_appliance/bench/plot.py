"""Curves over time as one SVG: panels one below the other, phases shaded. No library, no script, readable without colours."""

from collections.abc import Sequence
from html import escape

from msgspec import Struct

WIDTH, LEFT, RIGHT = 960, 76, 16
TITLE, PANEL, GAP, FOOT = 64, 150, 64, 0
COLOURS = ("#0b5cad", "#b3400e", "#1c7a3d", "#7a2d8f", "#8a6d00", "#3d4b57", "#c2185b", "#00838f")
DASHES = ("", "6 3", "2 3", "8 3 2 3", "1 4", "10 4", "4 2", "12 2")


class Curve(Struct, frozen=True):
    """A name and its points (s, value), by rising time."""

    name: str
    points: list[tuple[float, float]]


class Panel(Struct, frozen=True):
    """Curves that share a scale, which starts at zero."""

    title: str
    curves: list[Curve]


class Phase(Struct, frozen=True):
    """A named stretch of time (s)."""

    name: str
    begin: float
    end: float


def svg(title: str, subtitle: str, panels: Sequence[Panel], phases: Sequence[Phase]) -> str:
    """Return the picture. The time axis spans the phases; points outside of it are left out."""
    first, last = phases[0].begin, phases[-1].end
    height = TITLE + len(panels) * (PANEL + GAP) + FOOT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" '
        f'aria-label="{escape(title)}" font-family="system-ui, sans-serif" font-size="12" fill="#1b2733">',
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        f'<text x="{LEFT}" y="22" font-size="16" font-weight="600">{escape(title)}</text>',
        f'<text x="{LEFT}" y="40" fill="#4a5966">{escape(subtitle)}</text>',
    ]
    for number, panel in enumerate(panels):
        parts += _panel(panel, TITLE + number * (PANEL + GAP), first, last, phases)
    bottom = TITLE + len(panels) * (PANEL + GAP) - GAP
    for second in _ticks(last - first):
        parts.append(f'<text x="{_x(first + second, first, last):.1f}" y="{bottom + 16}" text-anchor="middle">{second:g} s</text>')
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def _panel(panel: Panel, top: int, first: float, last: float, phases: Sequence[Phase]) -> list[str]:
    base = top + PANEL
    curves = [Curve(it.name, [(t, v) for t, v in it.points if first <= t <= last]) for it in panel.curves]
    ticks = _ticks(max((v for it in curves for _, v in it.points), default=0.0))
    highest = ticks[-1]
    parts = [f'<text x="{LEFT}" y="{top - 4}" font-weight="600">{escape(panel.title)}</text>']
    for number, phase in enumerate(phases):
        left, right = _x(phase.begin, first, last), _x(phase.end, first, last)
        fill = "#f3f6f9" if number % 2 else "#e8eef4"
        parts.append(f'<rect x="{left:.1f}" y="{top}" width="{right - left:.1f}" height="{PANEL}" fill="{fill}"/>')
        parts.append(f'<text x="{left + 4:.1f}" y="{top + 13}" fill="#4a5966" font-size="11">{escape(phase.name)}</text>')
    for tick in ticks:
        y = base - tick / highest * PANEL
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#c9d3dc" stroke-width="0.7"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{tick:,g}</text>')
    x = LEFT
    for number, curve in enumerate(curves):
        look = f'stroke="{COLOURS[number % len(COLOURS)]}" stroke-dasharray="{DASHES[number % len(DASHES)]}" stroke-width="1.6" fill="none"'
        points = " ".join(f"{_x(t, first, last):.1f},{base - v / highest * PANEL:.1f}" for t, v in curve.points)
        parts.append(f'<polyline points="{points}" {look}/>')
        parts.append(f'<line x1="{x}" x2="{x + 22}" y1="{base + 28}" y2="{base + 28}" {look}/>')
        parts.append(f'<text x="{x + 27}" y="{base + 32}">{escape(curve.name)}</text>')
        x += 44 + 7 * len(curve.name)
    return parts


def _x(t: float, first: float, last: float) -> float:
    return LEFT + (t - first) / max(last - first, 1e-9) * (WIDTH - LEFT - RIGHT)


def _ticks(highest: float) -> list[float]:
    """Return 0 and round numbers up to the first that is not below `highest`."""
    if highest <= 0:
        return [0.0, 1.0]
    power = 1.0
    while power * 10 <= highest:
        power *= 10
    while power > highest:
        power /= 10
    step = next(power * factor for factor in (0.2, 0.5, 1, 2) if highest / (power * factor) <= 5)
    ticks = [0.0]
    while ticks[-1] < highest:
        ticks.append(round(ticks[-1] + step, 10))
    return ticks
