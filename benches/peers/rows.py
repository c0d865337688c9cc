"""What is measured: one row for each kind of load."""

from dataclasses import dataclass

from servers import DEFERRED


@dataclass(frozen=True)
class Row:
    """One kind of load, as arguments of `framewire bench`."""
    name: str
    title: str
    load: tuple
    fan_out: bool = False
    # What the processor time is counted by.
    unit: str = "message"
    # The name of what has a 99th percentile, and whether this is a row about it.
    latency: str = "latency"
    open_loop: bool = False
    is_idle: bool = False
    warms_up: bool = True

    def takes(self, server):
        """Whether there is something to learn from the server in this row."""
        return server != DEFERRED or self.unit == "handshake"


def _echo(name, title, connections, size, *more):
    return Row(name, title, ("--connections", str(connections), "--bytes", str(size), *more))


def _fan_out(name, title, connections, size, *more):
    load = ("--fan-out", "--connections", str(connections), "--bytes", str(size), *more)
    return Row(name, title, load, fan_out=True, unit="delivery", latency="latency_to_each")


KIB, MIB = 1 << 10, 1 << 20

ROWS = (
    _echo("1x16", "1 connection, 16 B", 1, 16),
    _echo("64x16", "64 connections, 16 B", 64, 16),
    _echo("64x512", "64 connections, 512 B", 64, 512),
    _echo("64x16k", "64 connections, 16 KiB", 64, 16 * KIB),
    _echo("16x1m", "16 connections, 1 MiB", 16, MIB),
    _echo("64x1k-text", "64 connections, text of 1 KiB", 64, KIB, "--text"),
    _echo("8x16-deep", "8 connections, 16 B, 64 in flight", 8, 16, "--depth", "64"),
    _echo("8x512-deep", "8 connections, 512 B, 64 in flight", 8, 512, "--depth", "64"),
    _fan_out("fan-500x64", "fan-out to 500, 64 B", 500, 64),
    _fan_out("fan-500x64-deep", "fan-out to 500, 64 B, 16 in flight", 500, 64, "--depth", "16"),
    _fan_out("fan-50x16k", "fan-out to 50, 16 KiB", 50, 16 * KIB),
    Row("idle", "idle connection, of 5,000", ("--idle", "--connections", "5000"),
        is_idle=True, warms_up=False),
    Row("handshakes", "opening handshakes", ("--handshakes", "--connections", "16"),
        unit="handshake"),
    Row("open-loop", "64 connections, 512 B, half of what the floor can do",
        ("--connections", "64", "--bytes", "512"), open_loop=True),
)

# What the floor can do, for the rate of the open loop.
CAPACITY = _echo("capacity", "what the floor can do", 64, 512)
