"""Cost and memory over captures of growing size, and over growing numbers of open requests."""

from .. import captures
from ..processes import Contender, alternate, differ, peak, row
from ..series import Outcome, Plot, Row, Series
from .case import Case

COST = "CPU per request, µs"
PEAK = "peak memory, MiB"


def growth(bench, case, horizontal, logs, arguments=lambda place: ()):
    """Captures with their settings and places on the axis: the cost of each, and the most memory."""
    rows, faults = [], []
    for capture, setting, place in logs:
        # Runs that take many times as long need fewer rounds to be exact.
        runs = min(bench.sizes.rounds, max(2, bench.sizes.rounds * bench.sizes.requests // capture.requests))
        path = captures.lie(capture, captures.LARGE)
        own = ["-r", path, *arguments(place), "-w", "OUT"]
        both = [Contender("spillway", [bench.spillway, "ncsa", *own]), Contender("varnishncsa", ["varnishncsa", *own])]
        compare = lambda paths: faults.extend(f"with {setting}, {name} is another one" for name in differ(both, paths))
        usages = alternate(bench, both, runs, compare)
        setting = f"{setting}, {captures.LARGE}"
        cost = row(case, setting, usages, capture.requests, place=place)
        # The peak is in a row of its own.
        cost.our_peak = cost.other_peak = None
        rows.append(cost)
        ours, theirs = (Series([peak([one]) for one in usages[name]]) for name in ("spillway", "varnishncsa"))
        rows.append(Row(case, setting, PEAK, ours, theirs, place=place))
    return Outcome(rows, plots(case, horizontal), faults)


def over_input(bench):
    def logs():
        for requests in bench.sizes.growing:
            capture = bench.generate(requests)
            megabytes = round(capture.bytes / 1e6)
            yield capture, f"{megabytes:,} MB", megabytes
            if requests == max(bench.sizes.growing):
                capture.path.unlink()

    return growth(bench, "growth-input", "megabytes of input", logs())


def over_open(bench):
    def logs():
        for count in bench.sizes.open:
            yield bench.generate(bench.sizes.requests_if_open, count), f"{count:,} open requests", count

    # A higher limit than there are requests, as sessions are open as well: neither program ends one by force.
    return growth(bench, "growth-open", "open requests", logs(), lambda count: ("-L", 2 * count + 1_000))


def plots(case, horizontal):
    return [Plot(f"{case}-cost", "Processor time for each request", COST, horizontal),
            Plot(f"{case}-memory", "Peak of resident memory", PEAK, horizontal)]


CASES = [
    Case("growth-input", "growth", "cost and memory over growing input", over_input, ("varnishncsa",)),
    Case("growth-open", "growth", "cost and memory over growing numbers of open requests", over_open,
         ("varnishncsa",)),
]
