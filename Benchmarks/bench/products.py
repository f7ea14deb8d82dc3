"""What has to be built before anything can be measured."""

import functools
import shutil
import subprocess
import sys
from pathlib import Path

from .failure import Failure, run
from .places import HERE, ROOT


class Products:
    """The program to judge, and the benchmarks' own programs, each built when it is asked for."""

    def __init__(self, named):
        self.named = named

    @functools.cached_property
    def spillway(self):
        """The program that was named, or the one that is built here."""
        if self.named:
            found = shutil.which(self.named)
            if not found:
                raise Failure(f"--bin {self.named}: no such program")
            return str(Path(found).resolve())
        # Built as for a release.
        return str(build(ROOT, "spillway", "--static-swift-stdlib"))

    @functools.cached_property
    def measure(self):
        return build(HERE, "measure")

    @functools.cached_property
    def limits(self):
        return build(HERE, "limits")

    @functools.cached_property
    def generator(self):
        return build(HERE, "CaptureGenerator")

    @functools.cached_property
    def ship(self):
        return build(HERE, "ship")

    @functools.cached_property
    def writelog(self):
        return build(HERE, "writelog")


def build(package, product, *options):
    """Builds an executable for release and gives its path."""
    if not shutil.which("swift"):
        raise Failure(f"no swift here to build {product}; this needs Swift 6.2 or newer, from"
                      " https://www.swift.org/install")
    command = ["swift", "build", "-c", "release", "--package-path", str(package), "--product", product, *options]
    if subprocess.run(command, stdout=sys.stderr).returncode != 0:
        raise Failure(f"can't build {product} in {package}")
    return Path(run(command + ["--show-bin-path"]).strip()) / product
