"""Captures converted into lines and text, beside Varnish's own tools, once for each way of lying in the page cache."""

from dataclasses import dataclass

from .. import captures
from ..processes import Contender, alternate, differ, row, shell
from ..series import Outcome
from .case import Case

FIELDS = (
    '%h %l %u %t "%r" %s %b "%{Referer}i" "%{User-agent}i" %D %T %m %U %q %H %I %O %{Host}i %{Varnish:hitmiss}x'
    " %{Varnish:time_firstbyte}x")
# A property that one in two hundred requests of the capture has.
RARE = "RespStatus == 404"
# The format of the third of three outputs.
SHORT = "%t %m %U %s"


@dataclass
class Conversion:
    """What spillway and a tool of Varnish are told to make of the same capture."""

    name: str
    about: str
    # Takes the path of the capture.
    ours: object
    theirs: object
    tools: tuple = ("varnishncsa",)
    outputs: tuple = ("",)
    decoder: str = ""
    # How many threads of spillway read and render; Varnish's tools have one.
    threads: int = 1
    # Whether both must write the same.
    is_compared: bool = True

    def contenders(self, program, capture):
        return [
            Contender(
                "spillway", [program, *self.ours(capture), "--threads", str(self.threads)], self.outputs,
                self.decoder),
            Contender(self.tools[0], self.theirs(capture), self.outputs, self.decoder)]

    def case(self):
        return Case(self.name, "convert", self.about, self.measure, self.tools)

    def measure(self, bench):
        rows, faults = [], set()
        for folios, path in captures.in_both(bench.capture):
            contenders = self.contenders(bench.spillway, path)
            compare = lambda paths: faults.update(f"{name} is another one" for name in differ(contenders, paths))
            usages = alternate(bench, contenders, bench.sizes.runs, compare if self.is_compared else None)
            rows.append(row(self.name, folios, usages, bench.capture.requests, other=self.tools[0]))
        return Outcome(rows, faults=sorted(faults))


def lines(name, about, *arguments, threads=1):
    """Lines of requests, to a file."""
    return Conversion(
        name, about,
        ours=lambda capture: ["ncsa", "-r", capture, *arguments, "-w", "OUT"],
        theirs=lambda capture: ["varnishncsa", "-r", capture, *arguments, "-w", "OUT"], threads=threads)


def packed(name):
    """The same in a compressed file, which varnishncsa's have to be piped for."""
    return Conversion(
        name, f"--{name}=1, beside varnishncsa | {name} -1",
        ours=lambda capture: ["ncsa", "-r", capture, f"--{name}=1", "-w", "OUT"],
        theirs=lambda capture: shell(["varnishncsa", "-r", capture], "|", [name, "-1"], "> OUT"),
        tools=("varnishncsa", name), decoder=f"{name} -dc")


def text(name, grouping):
    """The log as text, to /dev/null."""
    return Conversion(
        name, f"log -g {grouping}, beside varnishlog",
        ours=lambda capture: ["log", "-r", capture, "-g", grouping],
        theirs=lambda capture: ["varnishlog", "-r", capture, "-g", grouping],
        tools=("varnishlog",), outputs=())


def three_outputs():
    """One run of spillway, and three of varnishncsa, one after the other."""
    def ours(capture):
        outputs = ["file=OUT.1", f'file=OUT.2 query="{RARE}"', f'file=OUT.3 format-text="{SHORT}"']
        return ["ncsa", "-r", capture] + [word for output in outputs for word in ("--output", output)]

    def theirs(capture):
        reading = ["varnishncsa", "-r", capture]
        return shell(
            [*reading, "-w", "OUT.1"], "&&", [*reading, "-q", RARE, "-w", "OUT.2"], "&&",
            [*reading, "-F", SHORT, "-w", "OUT.3"])

    return Conversion(
        "three-outputs", "all lines, a query's, and a short format, beside three runs of varnishncsa", ours, theirs,
        outputs=(".1", ".2", ".3"))


CONVERSIONS = [
    lines("default", "the default format, to a file"),
    lines("threads", "the same, read and rendered by two threads", threads=2),
    Conversion(
        "stdout", "the default format, to /dev/null",
        ours=lambda capture: ["ncsa", "-r", capture],
        theirs=lambda capture: ["varnishncsa", "-r", capture], outputs=()),
    lines("json", "values escaped for JSON, -j", "-j"),
    lines("fields", "20 fields, -F", "-F", FIELDS),
    lines("query", f"-q '{RARE}', which is rare", "-q", RARE),
    lines("no-match", "-q 'RespStatus >= 500', which there is none of", "-q", "RespStatus >= 500"),
    lines("request", "lines of grouped requests, -g request", "-g", "request"),
    packed("gzip"),
    packed("zstd"),
    three_outputs(),
    text("log-raw", "raw"),
    text("log-vxid", "vxid"),
    Conversion(
        "top", "top -i ReqURL, beside varnishtop",
        ours=lambda capture: ["top", "-1", "-i", "ReqURL", "-r", capture],
        theirs=lambda capture: ["varnishtop", "-1", "-i", "ReqURL", "-r", capture],
        # Varnishtop lists all values, spillway the most frequent ones, in memory that doesn't grow with them.
        tools=("varnishtop",), outputs=(), is_compared=False),
]


def limits(bench):
    """What no reader can do without, beside the default format in the same turns."""
    rows = []
    for folios, path in captures.in_both(bench.capture):
        ours = CONVERSIONS[0].contenders(bench.spillway, path)[0]
        walk = Contender("header walk", [bench.products.limits, "walk", path], ())
        copy = Contender("memory copy", [bench.products.limits, "copy", path], ())
        usages = alternate(bench, [ours, walk, copy], bench.sizes.runs)
        for one in (walk, copy):
            made = row("limits", folios, usages, bench.capture.requests, other=one.name)
            made.note = f"{1 / made.ratio:.2f} times the {one.name}"
            rows.append(made)
    return Outcome(rows)


CASES = [one.case() for one in CONVERSIONS] + [
    Case("limits", "convert", "the default format, beside a bare header walk and a memory copy in C", limits)]
