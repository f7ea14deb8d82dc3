"""What a transaction costs the server that logs it."""

from ..failure import run
from ..series import Outcome, Row, Series
from .case import Case

TRANSACTIONS = 400_000
LINE = "line appended to a file"


def writing(bench):
    """Into a log with and without a reader, beside its line in a file, and beside a ring behind a lock."""
    transactions = TRANSACTIONS if bench.sizes.runs > 2 else TRANSACTIONS // 10
    said = run([bench.products.writelog, transactions, bench.sizes.runs])
    costs = {}
    for measured in said.splitlines():
        threads, way, values = measured.split("\t")
        costs.setdefault(int(threads), {})[way] = Series([float(value) for value in values.split()])
    rows = []
    for threads, ways in costs.items():
        setting = f"{threads} thread{'s' if threads > 1 else ''}"
        rows += [
            Row("writing", setting, "ns per transaction", series, ways[LINE], subject=way, beside=LINE)
            for way, series in ways.items() if way != LINE]
    return Outcome(rows)


CASES = [Case("writing", "writing", "logging a transaction into shared memory", writing,
              ("varnishlog",))]
