"""The implementations that the suite is played to, installed and started.

They are installed into the same folders as tests/interop uses, under the target directory.
"""

import fcntl
import json
import os
import pathlib
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[3]
SOURCES = ROOT / "tests/peers"
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
INSTALLED = TARGET / "tmp/peers"
MIB = 1 << 20


def run(*command, folder=ROOT):
    subprocess.run([str(part) for part in command], cwd=folder, check=True,
                   stdin=subprocess.DEVNULL)


def prepared(name, pins, install):
    """Copies a peer beside its packages, which are installed when `pins` have changed."""
    INSTALLED.mkdir(parents=True, exist_ok=True)
    with open(INSTALLED / f"{name}.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder = INSTALLED / name
        folder.mkdir(exist_ok=True)
        for source in (SOURCES / name).iterdir():
            target = folder / source.name
            if source.is_file() and not (
                    target.exists() and target.read_bytes() == source.read_bytes()):
                shutil.copyfile(source, target)
        pinned = "".join((SOURCES / name / pin).read_text(encoding="utf-8") for pin in pins)
        stamp = folder / "installed"
        if not stamp.exists() or stamp.read_text(encoding="utf-8") != pinned:
            install(folder)
            stamp.write_text(pinned, encoding="utf-8")
    return folder


class Peer:
    """One implementation: how it is started in either role, and its largest message there."""

    def __init__(self, name, version, server, client, limits=(MIB, MIB)):
        self.name, self.version = name, version
        self.server, self.client = server, client
        self.limits = dict(zip(("server", "client"), limits))


def framewire():
    run("cargo", "build", "--locked", "--quiet", "--bin", "framewire")
    binary = str(TARGET / "debug/framewire")
    shown = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True)
    serve = [binary, "echo", "--listen", "127.0.0.1:0", "--workers", "1", "--deflate",
             "--message-bytes-max", str(MIB)]
    answer = [binary, "autobahn-client", "URL", "--agent", "framewire"]
    # The client of Autobahn takes messages of 16 MiB, as that suite demands.
    return Peer("framewire", shown.stdout.split()[-1], serve, answer, (MIB, 16 * MIB))


def node():
    def install(folder):
        run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent", folder=folder)

    folder = prepared("node", ["package.json", "package-lock.json"], install)
    version = json.loads((folder / "package.json").read_text())["dependencies"]["ws"]
    script = ["node", str(folder / "deflate.mjs")]
    return Peer("ws", version, script + ["serve"], script + ["answer", "URL"])


def python():
    def install(folder):
        run("python3", "-m", "venv", "--clear", "venv", folder=folder)
        run("venv/bin/python", "-m", "pip", "install", "-q", "--disable-pip-version-check",
            "--require-hashes", "-r", "requirements.txt", folder=folder)

    folder = prepared("python", ["requirements.txt"], install)
    pinned = (folder / "requirements.txt").read_text(encoding="utf-8")
    version = pinned.partition("websockets==")[2].split()[0]
    script = [str(folder / "venv/bin/python"), "-B", str(folder / "deflate.py")]
    return Peer("websockets", version, script + ["serve"], script + ["answer", "URL"])


def yawc():
    manifest = SOURCES / "yawc/Cargo.toml"
    target = INSTALLED / "yawc"
    run("cargo", "build", "--release", "--locked", "--quiet", "--manifest-path", manifest,
        "--target-dir", target)
    version = manifest.read_text(encoding="utf-8").partition('yawc = { version = "=')[2]
    binary = str(target / "release/framewire-peer-yawc")
    return Peer("yawc", version.partition('"')[0], [binary, "serve"], [binary, "answer", "URL"])


ALL = {"framewire": framewire, "ws": node, "websockets": python, "yawc": yawc}


class Server:
    """A server in a process of its own, ended by its own handle."""

    def __init__(self, command):
        self.child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                      stderr=subprocess.DEVNULL, text=True)
        line = self.child.stdout.readline()
        if "ws://" not in line:
            self.end()
            raise RuntimeError(f"{command[0]} said {line!r} instead of where it listens")
        host, _, port = line.strip().rpartition("//")[2].rpartition(":")
        self.address = host, int(port)

    def is_alive(self):
        return self.child.poll() is None

    def end(self):
        self.child.kill()
        self.child.wait()
        self.child.stdout.close()


def start_client(peer, address):
    command = [f"ws://{address[0]}:{address[1]}" if part == "URL" else part
               for part in peer.client]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL)
