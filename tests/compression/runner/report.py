"""The table of who does what."""

from .judge import MAY, NONE, OK, WRONG

SHOWN = {OK: "ok", MAY: "ok, {}", WRONG: "**{}**", NONE: "– {}"}

HEAD = """\
# What implementations make of the compression suite

Written by `tests/compression/run`; do not edit.

- `ok`: as a strict endpoint does it. `ok, …`: something else that the RFCs permit, and what.
- **bold**: what happened where the RFCs, or the case, demand something else.
- `–`: the case does not apply, since the endpoint did not agree to what it is about.

A server may decline any offer (RFC 7692 §5), and an endpoint that fails a connection may choose
its code or send none (RFC 6455 §7.1.7); that counts as permitted, and so does refusing the whole
handshake where nothing acceptable was offered. Each implementation was set up
to accept compression, to send messages from 64 bytes on compressed where it knows such a bound,
and to take messages of up to 1 MiB; the client of framewire takes 16 MiB.
"""


def cell(verdict):
    kind, note = verdict
    if kind == OK:
        return SHOWN[OK]
    return SHOWN[kind].format(note.replace("|", "/"))


def counts(verdicts):
    kinds = [kind for kind, _ in verdicts.values()]
    return [kinds.count(kind) for kind in (OK, MAY, WRONG, NONE)]


def table(head, lines):
    rows = [head, ["---"] * len(head)] + lines
    return "\n".join("| " + " | ".join(row) + " |" for row in rows) + "\n"


def markdown(peers, cases, verdicts):
    """The whole report; `verdicts` are by the name of the peer and the role."""
    out = [HEAD]
    lines = []
    for role in ("server", "client"):
        for peer in peers:
            numbers = [str(n) for n in counts(verdicts[peer.name, role])]
            lines.append([role, f"{peer.name} {peer.version}"] + numbers)
    head = ["role", "implementation", "ok", "ok, otherwise", "wrong", "not applicable"]
    out.append(table(head, lines))
    for role in ("server", "client"):
        out.append(f"## As a {role}\n")
        groups = dict.fromkeys(case.group for case in cases if role in case.roles)
        for group in groups:
            lines = []
            for case in cases:
                if case.group == group and role in case.roles:
                    of = [verdicts[peer.name, role].get((group, case.name)) for peer in peers]
                    lines.append([f"`{case.name}`"] + [cell(verdict) for verdict in of])
            out.append(f"### {group}\n")
            out.append(table(["case"] + [peer.name for peer in peers], lines))
    return "\n".join(out)
