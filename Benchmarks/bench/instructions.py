"""Instructions for each transaction, counted under callgrind: figures that a busy machine leaves as they are.

Two captures are converted, one longer than the other; the difference is what a transaction costs, without what the
program takes to start. The counts are kept in a file for each case, and later ones are compared with them.
"""

import json
import re
import shutil
import subprocess

from .cases.convert import CONVERSIONS
from .failure import Failure, run
from .places import INSTRUCTIONS
from .series import Row, Series

TOOLS = ("valgrind", "strip")
# The requests of the two captures.
LENGTHS = (2_000, 6_000)
# Smaller changes aren't reported.
TOLERANCE = 0.02
QUANTITY = "instructions per transaction"


class Counts:
    """Counts of what the cases take, and those that are kept."""

    def __init__(self, bench):
        self.bench = bench
        self.captures = [bench.generate(requests) for requests in LENGTHS]

    def of(self, conversion, names):
        """The instructions per transaction of those contenders that are named."""
        totals = [
            {one.name: self._instructions(one) for one in conversion.contenders(self._stripped, capture.path)
             if one.name in names}
            for capture in self.captures]
        transactions = self.captures[1].transactions - self.captures[0].transactions
        return {name: round((totals[1][name] - totals[0][name]) / transactions) for name in totals[0]}

    @property
    def _stripped(self):
        """The program without what debuggers need, which callgrind takes long to read."""
        path = self.bench.scratch / "spillway"
        if not path.exists():
            shutil.copy(self.bench.spillway, path)
            run(["strip", "-g", path])
        return path

    def _instructions(self, contender):
        path = self.bench.scratch / "counted.out"
        command = ["valgrind", "--tool=callgrind", "--trace-children=yes", "--callgrind-out-file=/dev/null"]
        done = subprocess.run(
            command + contender.words(path), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True)
        for file in contender.files(path):
            file.unlink(missing_ok=True)
        # A shell and the programs that it runs are counted separately.
        found = re.findall(r"Collected : (\d+)", done.stderr)
        if done.returncode != 0 or not found:
            raise Failure(f"callgrind counts nothing for {contender.name}: {done.stderr.strip().splitlines()[-1]}")
        return sum(int(count) for count in found)


def path_of(name):
    return INSTRUCTIONS / f"{name}.json"


def kept(name):
    """What is kept of a case: the count of each contender."""
    path = path_of(name)
    return json.loads(path.read_text())[QUANTITY] if path.exists() else {}


def keep(conversion, counts):
    INSTRUCTIONS.mkdir(exist_ok=True)
    figures = {"case": conversion.about, QUANTITY: counts}
    path_of(conversion.name).write_text(json.dumps(figures, indent=2) + "\n")


def count(bench, names, is_kept):
    """Counts cases and says what has changed. Gives the rows, and those changes that are for the worse.

    The reference stays as it is; it is counted only for what is kept.
    """
    counts = Counts(bench)
    rows, worse = [], []
    for conversion in CONVERSIONS:
        if conversion.name not in names:
            continue
        reference = conversion.tools[0]
        before = kept(conversion.name)
        needed = ["spillway"] if before and not is_kept else ["spillway", reference]
        now = {**before, **counts.of(conversion, needed)}
        ours, was = now["spillway"], before.get("spillway")
        print(f"{conversion.name:14}{ours:10,} instructions per transaction{change(ours, was)}", flush=True)
        if was and ours > was * (1 + TOLERANCE):
            worse.append(f"{conversion.name} takes {ours:,} in place of {was:,} per transaction")
        if is_kept:
            keep(conversion, now)
        rows.append(Row(
            "instructions", f"`{conversion.name}`", QUANTITY, Series([ours]), Series([now[reference]]),
            beside=reference))
    return rows, worse


def change(value, was):
    if not was:
        return "; nothing is kept"
    part = value / was - 1
    return f"; {part * 100:+.1f} %, {was:,} before" if abs(part) > TOLERANCE else ""
