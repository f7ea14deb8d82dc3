"""How long it takes until a program is there."""

from ..processes import measure
from ..series import Outcome, Row, Series
from .case import Case


def startup(bench):
    one = bench.generate(1).path
    rows = []
    for setting, ours, theirs in (
        ("printing the version", [bench.spillway, "--version"], ["varnishncsa", "-V"]),
        ("a capture of one request", [bench.spillway, "ncsa", "-r", one], ["varnishncsa", "-r", one]),
    ):
        usages = [[], []]
        for _ in range(bench.sizes.starts // 10):
            for mine, command in zip(usages, (ours, theirs)):
                mine += measure(bench.products, command, runs=10)
        walls = [Series([usage.wall * 1e3 for usage in mine]) for mine in usages]
        peaks = [max(usage.peak_kib for usage in mine) / 1024 for mine in usages]
        rows.append(Row("startup", setting, "wall time, ms", *walls, our_peak=peaks[0], other_peak=peaks[1]))
    return Outcome(rows)


CASES = [Case("startup", "startup", "from the start to the end of a process with little to do", startup,
              ("varnishncsa",))]
