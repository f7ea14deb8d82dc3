"""How fast lines go through spool and file, and what the reader of a log pays for a consumer that is stopped."""

import os
import subprocess
import time
from pathlib import Path

from ..failure import run
from ..series import Outcome, Row, Series
from .case import Case
from .lines import lines_of

# The ways of carrying the lines: the argument for `ship`, and the program to compare with.
WAYS = {"as they are": ("plain", ["cat"]), "in gzip members": ("gzip:1", ["gzip", "-1"])}
CONSUMERS = ("one that takes all", "one that is stopped")


def shipping(bench):
    """Megabytes a second, each in turn, so that all meet the same machine."""
    rates = {way: ([], []) for way in WAYS}
    target = bench.scratch / "shipping.out"
    with lines_of(bench) as lines:
        megabytes = lines.stat().st_size / 1e6
        for _ in range(bench.sizes.rounds):
            for way, (level, command) in WAYS.items():
                seconds = float(run([bench.products.ship, lines, target, level, "1"]).split()[1])
                rates[way][0].append(megabytes / seconds)
                target.unlink()
                start = time.monotonic()
                with lines.open("rb") as source, target.open("wb") as sink:
                    subprocess.run(command, stdin=source, stdout=sink, check=True)
                rates[way][1].append(megabytes / (time.monotonic() - start))
                target.unlink()
    rows = []
    for way, both in rates.items():
        ours, theirs = (Series(values, is_rate=True) for values in both)
        rows.append(Row(
            "shipping", f"lines from memory to a file, {way}", "MB/s", ours, theirs, beside=" ".join(WAYS[way][1])))
    return Outcome(rows)


def consumers(bench):
    """What the reading thread spends on a line, from the first record to the last."""
    costs = {consumer: [] for consumer in CONSUMERS}
    for _ in range(bench.sizes.rounds):
        for consumer, values in costs.items():
            values.append(_cost_per_line(bench, takes=consumer == CONSUMERS[0]))
    taking, stopped = (Series(costs[consumer]) for consumer in CONSUMERS)
    return Outcome([Row(
        "consumers", "a consumer that is stopped", "reading thread's CPU per line, ns", stopped, taking,
        beside="one that takes all")])


def _cost_per_line(bench, takes):
    reading, writing = os.pipe()
    source, feed = os.pipe()
    command = [bench.spillway, "ncsa", "-r", "-", "--overflow", "drop", "--spool-memory", "2G"]
    child = subprocess.Popen(command, stdin=source, stdout=writing, stderr=subprocess.DEVNULL)
    os.close(source)
    os.close(writing)
    taker = subprocess.Popen(["cat"], stdin=reading, stdout=subprocess.DEVNULL) if takes else None
    # The log is fed through a pipe that stays open, so that the program goes on waiting and its thread can be
    # looked at.
    with bench.capture.path.open("rb") as file:
        while chunk := file.read(1 << 20):
            view = memoryview(chunk)
            while view:
                view = view[os.write(feed, view):]
    before = -1
    while (spent := _reading_nanoseconds(child.pid)) != before:
        before = spent
        time.sleep(0.1)
    child.kill()
    child.wait()
    os.close(feed)
    os.close(reading)
    if taker:
        taker.wait()
    return spent / bench.capture.requests


def _reading_nanoseconds(pid):
    """What the first thread of a process has spent so far."""
    return int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[0])


CASES = [
    Case("shipping", "output", "lines through spool and file, beside cat and gzip -1", shipping, ("gzip",)),
    Case("consumers", "output", "what a consumer that is stopped costs the reader", consumers),
]
