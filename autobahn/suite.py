"""Finds or installs Autobahn|Testsuite, which runs on CPython 2.7 alone.

The suite goes into a virtualenv of its own, from pinned packages whose hashes are checked.
Where no CPython 2.7 exists, the container image of the same version takes its place.
"""

import fcntl
import glob
import hashlib
import os
import shutil
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
HOME = os.path.join(HERE, ".suite")
VERSION = "25.10.1"
IMAGE = (
    "crossbario/autobahn-testsuite@sha256:"
    "519915fb568b04c9383f70a1c405ae3ff44ab9e35835b085239c258b6fac3074"
)
INTERPRETERS = (
    "~/.local/python2.7/bin/python2.7",
    "/usr/local/bin/python2.7",
    "/usr/bin/python2.7",
    "/opt/python2.7/bin/python2.7",
)


class Unavailable(Exception):
    """No suite can be had on this machine; the message says what to install."""


class Suite:
    """A way to start `wstest`: `words` come before its own arguments."""

    def __init__(self, words, name):
        self.words = words
        self.name = name

    def command(self, arguments, folder):
        """The command that runs `wstest` with `folder` readable and writable for it."""
        words = [word.replace("{folder}", folder) for word in self.words]
        return words + arguments


def find():
    """Installs the suite if need be and returns it."""
    python = interpreter()
    if python:
        return Suite([installed(python)], "autobahntestsuite %s on CPython 2.7" % VERSION)
    engine = container_engine()
    if engine:
        user = "%d:%d" % (os.getuid(), os.getgid())
        words = [engine, "run", "--rm", "--init", "--network", "host", "--user", user]
        words += ["-v", "{folder}:{folder}", "-w", "{folder}", IMAGE, "wstest"]
        return Suite(words, "autobahntestsuite %s in a container" % VERSION)
    raise Unavailable(
        "no CPython 2.7 and no container engine: install one with `pyenv install 2.7.18`, "
        "or name it in PYTHON27, or start docker or podman"
    )


def interpreter():
    """The first CPython 2.7 that starts, or None."""
    pyenv = os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv")
    candidates = [os.environ.get("PYTHON27")]
    candidates += sorted(glob.glob(os.path.join(pyenv, "versions/2.7*/bin/python2.7")))
    candidates += [shutil.which("python2.7"), shutil.which("python2")]
    candidates += [os.path.expanduser(path) for path in INTERPRETERS]
    for path in candidates:
        if path and os.access(path, os.X_OK) and is_cpython27(path):
            return path
    return None


def is_cpython27(path):
    probe = "import platform; print(platform.python_implementation(), platform.python_version())"
    probe = "from __future__ import print_function; " + probe
    done = subprocess.run([path, "-c", probe], capture_output=True, text=True)
    return done.returncode == 0 and done.stdout.startswith("CPython 2.7")


def container_engine():
    """The first container engine that answers, or None."""
    for name in ("docker", "podman"):
        path = shutil.which(name)
        if path and subprocess.run([path, "info"], capture_output=True).returncode == 0:
            return path
    return None


def installed(python):
    """The path of `wstest`, installed now if it is missing or was made from other pins."""
    os.makedirs(HOME, exist_ok=True)
    wstest = os.path.join(HOME, "venv", "bin", "wstest")
    stamp = os.path.join(HOME, "installed")
    pins = fingerprint(python)
    with open(os.path.join(HOME, "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if read(stamp) != pins or not os.path.exists(wstest):
            install(python)
            with open(stamp, "w") as file:
                file.write(pins)
    return wstest


def install(python):
    """Makes the virtualenv and fills it."""
    print("installing autobahntestsuite %s with %s" % (VERSION, python), flush=True)
    boot, venv = os.path.join(HOME, "boot"), os.path.join(HOME, "venv")
    for folder in (boot, venv):
        shutil.rmtree(folder, ignore_errors=True)
    environment = dict(os.environ, PIP_DISABLE_PIP_VERSION_CHECK="1", PYTHONWARNINGS="ignore")
    # A folder of wheels that serves other Pythons on the machine must not be searched here.
    environment.pop("PIP_FIND_LINKS", None)
    environment.pop("PYTHONPATH", None)
    pip = [python, "-m", "pip"]
    if subprocess.run(pip + ["--version"], capture_output=True, env=environment).returncode:
        run([python, "-m", "ensurepip", "--user"], environment)
    pinned = ["install", "-q", "--no-deps", "--require-hashes"]
    run(pip + pinned + ["--target", boot, "-r", os.path.join(HERE, "virtualenv.txt")], environment)
    virtualenv = [python, "-m", "virtualenv", "-q", "--no-download", venv]
    run(virtualenv, dict(environment, PYTHONPATH=boot))
    pip = [os.path.join(venv, "bin", "pip")]
    run(pip + pinned + ["--no-build-isolation", "-r", requirements()], environment)


def requirements():
    """The pins to install: all, or without the one that needs a C compiler where there is none.

    wsaccel only makes the suite's own masking faster; no verdict depends on it.
    """
    path = os.path.join(HERE, "requirements.txt")
    if any(shutil.which(name) for name in ("cc", "gcc", "clang")):
        return path
    kept = [line for line in open(path) if not line.startswith("wsaccel")]
    path = os.path.join(HOME, "requirements.txt")
    with open(path, "w") as file:
        file.writelines(kept)
    return path


def run(command, environment):
    """Runs `command`, and raises with what it said when it fails."""
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise Unavailable("`%s` failed: %s" % (" ".join(command), "\n".join(said[-8:])))


def fingerprint(python):
    """What an installation was made from."""
    digest = hashlib.sha256(python.encode())
    for name in ("virtualenv.txt", "requirements.txt"):
        with open(os.path.join(HERE, name), "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def read(path):
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return None
