"""The files of cases, read. What a line may say is written in ../README.md."""

import copy
import pathlib

from . import payload

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "cases"


class Expected:
    """One way in which a case may end."""

    def __init__(self):
        self.handshake = None
        self.fails = None
        self.told = []

    def echoes(self, limit):
        return [(kind, coded, payload.data(text, limit)) for kind, coded, text in self.told]


class Case:
    """One case."""

    def __init__(self, group):
        self.group = group
        self.name = ""
        self.roles = ["server", "client"]
        self.agree, self.offers, self.answers = [], [], []
        self.has_extension = True
        self.asks = None
        self.sends = []
        # The first is what a strict endpoint does.
        self.expected = [Expected()]

    def line(self, key, rest):
        if key == "role":
            self.roles = [rest]
        elif key == "agree" and rest == "nothing":
            self.has_extension = False
        elif key == "agree":
            self.agree = rest.split("; ")
        elif key == "offer":
            self.offers.append(rest)
        elif key == "answer":
            self.answers.append(rest)
        elif key == "asks":
            self.asks = rest
        elif key == "send":
            first, _, text = rest.partition(":")
            self.sends.append((None, False, int(first, 16), text))
        elif key == "pieces":
            size, _, rest = rest.partition(" ")
            with_pings = rest.startswith("pinged ")
            first, _, text = rest.removeprefix("pinged ").partition(":")
            self.sends.append((int(size.replace("_", "")), with_pings, int(first, 16), text))
        elif key in ("agreed", "declined", "accepted", "refused"):
            self.expected[-1].handshake = (key, int(rest) if rest else None)
        elif key == "echo":
            coded = rest.startswith("compressed ")
            kind, _, text = rest.removeprefix("compressed ").partition(" ")
            self.expected[-1].told.append((kind, coded, text))
        elif key == "fails":
            self.expected[-1].fails = int(rest)
        elif key == "or":
            self.expected.append(Expected())
        elif key != "covers":
            raise ValueError(f"`{key}` means nothing")

    def frames(self, limit):
        """First bytes and payloads, in order."""
        for size, with_pings, first, text in self.sends:
            whole = payload.data(text, limit)
            if size is None:
                yield first, whole
                continue
            pieces = [whole[at:at + size] for at in range(0, len(whole), size)]
            for at, piece in enumerate(pieces):
                opening = first & 0x7F if at == 0 else 0
                is_last = at == len(pieces) - 1
                yield opening | (first & 0x80 if is_last else 0), piece
                if with_pings and not is_last:
                    yield 0x89, b"p%d" % at


def read(path):
    """The cases of one file."""
    shared, cases = Case(path.stem), []
    for line in path.read_text(encoding="utf-8").splitlines():
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        key, _, rest = line.partition(" ")
        if key == "case":
            cases.append(copy.deepcopy(shared))
            cases[-1].name = rest
        else:
            (cases[-1] if cases else shared).line(key, rest.strip())
    return cases


def read_all():
    """Every case of the suite."""
    return [case for path in sorted(FOLDER.glob("*.case")) for case in read(path)]
