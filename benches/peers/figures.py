"""From samples to figures: ratios to the floor of the same round, and their spread."""

from dataclasses import dataclass
from statistics import median

from servers import FLOOR

# Of a whole run, and of the tenth of a second in the middle, as the generator names them.
PERCENTILES = {"p99": "p99_us", "p99 of windows": "p99_of_windows_us"}
# The second of these in words.
OF_WINDOWS = "99th percentile, middle of the tenths of a second"


@dataclass
class Figure:
    """A median, and the least and the greatest."""
    middle: float
    least: float
    most: float
    rounds: int

    @classmethod
    def of(cls, values):
        return cls(median(values), min(values), max(values), len(values)) if values else None


def value(row, sample, what):
    """One figure of one sample; None where it has none."""
    if "failed" in sample:
        return None
    told = sample["told"]
    if what == "cpu":
        return told["server"].get("cpu_ns_per_%s" % row["unit"])
    if what == "rate":
        names = {"message": "messages", "delivery": "deliveries", "handshake": "handshakes"}
        return told.get("%s_per_second" % names[row["unit"]])
    if what in PERCENTILES:
        return told.get(row["latency"], {}).get(PERCENTILES[what])
    return told["server"].get("bytes_per_connection")


def ratios(row, what):
    """For each server, its figure over that of the floor in the same round."""
    floors, found = {}, {}
    for sample in row["samples"]:
        if sample["server"] == FLOOR:
            floors[sample["round"]] = value(row, sample, what)
    for sample in row["samples"]:
        own, floor = value(row, sample, what), floors.get(sample["round"])
        if own is not None and floor:
            found.setdefault(sample["server"], []).append(own / floor)
    return {server: Figure.of(values) for server, values in found.items()}


def plain(row, what):
    """For each server, the figure itself."""
    found = {}
    for sample in row["samples"]:
        own = value(row, sample, what)
        if own is not None:
            found.setdefault(sample["server"], []).append(own)
    return {server: Figure.of(values) for server, values in found.items()}


def counted(row):
    """For each server, the figure that counts in the row."""
    if row["is_idle"]:
        return plain(row, "memory")
    return ratios(row, "p99 of windows" if row["open_loop"] else "cpu")


def failures(results):
    """What went wrong, in words, once for each server and row."""
    seen = {("the gate", server): why for server, why in results["left_out"].items()}
    for row in results["rows"]:
        for sample in row["samples"]:
            if "failed" in sample:
                seen.setdefault((row["name"], sample["server"]), sample["failed"])
    return ["%s, %s: %s" % (server, row, why) for (row, server), why in seen.items()]
