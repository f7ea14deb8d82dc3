"""What further outputs of a run cost, and whether each of them is exact, with a real varnishd under load.

Two programs follow the same varnishd at the same time: one writes every line to a compressed file; the other does
that, too, and writes errors as JSON and a tenth of all lines to a pipe. At the end of each round the accounts, what
arrived, and what varnishd has counted are compared.
"""

import gzip
import os
import re
import signal
import subprocess
import threading
from pathlib import Path

from ..failure import Failure
from ..follower import count_lines, until
from ..series import Outcome, Row, Series
from ..varnish import Varnish
from .case import Case

# The ratio must be below this.
LIMIT = 1.5
COUNTS = (1, 3)


class Outputs:
    """Spillway at work, and what has become of its outputs."""

    def __init__(self, program, varnish, directory, count):
        directory.mkdir()
        self.directory, self.count = directory, count
        settings = [f"file={directory}/all.gz gzip"]
        if count > 1:
            settings += [f"file={directory}/errors format=json query='RespStatus >= 500' side=client",
                         "standard-output sample=1/10"]
        command = [program, "ncsa", "-n", varnish.directory, "--drain", "60s"]
        for one in settings:
            command += ["--output", one]
        self.said = open(directory / "said", "w+")
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.said)
        self.proc = Path(f"/proc/{self.process.pid}")
        until(lambda: "/_.Log" in (self.proc / "maps").read_text() and self.waits(), 10, "it doesn't follow the log")

    def waits(self):
        """Whether it has handlers for its signals, as one that follows a log has."""
        masks = re.findall(r"^Sig(?:Blk|Cgt):\s+(\w+)", (self.proc / "status").read_text(), re.M)
        return any(int(mask, 16) >> (signal.SIGUSR2 - 1) & 1 for mask in masks)

    def has_seen(self, count):
        self.said.seek(0, os.SEEK_END)
        begin = self.said.tell()
        self.process.send_signal(signal.SIGUSR2)
        until(lambda: len(self.accounts(begin)) == self.count, 10, "no accounts")
        account = self.accounts(begin)[0]
        return account["written"] + account.get("queued", 0) >= count

    def accounts(self, begin=0):
        self.said.seek(begin)
        lines = [line for line in self.said.read().splitlines() if "seen=" in line]
        return [{name: int(value) for name, value in re.findall(r"(\w+)=(\d+)", line)} for line in lines]

    def finish(self):
        """Ends it. Its processor time in seconds, its last accounts, and how many lines have arrived."""
        taken = []
        pipe = threading.Thread(target=lambda: taken.append(self.process.stdout.read().count(b"\n")))
        self.process.send_signal(signal.SIGTERM)
        pipe.start()
        pipe.join()
        _, status, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = status
        arrived = [gzip.decompress((self.directory / "all.gz").read_bytes()).count(b"\n")]
        if self.count > 1:
            arrived += [count_lines(self.directory / "errors"), taken[0]]
        if status != 0:
            self.said.seek(0)
            raise Failure(f"spillway ended with {status}: {self.said.read().strip()}")
        accounts = self.accounts()[-self.count:]
        self.said.close()
        return usage.ru_utime + usage.ru_stime, accounts, arrived


def wrong(account, arrived, seen):
    """What doesn't agree."""
    if account["seen"] != account["written"] + account["filtered"] + account["dropped"]:
        yield "the account doesn't add up"
    if account["dropped"] or account["lost"]:
        yield "something was lost"
    if account["written"] != arrived:
        yield f"{arrived} lines have arrived, not {account['written']}"
    if account["seen"] != seen:
        yield f"it has seen {account['seen']}, not {seen} like the first"


def one_round(bench, varnish, number):
    """Both programs at once; each is started first as often as last. Microseconds for each request, and faults."""
    before = varnish.served()
    followers = {}
    for count in COUNTS if number % 2 else COUNTS[::-1]:
        followers[count] = Outputs(bench.spillway, varnish, bench.scratch / f"outputs-{number}-{count}", count)
    varnish.load(bench.sizes.seconds)
    served = varnish.served() - before
    for one in followers.values():
        until(lambda: one.has_seen(served), 60, f"not as many lines as varnishd has counted requests, {served},")
    costs, faults = [], []
    for count in COUNTS:
        cpu, accounts, arrived = followers[count].finish()
        costs.append(cpu / served * 1e6)
        # Not the other program's count: that program may have ended before a connection's end was logged.
        seen = accounts[0]["seen"]
        faults += [
            f"round {number}, output {index + 1} of {count}: {fault}"
            for index, account in enumerate(accounts) for fault in wrong(account, arrived[index], seen)]
        if arrived[0] != served:
            faults.append(f"round {number}: {arrived[0]} lines for {served} requests")
    return costs, faults


def outputs(bench):
    alone, all_three, faults = [], [], []
    varnish = Varnish(bench.scratch)
    try:
        for number in range(1, bench.sizes.rounds + 1):
            costs, found = one_round(bench, varnish, number)
            alone.append(costs[0])
            all_three.append(costs[1])
            faults += found
    finally:
        varnish.stop()
    ours, first = Series(all_three), Series(alone)
    if ours.median > first.median * LIMIT:
        faults.append(f"three outputs take {ours.median / first.median:.2f} times what the first does alone;"
                      f" it must be below {LIMIT}")
    row = Row("outputs", "three outputs, varnishd under load", "CPU per request, µs", ours, first,
              beside="the first alone")
    return Outcome([row], faults=faults)


CASES = [Case("outputs", "output", "what further outputs of a live run cost, and whether they are exact", outputs,
              ("varnishd", "varnishadm", "varnishstat", "wrk"))]
