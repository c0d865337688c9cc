#!/usr/bin/env python3
"""What a second worker brings: `framewire echo` with one and with two, the generator beside them.

    benches/workers.py [--rounds N] [--seconds S] [--framewire PROGRAM]

All of it runs on this machine's processors, which are two for the question to make sense. With one
worker the generator has the other processor; with two it has to share. So the most that a second
worker could bring follows from what a message costs each side: with s for the server and g for the
generator, the machine does 2 / (s + g) in the time in which one worker and one generator do
1 / max(s, g). That is what the generator allows; it is told beside what was reached. A load that
costs a generator as much as the server allows little. The handshakes of TLS allow much, for the
server signs and the client only verifies; it needs `openssl`, for a certificate of its own.

Exit status: 0 when done, 1 when a run failed, 2 for wrong usage.
"""

import argparse
import contextlib
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
KIB = 1 << 10
# The name of a load, what it counts, and how it is made.
LOADS = (
    ("64 connections, 16 B", "message", ("--connections", "64", "--bytes", "16")),
    ("64 connections, 16 KiB", "message", ("--connections", "64", "--bytes", str(16 * KIB))),
    ("16 connections, 1 MiB", "message", ("--connections", "16", "--bytes", str(KIB * KIB))),
    ("16 connections, 512 B, 64 in flight", "message",
     ("--connections", "16", "--bytes", "512", "--depth", "64")),
    ("opening handshakes", "handshake", ("--handshakes", "--connections", "32")),
    ("opening handshakes over TLS, RSA of 4096 bits", "handshake",
     ("--handshakes", "--connections", "32", "--danger-accept-any-certificate")),
)


class Failed(Exception):
    """A run that gave no figure."""


def build():
    subprocess.run(["cargo", "build", "--release", "--locked"], cwd=ROOT, check=True)
    return ROOT / "target" / "release" / "framewire"


def certificate(folder):
    """A certificate that nobody else has, and its key."""
    certificate, key = os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:4096", "-nodes", "-days", "2", "-subj",
         "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-out", certificate,
         "-keyout", key], check=True, capture_output=True)
    return ["--tls-cert", certificate, "--tls-key", key]


@contextlib.contextmanager
def server(program, workers, tls):
    """A server that runs until the block is left, and where it listens."""
    command = [program, "echo", "--listen", "127.0.0.1:0", "--workers", str(workers), *tls]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        found = re.search(r"listening on (wss?://\S+)", process.stdout.readline())
        if not found:
            raise Failed("the server does not say where it listens")
        yield process.pid, found.group(1) + "/"
    finally:
        process.kill()
        process.wait()


def measure(program, load, workers, tls, seconds):
    """How many a second, and what each costs the server and the generator in nanoseconds."""
    _, one, arguments = load
    with server(program, workers, tls) as (pid, url):
        command = [program, "bench", url, *arguments, "--seconds", str(seconds), "--warm-up", "0.5",
                   "--verify", "off", "--server-pid", str(pid), "--json"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60)
    if done.returncode != 0:
        raise Failed((done.stderr.strip() or done.stdout.strip())[-300:])
    told = json.loads(done.stdout)
    each = "cpu_ns_per_" + one
    return told[one + "s_per_second"], told["server"][each], told["own"][each]


def row(program, load, tls, options):
    """The line of a load: what was reached and what could be."""
    reached, costs = [], []
    for _ in range(options.rounds):
        rates = []
        for workers in (1, 2):
            rate, *cost = measure(program, load, workers, tls, options.seconds)
            rates.append(rate)
            if workers == 1:
                costs.append(cost)
        reached.append(rates[1] / rates[0])
    of_server, of_generator = (statistics.median(column) for column in zip(*costs))
    allowed = 2 * max(of_server, of_generator) / (of_server + of_generator)
    middle = statistics.median(reached)
    return "| %s | %.2f (%.2f–%.2f) | %.2f | %.2f |" % (
        load[0], middle, min(reached), max(reached), allowed, of_generator / of_server)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    parser.add_argument("--seconds", type=float, default=3, metavar="S")
    parser.add_argument("--framewire", metavar="PROGRAM", help="a program that is built already")
    options = parser.parse_args()
    if options.rounds < 1 or options.seconds <= 0:
        parser.error("--rounds and --seconds are at least one, and more than nothing")
    program = os.path.abspath(options.framewire) if options.framewire else build()
    print("| load | two workers by one | allowed | generator by server |")
    print("|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        tls = certificate(folder)
        for load in LOADS:
            is_secure = "--danger-accept-any-certificate" in load[2]
            print(row(program, load, tls if is_secure else [], options), flush=True)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Failed, subprocess.SubprocessError) as why:
        print("workers: %s" % why, file=sys.stderr)
        sys.exit(1)
