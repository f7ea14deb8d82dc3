"""Programs that run to their end, and what they take."""

import hashlib
import shlex
import subprocess
from dataclasses import dataclass

from .failure import Failure, run
from .series import Row, Series


@dataclass
class Usage:
    """What one run of a program took."""

    user: float
    system: float
    wall: float
    peak_kib: int

    @property
    def cpu(self):
        return self.user + self.system


@dataclass
class Contender:
    """One of the programs that take turns."""

    name: str
    # `OUT` in a word stands for a path of this contender's own.
    command: list
    # The suffixes to that path in the names of the files that the program writes; none if it writes to
    # standard output.
    outputs: tuple = ("",)
    # A command that decodes the files for comparing them.
    decoder: str = ""

    @property
    def writes_to_stdout(self):
        return not self.outputs

    def words(self, path):
        return [str(word).replace("OUT", str(path)) for word in self.command]

    def files(self, path):
        return [path.with_name(path.name + suffix) for suffix in self.outputs or ("",)]


def shell(*pipeline):
    """A command that runs others, joined by a pipe or by what a word of one character says."""
    return ["sh", "-c", " ".join(word if isinstance(word, str) else shlex.join(map(str, word)) for word in pipeline)]


def measure(products, command, output="/dev/null", runs=1):
    """Runs a command so many times, and says what the kernel says of each run."""
    said = run([products.measure, runs, output, *command])
    usages = []
    for line in said.splitlines():
        user, system, wall, peak, status = line.split()
        if status != "0":
            raise Failure(f"exit status {status} of {shlex.join(map(str, command))}")
        usages.append(Usage(float(user), float(system), float(wall), int(peak)))
    return usages


def alternate(bench, contenders, runs, compare=None):
    """Runs all in turn, and each first as often as last.

    The first turn only warms up; what the contenders have written by then is handed to `compare`.
    """
    usages = {one.name: [] for one in contenders}
    paths = {one.name: bench.scratch / f"{index}.out" for index, one in enumerate(contenders)}
    for turn in range(runs + 1):
        is_warm_up = turn == 0
        for one in contenders if turn % 2 else reversed(contenders):
            path = paths[one.name]
            # Every run must write new files.
            _remove(one.files(path))
            output = path if is_warm_up and one.writes_to_stdout and compare else "/dev/null"
            usage = measure(bench.products, one.words(path), output)[0]
            if not is_warm_up:
                usages[one.name].append(usage)
        if is_warm_up and compare:
            compare(paths)
    for one in contenders:
        _remove(one.files(paths[one.name]))
    return usages


def row(case, setting, usages, requests, ours="spillway", other="varnishncsa", **more):
    """The row that two of the programs make: their processor time for each request."""
    factor = 1e6 / requests
    mine, theirs = usages[ours], usages.get(other)
    return Row(
        case, setting, "CPU per request, µs", subject=ours, beside=other,
        ours=Series([one.cpu for one in mine]).times(factor),
        other=Series([one.cpu for one in theirs]).times(factor) if theirs else None,
        our_wall=Series([one.wall for one in mine]).times(factor),
        other_wall=Series([one.wall for one in theirs]).times(factor) if theirs else None,
        our_peak=peak(mine), other_peak=peak(theirs) if theirs else None, **more)


def peak(usages):
    """The most that was resident, in MiB."""
    return max(one.peak_kib for one in usages) / 1024


def differ(contenders, paths):
    """Which files of two contenders aren't the same, once they are decoded."""
    first, second = contenders
    names = []
    for mine, theirs in zip(first.files(paths[first.name]), second.files(paths[second.name])):
        if _digest(mine, first.decoder) != _digest(theirs, first.decoder):
            names.append(f"output {mine.suffix.lstrip('.')}" if len(first.outputs) > 1 else "the output")
    return names


def _digest(file, decoder):
    """What stands for all that a file has, once it is decoded."""
    digest = hashlib.blake2b()
    command = [*(decoder or "cat").split(), str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as decoding:
        while chunk := decoding.stdout.read(1 << 20):
            digest.update(chunk)
        said = decoding.stderr.read().decode(errors="replace").strip()
    return said or digest.digest()


def _remove(files):
    for file in files:
        file.unlink(missing_ok=True)
