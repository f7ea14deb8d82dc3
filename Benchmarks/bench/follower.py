"""Programs that follow a live log, and what they have taken so far."""

import signal
import subprocess
import time
from pathlib import Path

from .failure import Failure


class Follower:
    """A program at work."""

    def __init__(self, name, command, stdout=subprocess.DEVNULL):
        self.name = name
        self.process = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.DEVNULL)
        self.proc = Path(f"/proc/{self.process.pid}")

    def wait_until_attached(self, seconds=2.5):
        until(lambda: "/_.Log" in (self.proc / "maps").read_text(), seconds, f"{self.name} doesn't find the log")

    def cpu_seconds(self):
        """What all of its threads have spent."""
        return sum(int((task / "schedstat").read_text().split()[0]) for task in self._tasks()) / 1e9

    def wake_ups(self):
        """How often its threads have waited for something."""
        return sum(self._status(task, "voluntary_ctxt_switches") for task in self._tasks())

    def resident_mib(self):
        return self._status(self.proc, "VmRSS") / 1024

    def peak_mib(self):
        return self._status(self.proc, "VmHWM") / 1024

    def stop(self):
        # A stopped process wouldn't end.
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _tasks(self):
        return list((self.proc / "task").iterdir())

    @staticmethod
    def _status(place, name):
        for line in (place / "status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1])
        raise Failure(f"{place}/status has no {name}")


def until(condition, seconds, what):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise Failure(f"{what} in {seconds} s")
        time.sleep(0.01)


def wait_until_settled(path, quiet=0.5):
    """Waits until a file doesn't grow any more."""
    size = -1
    while (now := path.stat().st_size) != size:
        size = now
        time.sleep(quiet)


def count_lines(path):
    count = 0
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            count += chunk.count(b"\n")
    return count
