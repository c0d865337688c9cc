#!/usr/bin/env python3
"""Compares reports of Autobahn|Testsuite with expected.json, case by case.

    gate.py REPORTS --role server [--cases PATTERNS]   compare, exit 1 on any difference
    gate.py REPORTS --role server --record             write the demands on these cases down
    gate.py --self-test                                show that the comparison can fail

The suite itself exits 0 whatever happened, forgives NON-STRICT behaviour, and takes a dropped
connection for a close with the right code. None of that passes here, and a result that is
better than expected is a difference too.
"""

import argparse
import collections
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
EXPECTED = os.path.join(HERE, "expected.json")
COLUMNS = ("behavior", "behaviorClose")
# The suite's own Close has no body in this case, so the answer to it need not have one either.
EMPTY_CLOSE = ("7.3.1",)

Outcome = collections.namedtuple("Outcome", "results differences counts")


def load_expected(path=EXPECTED):
    """The demands by case and role."""
    with open(path) as file:
        return json.load(file)["cases"]


def load_results(folder, agent):
    """What the suite reported for `agent`, by case; empty when it reported nothing."""
    try:
        with open(os.path.join(folder, "index.json")) as file:
            return json.load(file).get(agent, {})
    except FileNotFoundError:
        return {}


def order(case):
    """Sorts case ids by their numbers."""
    return [int(part) for part in case.split(".")]


def select(known, patterns):
    """The cases of `known` that `patterns` name: exact ids, or prefixes that end in `*`.

    An exact id is kept even where it is unknown, so that it counts as missing later.
    """
    chosen = {pattern for pattern in patterns if not pattern.endswith("*")}
    prefixes = tuple(pattern[:-1] for pattern in patterns if pattern.endswith("*"))
    chosen.update(case for case in known if case.startswith(prefixes))
    return sorted(chosen, key=order)


def compare(results, expected, role, planned):
    """Compares `results` with the demands on `role`; every planned case must be there."""
    differences = [] if results or planned else [("all", "nothing was asked for and nothing ran")]
    for case in sorted(set(planned) | set(results), key=order):
        demand = expected.get(case, {}).get(role)
        if case not in results:
            differences.append((case, "did not run"))
        elif demand is None:
            differences.append((case, "ran, but expected.json has no demand on it"))
        else:
            differences += [(case, why) for why in judge(results[case], demand)]
    return Outcome(results, differences, tally(results, expected, role))


def judge(result, demand):
    """Says in words where `result` is not what is demanded."""
    for column in COLUMNS:
        if result[column] != demand[column]:
            yield "%s is %s, expected %s" % (column, result[column], demand[column])
    if result["remoteCloseCode"] not in demand["close"]:
        wanted = " or ".join(named(code) for code in demand["close"])
        yield "close code is %s, expected %s" % (named(result["remoteCloseCode"]), wanted)


def named(code):
    return "missing" if code is None else str(code)


def tally(results, expected, role):
    """Counts each column by its values."""
    counts = {column: collections.Counter() for column in COLUMNS + ("close code",)}
    for case, result in results.items():
        for column in COLUMNS:
            counts[column][result[column]] += 1
        demanded = expected.get(case, {}).get(role, {}).get("close", [])
        code = result["remoteCloseCode"]
        word = "as expected" if code in demanded else "missing" if code is None else "wrong"
        counts["close code"][word] += 1
    return counts


def lines(role, outcome):
    """The counts of one role, a line for each column."""
    for column, counter in outcome.counts.items():
        values = ", ".join("%d %s" % (count, word) for word, count in counter.most_common())
        total = sum(counter.values())
        yield "%-10s %-13s %d cases: %s" % (role, column, total, values or "nothing reported")


def grouped(role, differences):
    """The differences as lines, cases with the same fault on one line."""
    cases = {}
    for case, why in differences:
        cases.setdefault(why, []).append(case)
    for why, ids in cases.items():
        yield "%s %s: %s" % (role, why, " ".join(ids))


def record(folder, agent, role, path=EXPECTED):
    """Writes the demands on the cases of a report: the best verdict that each can have.

    That is INFORMATIONAL where the suite gives nothing else, and OK everywhere else, whatever
    the run itself got. The close codes are those that the suite names in the case's own report.
    """
    try:
        with open(path) as file:
            document = json.load(file)
    except FileNotFoundError:
        document = {"suite": "", "cases": {}}
    cases = document["cases"]
    for case, result in load_results(folder, agent).items():
        with open(os.path.join(folder, result["reportfile"])) as file:
            codes = json.load(file)["expectedClose"]["closeCode"]
        demand = {column: result[column] if result[column] == "INFORMATIONAL" else "OK"
                  for column in COLUMNS}
        demand["close"] = sorted(set(codes)) + ([None] if case in EMPTY_CLOSE else [])
        cases.setdefault(case, {})[role] = demand
    with open(path, "w") as file:
        file.write(written(document))


def written(document):
    """The document as text, one line for each case."""
    ids = sorted(document["cases"], key=order)
    rows = [' %s: %s' % (json.dumps(case), json.dumps(document["cases"][case], sort_keys=True))
            for case in ids]
    head = '{"suite": %s, "cases": {\n' % json.dumps(document["suite"])
    return head + ",\n".join(rows) + "\n}}\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("reports", nargs="?", help="folder that holds index.json")
    parser.add_argument("--role", choices=("server", "client"))
    parser.add_argument("--agent", default="framewire")
    parser.add_argument("--cases", default="*", help="ids and prefixes, separated by commas")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--self-test", action="store_true")
    options = parser.parse_args()
    if options.self_test:
        import unittest
        suite = unittest.defaultTestLoader.discover(HERE, pattern="test_*.py")
        return 0 if unittest.TextTestRunner().run(suite).wasSuccessful() else 1
    if not options.reports or not options.role:
        parser.error("a folder of reports and --role are needed")
    if options.record:
        record(options.reports, options.agent, options.role)
        return 0
    expected = load_expected()
    results = load_results(options.reports, options.agent)
    planned = select(expected, options.cases.split(","))
    outcome = compare(results, expected, options.role, planned)
    for line in (*lines(options.role, outcome), *grouped(options.role, outcome.differences)):
        print(line)
    return 1 if outcome.differences else 0


if __name__ == "__main__":
    sys.exit(main())
