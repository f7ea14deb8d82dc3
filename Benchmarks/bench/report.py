"""The one table, as Markdown and JSON, and the README's part that shows it."""

import json
import re

from .failure import Failure
from .places import README
from .plot import draw
from .series import Row

_HEADS = ("case", "", "measured", "best (median, spread)", "beside it", "ratio", "of wall time", "peak, MiB", "")
_BEGIN, _END = "<!-- figures -->", "<!-- end of figures -->"


def table(rows):
    """All rows under one head, with a case's name where it begins."""
    lines = [_line(_HEADS), "|" + " --- |" * len(_HEADS)]
    before = None
    for row in rows:
        lines.append(_line(_cells(row, row.case != before)))
        before = row.case
    return "\n".join(lines) + "\n"


def _cells(row, is_first):
    peaks = [_number(peak) for peak in (row.our_peak, row.other_peak) if peak is not None]
    return (
        f"`{row.case}`" if is_first else "", row.setting, row.quantity, _figures(row.subject, row.ours),
        _figures(row.beside, row.other) if row.other else "", _times(row.ratio), _times(row.wall_ratio),
        " : ".join(peaks), row.note)


def _figures(name, series):
    shown = _number(series.best)
    if len(series.values) > 1:
        shown += f" ({_number(series.median)}, {series.spread * 100:.0f} %)"
    return shown if name == "spillway" else f"{name} {shown}"


def _number(value):
    """Three digits that count, and no more than are needed."""
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _times(ratio):
    return f"{ratio:.3g} ×" if ratio else ""


def _line(cells):
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


class Results:
    """What is known of the cases: what was measured before, and what is measured now."""

    def __init__(self, directory):
        self.directory = directory
        self.path = directory / "results.json"
        self.cases = {}

    def load(self):
        if self.path.exists():
            self.cases = json.loads(self.path.read_text())["cases"]

    def add(self, name, about, machine, sizes, outcome):
        self.cases[name] = {
            "about": about, "machine": machine, "sizes": sizes,
            "rows": [row.to_json() for row in outcome.rows], "plots": [vars(plot) for plot in outcome.plots]}

    def rows(self, order):
        return [Row.from_json(row) for name in order if name in self.cases for row in self.cases[name]["rows"]]

    def save(self, order):
        """Writes all files anew."""
        self.directory.mkdir(parents=True, exist_ok=True)
        kept = {name: self.cases[name] for name in order if name in self.cases}
        # A line for each case.
        cases = ",\n".join(
            f"{json.dumps(name)}: {json.dumps(_rounded(case), ensure_ascii=False)}" for name, case in kept.items())
        self.path.write_text(f'{{"cases": {{\n{cases}\n}}}}\n')
        (self.directory / "results.md").write_text(table(self.rows(order)))
        for name in kept:
            for plot in kept[name]["plots"]:
                (self.directory / f"{plot['name']}.svg").write_text(self._picture(name, plot))

    def _picture(self, name, plot):
        lines = {}
        for row in self.rows([name]):
            if row.quantity == plot["quantity"] and row.place is not None:
                lines.setdefault(row.subject, []).append((row.place, row.ours.best))
                if row.other:
                    lines.setdefault(row.beside, []).append((row.place, row.other.best))
        return draw(plot["title"], plot["horizontal"], plot["quantity"], lines)

    def machines(self):
        """The machines that the figures are of, with the cases of each."""
        found = {}
        for name, case in self.cases.items():
            found.setdefault(json.dumps(case["machine"]), []).append(name)
        return [(json.loads(machine), names) for machine, names in found.items()]


def rewrite_readme(results, order):
    """Puts the figures into their part of the README."""
    text = README.read_text()
    if _BEGIN not in text or _END not in text:
        raise Failure(f"{README} has no part for figures, from {_BEGIN} to {_END}")
    parts = []
    machines = results.machines()
    for machine, names in machines:
        of = "" if len(machines) == 1 else f" ({', '.join(names)})"
        parts.append("\n".join([f"Measured{of}:", "", "| | |", "| --- | --- |"]
                               + [_line((name, value)) for name, value in machine.items() if value]) + "\n")
    parts.append(table(results.rows(order)))
    for case in results.cases.values():
        for plot in case["plots"]:
            parts.append(f"![{plot['title']} over {plot['horizontal']}](figures/{plot['name']}.svg)\n")
    body = "\n".join(parts)
    pattern = re.escape(_BEGIN) + ".*" + re.escape(_END)
    README.write_text(re.sub(pattern, lambda _: f"{_BEGIN}\n\n{body}\n{_END}", text, flags=re.S))


def _rounded(value):
    """Six digits are more than anything that is measured here has."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, dict):
        return {name: _rounded(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return value
