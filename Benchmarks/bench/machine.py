"""What figures depend on besides the programs."""

import datetime
import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

from .places import ROOT


def describe(bench):
    """The machine, its system, and what is compared, as texts with names."""
    return {
        "date": datetime.date.today().isoformat(),
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "memory": f"{round(os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / (1 << 30))} GiB",
        "system": f"{_system()}, Linux {platform.release()}",
        "spillway": _first_line([bench.spillway, "--version"]) + ("" if bench.products.named else _revision()),
        "varnishncsa": _first_line(["varnishncsa", "-V"]),
    }


def _processor():
    found = re.search(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text())
    return found[1] if found else platform.machine()


def _system():
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.system()


def _revision():
    """What is checked out, which is what was built."""
    revision = _first_line(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"])
    return f" ({revision})" if revision else ""


def _first_line(command):
    if not shutil.which(command[0]):
        return ""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.stdout.partition("\n")[0] if done.returncode == 0 else ""
