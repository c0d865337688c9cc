"""The machine: what it is, and whether something else ran on it."""

import os
import platform
import resource
import time

TICKS = os.sysconf("SC_CLK_TCK")
SERVER_CPU, GENERATOR_CPU = 0, 1
# How much of one processor others may use, and how much the host may take away.
OTHERS_MAX, STEAL_MAX = 0.05, 0.01


def describe():
    """What the figures were taken on."""
    with open("/proc/cpuinfo") as file:
        models = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    return {
        "cpu": models[0] if models else platform.processor() or "unknown",
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "system": platform.system(),
    }


def prepare():
    """Raises the number of open files, and refuses a machine that is too small."""
    if not {SERVER_CPU, GENERATOR_CPU} <= os.sched_getaffinity(0):
        raise SystemExit("run: processors %d and %d are needed, one for the server and one for "
                         "the generator" % (SERVER_CPU, GENERATOR_CPU))
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def pinned(cpu):
    """What a child does before it becomes a program: it stays on one processor."""
    return lambda: os.sched_setaffinity(0, {cpu})


def process_seconds(pid):
    """Processor time of a process and of its children that have been waited for."""
    with open("/proc/%d/stat" % pid) as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return sum(int(field) for field in fields[11:15]) / TICKS


def processors():
    """What all processors have done so far, in seconds: busy, and taken away by the host."""
    with open("/proc/stat") as file:
        user, nice, system, _, _, irq, softirq, steal = map(int, file.readline().split()[1:9])
    return (user + nice + system + irq + softirq) / TICKS, steal / TICKS


def wait_until_quiet(patience):
    """Waits while something uses the machine, at most so many seconds."""
    window, deadline = 0.5, time.monotonic() + patience
    while time.monotonic() < deadline:
        before, _ = processors()
        time.sleep(window)
        if processors()[0] - before <= OTHERS_MAX * window:
            return


class Watch:
    """Sees what else runs while a server, and one child of this process, run."""

    def __init__(self, server):
        self.server = server
        self.before = self._now()

    def _now(self):
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        own = process_seconds(self.server) + children.ru_utime + children.ru_stime
        return own, *processors()

    def others(self, seconds):
        """The shares of one processor that others used and that the host took away. The child
        has ended by now."""
        own, busy, steal = (now - then for now, then in zip(self._now(), self.before))
        return max(0.0, busy - own) / seconds, steal / seconds

    @staticmethod
    def is_quiet(others, steal):
        return others <= OTHERS_MAX and steal <= STEAL_MAX
