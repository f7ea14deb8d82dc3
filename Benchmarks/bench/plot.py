"""Lines over a logarithmic axis, as SVG."""

import math
from html import escape

_WIDTH, _HEIGHT = 640, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 40, 60, 50
_COLORS = ("#1f77b4", "#d62728", "#2ca02c")
# Readable on both light and dark pages.
_BACKGROUND = "#ffffff"


def draw(title, horizontal, vertical, lines):
    """A picture of lines: for each name its points. The vertical axis begins at nothing."""
    points = [point for line in lines.values() for point in line]
    left = math.log10(min(x for x, _ in points))
    right = math.log10(max(x for x, _ in points))
    ticks = _ticks(max(y for _, y in points))
    across = _WIDTH - _LEFT - _RIGHT
    down = _HEIGHT - _TOP - _BOTTOM

    def place(x, y):
        part = (math.log10(x) - left) / (right - left) if right > left else 0.5
        return _LEFT + part * across, _TOP + (1 - y / ticks[-1]) * down

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif"'
        ' font-size="12">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="{_BACKGROUND}"/>',
        _text(_WIDTH / 2, 22, title, "middle", ' font-size="15"'),
        _text(_LEFT + across / 2, _HEIGHT - 10, horizontal, "middle"),
        _text(0, 0, vertical, "middle", f' transform="translate(16 {_TOP + down / 2:.0f}) rotate(-90)"'),
    ]
    for tick in ticks:
        _, y = place(10 ** left, tick)
        parts.append(f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}" stroke="#dddddd"/>')
        parts.append(_text(_LEFT - 8, y + 4, f"{tick:g}", "end"))
    for x in sorted({x for x, _ in points}):
        parts.append(_text(place(x, 0)[0], _HEIGHT - _BOTTOM + 18, f"{x:,}", "middle"))
    for color, (index, (name, line)) in zip(_COLORS, enumerate(lines.items())):
        places = [place(x, y) for x, y in sorted(line)]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
        parts.append(f'<path d="M{path}" fill="none" stroke="{color}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{color}"/>' for x, y in places]
        parts.append(_text(_LEFT + 110 * index, _TOP - 14, name, "start", f' fill="{color}"'))
    return "\n".join([*parts, "</svg>", ""])


def _text(x, y, text, anchor, more=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{more}>{escape(text)}</text>'


def _ticks(most):
    """Round numbers from nothing to at least `most`."""
    step = 10 ** math.floor(math.log10(most)) if most > 0 else 1
    for factor in (0.2, 0.5, 1, 2):
        if most / (step * factor) <= 6:
            step *= factor
            break
    return [step * index for index in range(math.ceil(most / step) + 1)]
