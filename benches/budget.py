#!/usr/bin/env python3
"""Counts the instructions that one message costs in the engine, and holds them to a budget.

The figures are exact: the same program on the same input, counted by valgrind. Each is the
difference between a run with twice as many messages and one with so many, so that what is done
once does not count. Exit status: 0 within the budget, 1 beyond it, 2 wrong usage or no valgrind.
"""

import argparse
import json
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUDGET = ROOT / "benches" / "budget.txt"
# A compiler of another version makes a little more or less of the same source.
TOLERANCE = 0.05


def read_budget():
    """The instructions for each case, in the order of the file."""
    lines = [line.split() for line in BUDGET.read_text().splitlines()]
    return {line[0]: int(line[1]) for line in lines if line and not line[0].startswith("#")}


def build():
    command = ["cargo", "bench", "--locked", "--no-run", "--bench", "budget",
               "--message-format", "json-render-diagnostics"]
    told = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    messages = [json.loads(line) for line in told.splitlines()]
    return next(message["executable"] for message in messages
                if message["reason"] == "compiler-artifact"
                and message["target"]["name"] == "budget" and message["executable"])


def instructions(program, case, messages):
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
               program, case, str(messages)]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stderr
    return int(re.search(r"Collected : (\d+)", told).group(1))


def each(program, case):
    size = int(case.rpartition("-")[2])
    messages = 20_000 if size < 4096 else 1000
    once, twice = (instructions(program, case, messages * times) for times in (1, 2))
    return round((twice - once) / messages)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="make what is counted the budget")
    options = parser.parse_args()
    if not shutil.which("valgrind"):
        print("valgrind is not there: install the package of that name", file=sys.stderr)
        return 2
    budget, program = read_budget(), build()
    found = {case: each(program, case) for case in budget}
    for case, count in found.items():
        print(f"{case:<24}{count:>8} instructions a message, of {budget[case]}")
    if options.write:
        head = [line for line in BUDGET.read_text().splitlines() if line.startswith("#")]
        lines = [f"{case} {count}" for case, count in found.items()]
        BUDGET.write_text("\n".join(head + lines) + "\n")
        return 0
    beyond = [case for case, count in found.items() if count > budget[case] * (1 + TOLERANCE)]
    for case in beyond:
        print(f"{case} costs more than its budget", file=sys.stderr)
    return 1 if beyond else 0


if __name__ == "__main__":
    sys.exit(main())
