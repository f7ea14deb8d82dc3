"""The command line."""

import argparse
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from . import instructions, machine, needs, report
from .cases import ALL
from .context import FULL, QUICK, Bench
from .failure import Failure
from .places import DATA, FIGURES
from .series import Outcome

INSTRUCTIONS = "instructions"
ORDER = [case.name for case in ALL] + [INSTRUCTIONS]
COUNTABLE = [conversion.name for conversion in instructions.CONVERSIONS]


def parse():
    groups = {}
    for case in ALL:
        groups.setdefault(case.group, []).append(case)
    shown = "".join(
        f"\n  {group}\n" + "".join(f"    {case.name:15}{case.about}\n" for case in cases)
        for group, cases in groups.items())
    parser = argparse.ArgumentParser(
        prog="Benchmarks/run", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Measures what spillway takes, beside Varnish's own tools in the same turns.",
        epilog=f"cases, by group:\n{shown}")
    parser.add_argument("cases", nargs="*", metavar="CASE", help="a case or a group of cases; without any, all")
    parser.add_argument("--quick", action="store_true", help="small inputs and few runs, to see that all works")
    parser.add_argument("--bin", metavar="PATH", help="the program to judge; without it spillway is built")
    parser.add_argument("--capture", metavar="FILE", type=Path,
                        help="convert this log, which varnishlog -w has written, as many times over as it takes to"
                             " have 1 GB; for cases of the group convert")
    parser.add_argument("--instructions", action="store_true",
                        help="count instructions under callgrind instead, and compare them with those that are kept")
    parser.add_argument("--keep", action="store_true", help="keep these counts from now on")
    parser.add_argument("--readme", action="store_true",
                        help="put the figures into README.md and figures/; with --instructions, or all cases, the"
                             " counts too")
    parser.add_argument("--install", action="store_true", help="install the Debian packages that are missing")
    parser.add_argument("--results", metavar="DIR", type=Path, default=DATA / "results",
                        help="where the table goes, as Markdown and JSON, and the plots")
    parser.add_argument("--scratch", metavar="DIR", default="/dev/shm", help="where the programs' output goes")
    options = parser.parse_args()
    known = {case.name for case in ALL} | set(groups)
    for name in options.cases:
        if name not in known:
            parser.error(f"{name}: no such case; --help lists them")
    if options.instructions and not any(case.name in COUNTABLE for case in chosen(options.cases)):
        parser.error("--instructions counts cases of the group convert, and none of these is one")
    if options.readme and options.quick:
        parser.error("--readme is for figures that count, and --quick for none")
    if options.readme and options.instructions and options.cases:
        parser.error("--readme shows the counts of all cases, or none")
    if options.capture:
        if options.instructions or options.readme:
            parser.error("--capture is for figures of your own, not for those that are kept")
        if not options.cases:
            options.cases = ["convert"]
        for case in chosen(options.cases):
            if case.group != "convert":
                parser.error(f"--capture is for cases of the group convert, and {case.name} is none")
    if options.keep and not options.instructions and not options.readme:
        parser.error("--keep is for --instructions")
    return options


def chosen(names):
    return [case for case in ALL if not names or case.name in names or case.group in names]


def run(options):
    cases = chosen(options.cases)
    counts = options.instructions or (options.readme and not options.cases)
    countable = [case.name for case in cases if case.name in COUNTABLE]
    if options.instructions:
        cases = [case for case in cases if case.name in COUNTABLE]
    tools = {tool for case in cases for tool in case.tools} | set(instructions.TOOLS if counts else ())
    if options.install:
        needs.install(tools)
    needs.check(tools)
    results = report.Results(FIGURES if options.readme else options.results)
    if options.readme:
        results.load()
    sizes = QUICK if options.quick else FULL
    faults = []
    with tempfile.TemporaryDirectory(prefix="spillway-benchmark.", dir=options.scratch) as scratch:
        bench = Bench(sizes, options.bin, scratch, options.capture)
        described = machine.describe(bench)

        def add(name, about, outcome):
            faults.extend(f"{name}: {fault}" for fault in outcome.faults)
            results.add(name, about, described, asdict(sizes), outcome)
            # A later case may fail.
            results.save(ORDER)

        if not options.instructions:
            for case in cases:
                say(f"{case.name}: {case.about}")
                try:
                    add(case.name, case.about, case.measure(bench))
                except Failure as failure:
                    # The other cases may work.
                    faults.append(f"{case.name}: {failure}")
        if counts:
            say("instructions per transaction, under callgrind")
            rows, worse = instructions.count(bench, countable, options.keep)
            add(INSTRUCTIONS, "instructions under callgrind", Outcome(rows, faults=worse))
    if options.readme:
        report.rewrite_readme(results, ORDER)
    say(f"the table, also in {results.directory}")
    print(report.table(results.rows(ORDER)), end="")
    for fault in faults:
        print(f"WRONG: {fault}", file=sys.stderr)
    return 1 if faults else 0


def say(text):
    print(f"==> {text}", file=sys.stderr, flush=True)


def main():
    options = parse()
    try:
        return run(options)
    except Failure as failure:
        said = str(failure)
    except OSError as error:
        said = f"{error.filename}: {error.strerror}" if error.filename else str(error)
    except KeyboardInterrupt:
        return 130
    print(f"Benchmarks/run: {said}", file=sys.stderr)
    return 1
