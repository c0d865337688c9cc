#!/usr/bin/env python3
"""The results in short: framewire, the best of the others, and the floor on epoll, row by row.

    benches/peers/summary.py RESULTS.json [--write]

Prints the table; with --write it also takes the place of the one in README.md and in the manual,
and the pictures that stand beside RESULTS.json are copied to benches/peers/results.
"""

import json
import os
import shutil
import sys

from figures import OF_WINDOWS, counted
from report import cell

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
FILES = ("README.md", os.path.join("src", "manual", "performance.md"))
BEGIN, END = "<!-- benches/peers/summary.py -->", "<!-- so far -->"

RUST = ("fastwebsockets", "sockudo-ws", "sockudo-ws-protocol", "soketto", "tokio-websockets",
        "tungstenite", "web-socket", "wtx", "yawc")
# Those that open a WebSocket by a handshake of their own.
GREETERS = ("framewire", "soketto", "tokio-websockets", "tungstenite", "wtx", "ws", "bun")


def figures(row):
    """What counts in a row, and with how many digits it is shown."""
    return counted(row), 0 if row["is_idle"] else 2


def title(row):
    if row["is_idle"]:
        return row["title"] + ": bytes"
    if row["open_loop"]:
        return "%s: %s" % (row["title"], OF_WINDOWS)
    return row["title"]


def rivals(row, found):
    """The figures of other libraries, as far as they are their own."""
    own = {name: it for name, it in found.items()
           if name != "framewire" and not name.startswith("floor-")}
    if row["unit"] == "handshake":
        own = {name: it for name, it in own.items() if name in GREETERS}
    return own


def best(found, names):
    return min(((it.middle, name) for name, it in found.items() if name in names), default=None)


def table(results):
    lines = ["| load | framewire | best other in Rust | Bun | `ws` | floor on epoll |",
             "|---" * 6 + "|"]
    for row in results["rows"]:
        found, digits = figures(row)
        other = best(rivals(row, found), RUST)
        shown = "–" if other is None else "%.*f %s" % (digits, *other)
        middle = ["%.*f" % (digits, found[name].middle) if name in found else "–"
                  for name in ("bun", "ws", "floor-epoll")]
        lines.append("| %s | %s | %s | %s |" % (
            title(row), cell(found.get("framewire"), digits), shown, " | ".join(middle)))
    return "\n".join(lines)


def ahead(results):
    """Who is ahead of framewire, row by row."""
    lines = []
    for row in results["rows"]:
        found, digits = figures(row)
        own = found.get("framewire")
        if own is None:
            continue
        names = sorted((it.middle, name) for name, it in rivals(row, found).items()
                       if it.middle < own.middle)
        if names:
            shown = ", ".join("%s %.*f" % (name, digits, middle) for middle, name in names)
            lines.append("- %s: %s" % (title(row), shown))
    if not lines:
        return "Nobody is ahead of framewire in any row."
    return "Where others are ahead of framewire:\n\n" + "\n".join(lines)


def summary(results):
    machine = results["machine"]
    words = "%(cpu)s, %(cores)d cores, %(system)s %(kernel)s" % machine
    words += "; %(rounds)d rounds of %(seconds)g s, all servers in each." % results
    return "\n\n".join([words, table(results), ahead(results)])


def put(path, text):
    """Puts the text between the marks of a file."""
    with open(path) as file:
        before, rest = file.read().split(BEGIN, 1)
    _, after = rest.split(END, 1)
    with open(path, "w") as file:
        file.write("%s%s\n\n%s\n\n%s%s" % (before, BEGIN, text, END, after))


def main():
    arguments = [it for it in sys.argv[1:] if it != "--write"]
    if len(arguments) != 1:
        sys.exit(__doc__)
    with open(arguments[0]) as file:
        results = json.load(file)
    text = summary(results)
    print(text)
    if "--write" not in sys.argv[1:]:
        return
    for path in FILES:
        put(os.path.join(ROOT, path), text)
    pictures = os.path.join(HERE, "results")
    os.makedirs(pictures, exist_ok=True)
    folder = os.path.dirname(os.path.abspath(arguments[0]))
    for name in sorted(os.listdir(folder)):
        if name.endswith((".svg", "results.md")):
            shutil.copy(os.path.join(folder, name), pictures)


if __name__ == "__main__":
    main()
