"""The servers: how each is built, started and named."""

import json
import os
import re
import select
import shutil
import subprocess
import time

import machine

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
TARGET = os.path.join(HERE, "target")
FLOOR = "floor-tokio"
# Accepts who has said something, as the servers do; it differs from the other in handshakes alone.
DEFERRED = "floor-tokio-deferred"
CRATES = ("fastwebsockets", "sockudo-ws", "sockudo-ws-protocol", "soketto", "tokio-websockets",
          "tungstenite", "web-socket", "wtx", "yawc")
NODE = ("ws", "bun")
NAMES = ("framewire", FLOOR, DEFERRED, "floor-epoll", *CRATES, *NODE)
STARTS_WITHIN = 10


class Programs:
    """What is built and installed."""

    def __init__(self, names, framewire=None):
        self.is_given = framewire is not None
        self.framewire = framewire or self._cargo(ROOT, "framewire")
        self.peers = self._cargo(HERE, "framewire-bench-peers")
        self.node = self._npm() if set(names) & set(NODE) else None

    @staticmethod
    def _cargo(folder, name):
        command = ["cargo", "build", "--release", "--locked", "--bin", name,
                   "--manifest-path", os.path.join(folder, "Cargo.toml")]
        # The path of the program is told, wherever the target directory is.
        told = subprocess.run([*command, "--message-format", "json-render-diagnostics"],
                              check=True, stdout=subprocess.PIPE, text=True, cwd=folder).stdout
        messages = (json.loads(line) for line in told.splitlines())
        built = [message["executable"] for message in messages
                 if message["reason"] == "compiler-artifact" and message["executable"]]
        return built[-1]

    @staticmethod
    def _npm():
        """The folder of the scripts, with their packages installed beside them."""
        folder = os.path.join(TARGET, "node")
        shutil.copytree(os.path.join(HERE, "node"), folder, dirs_exist_ok=True,
                        ignore=shutil.ignore_patterns("node_modules"))
        with open(os.path.join(folder, "package-lock.json")) as file:
            pinned = file.read()
        stamp = os.path.join(folder, "installed")
        if not os.path.exists(stamp) or open(stamp).read() != pinned:
            subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund",
                            "--silent"], check=True, cwd=folder)
            with open(stamp, "w") as file:
                file.write(pinned)
        return folder

    def bun(self):
        """The program itself: what npm links to it would be made by a script of its package."""
        packages = os.path.join(self.node, "node_modules", "@oven")
        found = [os.path.join(packages, name, "bin", "bun") for name in os.listdir(packages)]
        return next(program for program in found if runs(program))

    def command(self, name, fan_out):
        """How a server is started."""
        listen = ["--listen", "127.0.0.1:0"]
        if name == "framewire":
            command = [self.framewire, "echo", *listen, "--workers", "1",
                       "--message-bytes-max", str(16 << 20)]
        elif name == "ws":
            command = [shutil.which("node") or "node", os.path.join(self.node, "ws.mjs")]
        elif name == "bun":
            command = [self.bun(), os.path.join(self.node, "bun.mjs")]
        else:
            command = [self.peers, name, *listen]
        return command + (["--fan-out"] if fan_out else [])

    def versions(self):
        """Which version of each server is measured."""
        found = {"framewire": _said(self.framewire, "--version")}
        if self.is_given:
            found["framewire"] += ", a program that was given"
        else:
            commit = _said("git", "-C", ROOT, "describe", "--always", "--dirty")
            found["framewire"] += ", commit %s" % commit
        with open(os.path.join(HERE, "Cargo.lock")) as file:
            locked = dict(re.findall(r'name = "([^"]+)"\nversion = "([^"]+)"', file.read()))
        for name in CRATES:
            crate = {"tungstenite": "tokio-tungstenite",
                     "sockudo-ws-protocol": "sockudo-ws"}.get(name, name)
            found[name] = "%s %s" % (crate, locked[crate])
        found[FLOOR] = found[DEFERRED] = "tokio %s" % locked["tokio"]
        found["floor-epoll"] = "rustix %s" % locked["rustix"]
        with open(os.path.join(HERE, "node", "package.json")) as file:
            packages = json.load(file)["dependencies"]
        found["ws"] = "ws %s on node %s" % (packages["ws"], _said("node", "--version"))
        found["bun"] = "bun %s" % packages["bun"]
        found["rustc"] = _said("rustc", "--version")
        return found


def _said(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def runs(program):
    """Whether this is a program for this machine."""
    try:
        return subprocess.run([program, "--version"], capture_output=True).returncode == 0
    except OSError:
        return False


class Server:
    """A server that runs, until the block is left."""

    def __init__(self, programs, name, fan_out):
        self.name = name
        self.is_floor = name.startswith("floor-")
        self.process = subprocess.Popen(
            programs.command(name, fan_out), stdout=subprocess.PIPE, stdin=subprocess.DEVNULL,
            preexec_fn=machine.pinned(machine.SERVER_CPU))
        try:
            self.address = self._address()
        except Exception:
            self._end()
            raise

    def _address(self):
        line, deadline = b"", time.monotonic() + STARTS_WITHIN
        while not line.endswith(b"\n"):
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                raise RuntimeError("%s did not say in time that it listens" % self.name)
            more = os.read(self.process.stdout.fileno(), 4096)
            if not more:
                raise RuntimeError("%s ended before it listened" % self.name)
            line += more
        found = re.search(rb"listening on ws://(\S+)", line)
        if not found:
            raise RuntimeError("%s said %r instead of where it listens" % (self.name, line))
        return found.group(1).decode()

    @property
    def pid(self):
        return self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._end()

    def _end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
