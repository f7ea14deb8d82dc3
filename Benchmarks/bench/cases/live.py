"""A live log followed at a fixed rate, one that nothing is written to, and how soon a line is out."""

import os
import re
import statistics
import subprocess
import threading
import time

from ..follower import Follower, count_lines, wait_until_settled
from ..player import Played, Player
from ..series import Outcome, Row, Series
from .case import Case

RATE = 40_000
# A quiet site, a busy one, and the rate above.
RATES = (10, 1_000, RATE)
NAMES = ("spillway", "varnishncsa")


def command(bench, name, directory):
    return [bench.spillway, "ncsa", "-n", directory] if name == "spillway" else [name, "-n", directory]


def in_turn(rounds):
    """The two in each round, each first as often as last."""
    for number in range(rounds):
        for name in NAMES if number % 2 == 0 else NAMES[::-1]:
            yield name


def fixed_rate(bench):
    """The processor time until the last line is out."""
    played = Played(bench)
    costs, parts, peaks = ({name: [] for name in NAMES} for _ in range(3))
    faults, missing = [], {name: 0 for name in NAMES}
    for name in in_turn(bench.sizes.rounds):
        lines = bench.scratch / "lines"
        player = played.at(RATE, bench.sizes.seconds, bench.scratch / "log")
        follower = Follower(name, command(bench, name, player.directory) + ["-w", lines])
        try:
            follower.wait_until_attached()
            before = follower.cpu_seconds()
            figures = player.wait_for_account()
            wait_until_settled(lines)
            spent = follower.cpu_seconds() - before
            peaks[name].append(follower.peak_mib())
        finally:
            follower.stop()
            player.stop()
        costs[name].append(spent / player.lines * 1e6)
        parts[name].append(spent / figures["seconds"] * 100)
        missing[name] += player.lines - count_lines(lines)
        lines.unlink()
    if missing["spillway"]:
        faults.append(f"{missing['spillway']} lines are missing")
    note = f"varnishncsa lost {missing['varnishncsa']:,} lines" if missing["varnishncsa"] else ""
    rows = []
    for quantity, values in (("CPU per request, µs", costs), ("of a core, %", parts)):
        ours, theirs = (Series(values[name]) for name in NAMES)
        rows.append(Row(
            "live", f"{RATE:,} requests/s", quantity, ours, theirs, our_peak=max(peaks["spillway"]),
            other_peak=max(peaks["varnishncsa"]), note=note))
    return Outcome(rows, faults=faults)


def idle(bench):
    """Both beside each other at a log that stays as it is."""
    wake_ups, parts, resident = ({name: [] for name in NAMES} for _ in range(3))
    for _ in range(bench.sizes.rounds):
        player = Player(bench, bench.played.path, bench.scratch / "log", "--start-delay", "1h")
        followers = [Follower(name, command(bench, name, player.directory)) for name in NAMES]
        try:
            for one in followers:
                one.wait_until_attached()
            # Work that follows the start isn't measured.
            time.sleep(1)
            before = [(one.wake_ups(), one.cpu_seconds(), time.monotonic()) for one in followers]
            time.sleep(bench.sizes.seconds)
            for one, (woken, spent, start) in zip(followers, before):
                seconds = time.monotonic() - start
                wake_ups[one.name].append((one.wake_ups() - woken) / seconds)
                parts[one.name].append((one.cpu_seconds() - spent) / seconds * 100)
                resident[one.name].append(one.resident_mib())
        finally:
            for one in followers:
                one.stop()
            player.stop()
    return Outcome([
        Row("idle", "a log without records", quantity, *(Series(values[name]) for name in NAMES))
        for quantity, values in (
            ("wake-ups per second", wake_ups), ("of a core, %", parts), ("resident memory, MiB", resident))])


class Arrivals:
    """How late the lines come that a pipe delivers, of which each has the time of its transaction's end."""

    def __init__(self, pipe):
        self.pipe = pipe
        self.delays = []
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()

    def watch(self):
        rest = b""
        while chunk := os.read(self.pipe, 1 << 20):
            now = time.time()
            # Of the lines that arrive together, the first has waited longest.
            first = re.search(rb"^([0-9.]+)\n", rest + chunk)
            if first:
                self.delays.append(now - float(first[1]))
            rest = (rest + chunk).rpartition(b"\n")[2]


def latency(bench):
    """The time from a transaction's end to its line."""
    played = Played(bench)
    rows = []
    for rate in RATES:
        longest, usual = ({name: [] for name in NAMES} for _ in range(2))
        seconds = max(bench.sizes.seconds, 5)
        for name in in_turn(max(bench.sizes.rounds // 2, 1)):
            delays = delays_at(bench, played, name, rate, seconds)
            longest[name].append(max(delays) * 1e3)
            usual[name].append(statistics.median(delays) * 1e3)
        for quantity, values in (("median time to a line, ms", usual), ("longest time to a line, ms", longest)):
            rows.append(Row(
                "latency", f"{rate:,} requests/s", quantity, *(Series(values[name]) for name in NAMES)))
    return Outcome(rows)


def delays_at(bench, played, name, rate, seconds):
    player = played.at(rate, seconds, bench.scratch / "log", "--shift-times")
    ending = ["-F", "%{VSL:Timestamp:Resp[1]}x"]
    follower = Follower(name, command(bench, name, player.directory) + ending, stdout=subprocess.PIPE)
    try:
        follower.wait_until_attached()
        arrivals = Arrivals(follower.process.stdout.fileno())
        # At low rates this plays only the beginning of the capture.
        time.sleep(3 + seconds)
    finally:
        player.stop()
        follower.stop()
    arrivals.thread.join()
    return arrivals.delays


CASES = [
    Case("live", "live", f"following {RATE:,} requests/s, to a file", fixed_rate, ("varnishncsa",)),
    Case("idle", "live", "following a log that nothing is written to", idle, ("varnishncsa",)),
    Case("latency", "live", "from the end of a transaction to its line in a pipe", latency, ("varnishncsa",)),
]
