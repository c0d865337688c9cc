"""The results as Markdown and as pictures."""

import os
from xml.sax.saxutils import escape

from figures import OF_WINDOWS, counted, failures, ratios

COLOURS = {"framewire": "#0b6e4f", "floor": "#9aa0a6", "other": "#3b6ea5"}


def colour(server):
    kind = "floor" if server.startswith("floor-") else server
    return COLOURS.get(kind, COLOURS["other"])


def cell(figure, digits=2, scale=1.0):
    if figure is None:
        return "–"
    shown = "%.*f" % (digits, figure.middle * scale)
    if figure.rounds == 1:
        return shown
    return "%s (%.*f–%.*f)" % (
        shown, digits, figure.least * scale, digits, figure.most * scale)


def table(servers, columns):
    """`columns` are pairs of a title and, for each server, a text."""
    lines = ["| server | %s |" % " | ".join(title for title, _ in columns),
             "|---" * (len(columns) + 1) + "|"]
    for server in servers:
        cells = [texts.get(server, "–") for _, texts in columns]
        lines.append("| %s | %s |" % (server, " | ".join(cells)))
    return "\n".join(lines)


def _columns(rows, figure, digits=2):
    return [(row["title"], {server: cell(it, digits) for server, it in figure(row).items()})
            for row in rows]


def markdown(results):
    machine, versions = results["machine"], results["versions"]
    servers = results["servers"]
    rows = [row for row in results["rows"] if not row["is_idle"]]
    closed = [row for row in rows if not row["open_loop"]]
    open_loop = [row for row in rows if row["open_loop"]]
    parts = ["# Side by side",
             "%(cpu)s, %(cores)d cores, %(system)s %(kernel)s." % machine
             + " %(rounds)d rounds of %(seconds)g s, seed %(seed)d." % results
             + " In brackets the least and the greatest of the rounds; – is no figure."]

    if results["accept_noise"]:
        parts.append("**Something else may have used the machine: these are no results.**")

    def section(title, words, columns):
        if columns:
            parts.extend(["## " + title, words, table(servers, columns)])

    section("Server processor time for each message, as a ratio to `floor-tokio`",
            "The ratio is to the floor of the same round; the lower, the less work. A fan-out "
            "counts deliveries.",
            _columns(closed, counted))
    section("Messages a second, as a ratio to `floor-tokio`",
            "Of both ends together, so it says less about the server than the table above.",
            _columns(closed, lambda row: ratios(row, "rate")))
    section("Open loop: %s, as a ratio to `floor-tokio`" % OF_WINDOWS,
            "Messages leave on time whether answered or not, and the time to the answer counts "
            "from when one was to leave. Each tenth of a second has a 99th percentile, and the "
            "median of these is taken: a stall of the machine spoils the tenths that it falls "
            "into, and not the run.",
            _columns(open_loop, counted))
    section("99th percentile of the time to the answer over the whole run, as a ratio to "
            "`floor-tokio`",
            "With the next message waiting for the last, but for the open loop. One stall of the "
            "machine can decide it, whoever is measured.",
            _columns(rows, lambda row: ratios(row, "p99")))
    idle = [row for row in results["rows"] if row["is_idle"]]
    section("Resident bytes for each idle connection",
            "Of the server's process, without what the system holds for a socket.",
            _columns(idle, counted, digits=0))
    wrong = failures(results)
    if wrong:
        parts.extend(["## What was not measured", "\n".join("- " + line for line in wrong)])
    discarded = sum(row["discarded"] for row in results["rows"])
    parts.append("%d runs were discarded and repeated because something else used the machine."
                 % discarded)
    parts.extend(["## Versions", "\n".join(
        "- %s: %s" % (name, versions[name]) for name in [*servers, "rustc"] if name in versions)])
    return "\n\n".join(parts) + "\n"


def bars(title, what, note, figures):
    """A picture of one bar for each server, the least first, with a line for the spread."""
    ordered = sorted(figures.items(), key=lambda it: it[1].middle)
    left, right, top, step = 190, 110, 56, 24
    width, height = 760, top + step * len(ordered) + 36
    most = max(figure.most for _, figure in ordered) or 1
    scale = (width - left - right) / most
    parts = ['<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" '
             'font-family="sans-serif" font-size="13">' % (width, height),
             '<rect width="100%" height="100%" fill="white"/>',
             '<text x="12" y="24" font-size="16">%s</text>' % escape(title),
             '<text x="12" y="42" fill="#555">%s; lower is better</text>' % escape(what)]
    for at, (server, figure) in enumerate(ordered):
        y = top + step * at
        end = left + figure.middle * scale
        parts.append('<text x="%d" y="%d" text-anchor="end">%s</text>'
                     % (left - 8, y + 15, escape(server)))
        parts.append('<rect x="%d" y="%d" width="%.1f" height="16" fill="%s"/>'
                     % (left, y + 3, max(end - left, 1), colour(server)))
        parts.append('<path d="M%.1f %d H%.1f" stroke="black"/>'
                     % (left + figure.least * scale, y + 11, left + figure.most * scale))
        shown = "%.2f" % figure.middle if figure.middle < 100 else "%.0f" % figure.middle
        parts.append('<text x="%.1f" y="%d">%s</text>'
                     % (left + figure.most * scale + 6, y + 15, shown))
    parts.append('<text x="12" y="%d" font-size="11" fill="#555">%s</text></svg>'
                 % (height - 12, escape(note)))
    return "\n".join(parts) + "\n"


def write(results, folder):
    """Writes the table and the pictures, and returns the table."""
    note = "%(cpu)s, %(cores)d cores, %(system)s %(kernel)s" % results["machine"]
    note += "; %s" % results["versions"]["framewire"]
    for row in results["rows"]:
        if row["is_idle"]:
            what = "resident bytes for each idle connection"
        elif row["open_loop"]:
            what = OF_WINDOWS + ", as a ratio to floor-tokio"
        else:
            what = "server time for each %s, as a ratio to floor-tokio" % row["unit"]
        figures = counted(row)
        if figures:
            path = os.path.join(folder, row["name"] + ".svg")
            with open(path, "w") as file:
                file.write(bars(row["title"], what, note, figures))
    text = markdown(results)
    with open(os.path.join(folder, "results.md"), "w") as file:
        file.write(text)
    return text
