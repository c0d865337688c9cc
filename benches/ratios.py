#!/usr/bin/env python3
"""Prints each figure of the benches as a ratio to its floor, and holds some to a goal.

Reads what a run of `cargo bench --bench wire`, `engine`, `deflate` or `hub` has left behind. A figure
and its floors are measured there in turns, some hundred times each, and the ratio is taken within
each of these rounds; what is printed is the median, and in brackets the quartiles. A time is the
least of the rounds, since whatever else the machine does only adds to it. A ratio is the time of the
figure by that of its floor, so 1.25 costs a quarter more. Exit status: 0 within the goals, 1 beyond
one, 2 where there is nothing to read.
"""

import argparse
import json
import os
import pathlib
import re
import sys
from statistics import median, quantiles

ROOT = pathlib.Path(__file__).resolve().parents[1]

# Groups by a pattern; the figure; its floors, of which the slower counts; the goal and from which
# size on it holds. A throughput of at least 0.95 is a time of at most 1 / 0.95.
ROWS = [
    (r"unmask at \+\d+", "framewire", ["xor"], 1 / 0.95, 256),
    (r"unmask at \+\d+", "framewire", ["memcpy"], None, 0),
    (r"unmask and validate ASCII", "framewire", ["unmask", "simdutf8"], 1.15, 1024),
    (r"unmask and validate mixed", "framewire", ["unmask", "simdutf8"], None, 0),
    (r"validate .*", "framewire", ["simdutf8"], None, 0),
    (r"validate .*", "in a stream", ["simdutf8"], None, 0),
    (r"decode headers", "framewire", ["reading the bytes"], None, 0),
    (r"encode headers", "framewire", ["writing the bytes"], None, 0),
    (r"(receive|echo|echo in fragments)", "lent", ["bytes alone"], None, 0),
    (r"(receive|echo|echo in fragments)", "owned", ["bytes alone"], None, 0),
    (r"echo compressed", "lent", ["zlib-rs"], None, 0),
    (r"receive ASCII in place", "framewire", ["unmask", "simdutf8"], 1.15, 0),
    (r"(compress|inflate), context .*", "framewire", ["zlib-rs"], 1 / 0.95, 0),
    (r"publish", "framewire", ["queues"], None, 0),
    (r"broadcast of .*, engine alone", "framewire", ["not compressed"], None, 0),
    (r"broadcast of .*, sent", "framewire", ["not compressed"], 1.3, 0),
]


def read(folder):
    """The nanoseconds of each round by group, size and name."""
    found = {}
    for path in sorted(folder.glob("*.json")):
        told = json.loads(path.read_text())
        found[told["group"], told["size"]] = told["nanoseconds"]
    return found


def rows(found):
    """Each figure with its floor, in the order of the table."""
    for pattern, name, floors, goal, size_min in ROWS:
        for (group, size), rounds in sorted(found.items()):
            if not re.fullmatch(pattern, group) or not {name, *floors} <= rounds.keys():
                continue
            slowest = max(floors, key=lambda each: median(rounds[each]))
            ratios = [own / floor for own, floor in zip(rounds[name], rounds[slowest])]
            held = goal if size >= size_min else None
            yield group, size, name, slowest, rounds, ratios, held


def nanoseconds(time):
    return f"{time:,.1f}" if time < 1000 else f"{time:,.0f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.parse_args()
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    table = list(rows(read(target / "tmp" / "beside")))
    if not table:
        print("nothing measured: run `cargo bench --bench wire` first", file=sys.stderr)
        return 2
    print("| group | size | figure | ns | floor | ns | ratio | goal |")
    print("|---|---:|---|---:|---|---:|---:|---|")
    missed = 0
    for group, size, name, floor, rounds, ratios, goal in table:
        low, middle, high = quantiles(ratios, n=4)
        said = ""
        if goal:
            missed += middle > goal
            said = f"at most {goal:.2f}" + (", **missed**" if middle > goal else "")
        print(f"| {group} | {size} | {name} | {nanoseconds(min(rounds[name]))} | {floor} | "
              f"{nanoseconds(min(rounds[floor]))} | {middle:.3f} ({low:.2f}–{high:.2f}) | {said} |")
    if missed:
        print(f"{missed} goals are missed", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
