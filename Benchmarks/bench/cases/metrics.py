"""What metrics of the requests cost a run that writes lines, too."""

import json

from .. import captures
from ..processes import Contender, alternate, row
from ..series import Outcome
from .case import Case

LINES = {"file": "/dev/null"}


def contender(bench, name, capture, outputs):
    """A run of spillway with these outputs."""
    settings = {"input": {"file": str(capture)}, "process": {"threads": "1"}, "outputs": outputs}
    path = bench.scratch / f"{name}.yaml"
    # JSON is also YAML.
    path.write_text(json.dumps(settings))
    return Contender(name, [bench.spillway, "run", "--config", path], ())


def metrics(bench):
    """One run with an output for metrics beside its lines, and one without."""
    counted = {"metrics": {"textfile": str(bench.scratch / "metrics.prom")}}
    rows = []
    for folios, path in captures.in_both(bench.capture):
        usages = alternate(bench, [
            contender(bench, "lines-and-metrics", path, {"lines": LINES, "numbers": counted}),
            contender(bench, "lines", path, {"lines": LINES})], bench.sizes.runs)
        made = row("metrics", folios, usages, bench.capture.requests, ours="lines-and-metrics", other="lines")
        made.note = f"{made.ours.median - made.other.median:.2f} µs for metrics of both sides"
        rows.append(made)
    return Outcome(rows)


CASES = [Case("metrics", "metrics", "lines and metrics of both sides, beside lines alone", metrics)]
