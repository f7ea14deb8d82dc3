"""The programs that the cases run, and the Debian packages they come from."""

import shutil
import subprocess
import sys

from .failure import Failure
from .places import ROOT

PACKAGES = {
    "varnishncsa": "varnish",
    "varnishlog": "varnish",
    "varnishd": "varnish",
    "varnishadm": "varnish",
    "varnishstat": "varnish",
    "wrk": "wrk",
    "valgrind": "valgrind",
    "strip": "binutils",
    "gzip": "gzip",
    "zstd": "zstd",
}


def packages(tools):
    return sorted({PACKAGES[tool] for tool in tools})


def check(tools):
    """Fails if a program is missing that the cases run."""
    missing = [tool for tool in sorted(tools) if not shutil.which(tool)]
    if missing:
        raise Failure(f"no {', '.join(missing)} here; Debian has that in {' '.join(packages(missing))}, and"
                      " Benchmarks/run --install installs it")


def install(tools):
    """Installs what is missing, in the way of the other scripts."""
    script = f"source {ROOT}/Scripts/setup.bash; need_packages {' '.join(packages(tools))}"
    # The script's output isn't a result, so it goes to standard error.
    if subprocess.run(["bash", "-euc", script], stdout=sys.stderr).returncode != 0:
        raise Failure(f"can't install {' '.join(packages(tools))}")
