"""Processes that may take no more than a part of a core.

That is what control groups are for. Where none can be made, a thread here stops a process that has had more than its
part, and lets it go on later.
"""

import os
import signal
import threading
import time
from pathlib import Path

_PERIOD_MICROSECONDS = 10_000
_CGROUPS = Path("/sys/fs/cgroup")


def limit(follower, part):
    """Limits a follower; ends with the follower when `lift` is called on what this gives."""
    for way in (_GroupOfSecondKind, _GroupOfFirstKind):
        try:
            return way(follower, part)
        except OSError:
            continue
    return _Interruptions(follower, part)


class _Group:
    """A control group with one process in it."""

    way = "a control group"

    def __init__(self, parent, follower, part):
        self.path = parent / f"spillway-benchmark-{follower.process.pid}"
        self.path.mkdir()
        try:
            self.set(int(_PERIOD_MICROSECONDS * part))
            (self.path / "cgroup.procs").write_text(str(follower.process.pid))
        except OSError:
            self.path.rmdir()
            raise

    def lift(self):
        """Removes the group, once its process is gone."""
        for _ in range(100):
            try:
                self.path.rmdir()
                return
            except OSError:
                time.sleep(0.02)


class _GroupOfSecondKind(_Group):
    def __init__(self, follower, part):
        if "cpu" not in (_CGROUPS / "cgroup.subtree_control").read_text().split():
            raise OSError("there is no controller for processor time")
        super().__init__(_CGROUPS, follower, part)

    def set(self, quota):
        (self.path / "cpu.max").write_text(f"{quota} {_PERIOD_MICROSECONDS}")


class _GroupOfFirstKind(_Group):
    def __init__(self, follower, part):
        super().__init__(_CGROUPS / "cpu", follower, part)

    def set(self, quota):
        (self.path / "cpu.cfs_period_us").write_text(str(_PERIOD_MICROSECONDS))
        (self.path / "cpu.cfs_quota_us").write_text(str(quota))


class _Interruptions:
    """Stops a process as soon as it has had more than its part since the beginning of a while."""

    way = "stopping and continuing"
    _STEP = 0.002
    # An unused part of the quota is lost after this many seconds.
    _WHILE = 0.05

    def __init__(self, follower, part):
        self.follower, self.part = follower, part
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()

    def _watch(self):
        allowed_from, spent_before = time.monotonic(), self.follower.cpu_seconds()
        is_stopped = False
        while not self.is_over.wait(self._STEP):
            try:
                now, spent = time.monotonic(), self.follower.cpu_seconds()
                ahead = spent - spent_before - (now - allowed_from) * self.part
                if (ahead > 0) != is_stopped:
                    is_stopped = not is_stopped
                    os.kill(self.follower.process.pid, signal.SIGSTOP if is_stopped else signal.SIGCONT)
                if ahead < -self._WHILE * self.part:
                    allowed_from, spent_before = now - self._WHILE, spent
            except (OSError, ProcessLookupError):
                return

    def lift(self):
        self.is_over.set()
        self.thread.join()
