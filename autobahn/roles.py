"""Runs the suite against a server or a client, and watches that it gets on.

A process is ended through its own handle, and nothing outlives a run.
"""

import json
import os
import queue
import re
import socket
import subprocess
import threading
import time

LISTENING = re.compile(r"^listening on (wss?://\S+)", re.MULTILINE)
STARTED = re.compile(r"^Ok, will run \d+ test cases", re.MULTILINE)
CASE = re.compile(r"^Running test case ID (\S+)", re.MULTILINE)
REPORTED = "Report generation complete"
# One message of 16 MiB is the largest that the suite sends.
MESSAGE_BYTES_MAX = 16 * 1024 * 1024


class Failed(Exception):
    """The run could not be finished; the message says why and where to look."""


class Process:
    """A child process whose output goes to a file."""

    def __init__(self, command, log, folder):
        self.name = os.path.basename(command[0])
        self.log = log
        environment = dict(os.environ, PYTHONUNBUFFERED="1")
        environment.pop("PYTHONPATH", None)
        with open(log, "w") as file:
            self.child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT,
                cwd=folder, env=environment)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.child.poll() is None:
            self.child.terminate()
            try:
                self.child.wait(10)
            except subprocess.TimeoutExpired:
                self.child.kill()
        self.child.wait()

    def said(self):
        with open(self.log, errors="replace") as file:
            return file.read()

    def ended(self):
        return self.child.poll() is not None

    def expect(self, pattern, seconds):
        """Waits until the output holds `pattern`, and returns the match."""
        deadline = time.monotonic() + seconds
        while True:
            over = self.ended() or time.monotonic() > deadline
            match = re.search(pattern, self.said())
            if match:
                return match
            if over:
                raise Failed("%s did not say `%s`: see %s" % (self.name, pattern, self.log))
            time.sleep(0.05)


class Run:
    """One role: which binary, which cases, where the reports go, how long it may take.

    `tls` is the certificate and the key of whoever is the server, or None for no TLS.
    """

    def __init__(self, suite, binary, cases, folder, stall_seconds, total_seconds, tls=None):
        self.suite = suite
        self.binary = binary
        self.cases = cases
        self.folder = folder
        self.stall_seconds = stall_seconds
        self.total_seconds = total_seconds
        self.tls = tls
        self.seconds = 0.0
        self.failure = None

    def server(self, agent):
        """Runs the fuzzing client of the suite against `framewire echo`."""
        # The suite offers compression in its compression cases alone.
        command = [self.binary, "echo", "--listen", "127.0.0.1:0", "--deflate"]
        command += ["--message-bytes-max", str(MESSAGE_BYTES_MAX)]
        if self.tls:
            command += ["--tls-cert", self.tls[0], "--tls-key", self.tls[1]]
        with self.process(command, "framewire.log") as server:
            url = server.expect(LISTENING, 30).group(1)
            spec = self.spec({"servers": [{"agent": agent, "url": url}]})
            with self.process(self.wstest("fuzzingclient", spec), "wstest.log") as wstest:
                self.watch(wstest, wstest, server)

    def client(self, agent):
        """Runs `framewire autobahn-client` against the fuzzing server of the suite."""
        scheme = "wss" if self.tls else "ws"
        url = "%s://127.0.0.1:%d" % (scheme, free_port())
        target = {"url": url}
        if self.tls:
            target.update(cert=self.tls[0], key=self.tls[1])
        spec = self.spec(target)
        # Without `-u 0` the suite also opens a web server on a fixed port.
        command = self.wstest("fuzzingserver", spec) + ["-u", "0"]
        with self.process(command, "wstest.log") as wstest:
            wstest.expect(STARTED, 60)
            await_port(url, wstest)
            command = [self.binary, "autobahn-client", url, "--agent", agent]
            if self.tls:
                # The certificate was made for this run alone.
                command += ["--danger-accept-any-certificate"]
            with self.process(command, "framewire.log") as client:
                self.watch(client, wstest, wstest)
                if client.child.returncode:
                    raise Failed("the client ended with status %d: see %s"
                                 % (client.child.returncode, client.log))
            wstest.expect(REPORTED, 60)

    def play(self, role, agent):
        """Plays one role to its end; a failure is kept for the caller."""
        started = time.monotonic()
        try:
            getattr(self, role)(agent)
        except Failed as failure:
            self.failure = str(failure)
        self.seconds = time.monotonic() - started

    def process(self, command, log):
        return Process(command, os.path.join(self.folder, log), self.folder)

    def wstest(self, mode, spec):
        return self.suite.command(["-m", mode, "-s", spec], self.folder)

    def spec(self, target):
        """Writes the suite's configuration and returns its path."""
        path = os.path.join(self.folder, "spec.json")
        common = {"outdir": self.folder, "cases": self.cases, "exclude-cases": [],
                  "exclude-agent-cases": {}}
        with open(path, "w") as file:
            json.dump(dict(common, **target), file)
        return path

    def watch(self, awaited, wstest, other):
        """Waits for `awaited` to end while `other` lives and `wstest` starts new cases."""
        started = moved = time.monotonic()
        seen = 0
        while not awaited.ended():
            now = time.monotonic()
            size = os.path.getsize(wstest.log)
            if size != seen:
                seen, moved = size, now
            if now - moved > self.stall_seconds:
                raise Failed("no progress for %d s in case %s" % (now - moved, last_case(wstest)))
            if now - started > self.total_seconds:
                raise Failed("not done after %d s, in case %s" % (now - started, last_case(wstest)))
            if other is not awaited and other.ended() and not awaited.ended():
                raise Failed("%s ended with status %d in case %s: see %s" % (
                    other.name, other.child.returncode, last_case(wstest), other.log))
            try:
                awaited.child.wait(0.2)
            except subprocess.TimeoutExpired:
                pass


def play_all(runs, agent, jobs):
    """Plays runs, each with its role, so many at a time and in this order."""
    waiting = queue.SimpleQueue()
    for role, run in runs:
        waiting.put((role, run))

    def work():
        while True:
            try:
                role, run = waiting.get_nowait()
            except queue.Empty:
                return
            run.play(role, agent)

    threads = [threading.Thread(target=work) for _ in range(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def certificate(folder):
    """Makes a certificate for 127.0.0.1 and its key, and returns their paths."""
    paths = [os.path.join(folder, name) for name in ("certificate.pem", "key.pem")]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "7",
               "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
               "-out", paths[0], "-keyout", paths[1]]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise Failed("openssl made no certificate: %s" % done.stderr.strip())
    return paths


def last_case(wstest):
    """The case that the suite began last."""
    begun = CASE.findall(wstest.said())
    return begun[-1] if begun else "none"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def await_port(url, wstest):
    """Waits until something accepts connections at `url`."""
    host, port = url.split("//")[1].split(":")
    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection((host, int(port)), 1).close()
            return
        except OSError:
            if wstest.ended() or time.monotonic() > deadline:
                raise Failed("the suite does not listen at %s: see %s" % (url, wstest.log))
            time.sleep(0.05)
