"""What the benchmarks beside this file have in common."""

import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent


def fail(message):
    sys.exit(f"Benchmarks/{Path(sys.argv[0]).name}: {message}")


def build(package, scratch=None):
    """Builds a package for release and gives the directory of what it made."""
    command = ["swift", "build", "-c", "release", "--package-path", str(package)]
    if scratch:
        command += ["--scratch-path", scratch]
    if subprocess.run(command, stdout=sys.stderr).returncode != 0:
        fail(f"cannot build {package}")
    shown = subprocess.run(command + ["--show-bin-path"], capture_output=True, text=True, check=True)
    return Path(shown.stdout.strip())


def program(candidate):
    """The program to judge: the one that was named, or the one that is built here."""
    path = candidate or build(HERE.parent) / "spillway"
    return shutil.which(path) or fail(f"no {path}")


def capture(requests):
    """Generates a capture once; it depends on nothing but its size."""
    path = HERE / "data" / f"capture-{requests}-1.vsl"
    path.parent.mkdir(exist_ok=True)
    if not path.exists():
        generator = build(HERE) / "CaptureGenerator"
        subprocess.run([generator, path, str(requests), "1"], check=True, stdout=subprocess.DEVNULL)
    return path


def count_lines(path):
    count = 0
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            count += chunk.count(b"\n")
    return count


def until(condition, seconds, what):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            fail(f"{what} in {seconds} s")
        time.sleep(0.01)
