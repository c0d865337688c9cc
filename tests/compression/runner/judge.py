"""Whether what an endpoint did is what its case demands."""

from .negotiation import NAME, answer_fault, elements

OK, MAY, WRONG, NONE = "ok", "may", "wrong", "none"


def judge(case, role, seen, limit):
    """A verdict and, unless all is as a strict endpoint does it, what happened."""
    verdict, note = against(case, role, seen, case.expected[0], limit)
    if verdict != WRONG:
        return verdict, note
    for other in case.expected[1:]:
        other_verdict, other_note = against(case, role, seen, other, limit)
        if other_verdict in (OK, MAY):
            return MAY, note
        # What has been missed of the longest way is more telling.
        if len(other.told) > len(case.expected[0].told):
            note = other_note
    return verdict, note


def against(case, role, seen, expected, limit):
    kind, number = expected.handshake or (None, None)
    if role == "server":
        verdict = server_handshake(case, seen, kind, number)
    else:
        verdict = client_handshake(case, seen, kind)
    if verdict is not None:
        return verdict
    if seen.fault:
        return WRONG, seen.fault
    return conversation(case, seen, expected, limit)


def server_handshake(case, seen, kind, number):
    """The verdict where the handshake decides; None where the messages do."""
    if seen.extensions is None:
        verdict = {"refused": OK, "declined": MAY}.get(kind, WRONG)
        return verdict, "" if verdict == OK else "refused the handshake"
    if kind == "refused":
        return WRONG, "opened: " + (", ".join(seen.extensions) or "without extension")
    answered = elements(seen.extensions)
    if not answered:
        if kind == "agreed" or (kind is None and case.has_extension):
            return MAY, "declined"
        return None
    if not case.has_extension or kind == "declined":
        return WRONG, "agreed to " + ", ".join(seen.extensions)
    if len(answered) > 1 or answered[0][0] != NAME:
        return WRONG, "answered " + ", ".join(seen.extensions)
    if kind == "agreed":
        offered = elements(case.offers)[number - 1]
        fault = answer_fault(offered[1], answered[0][1])
        return (WRONG, fault) if fault else None
    return None


def client_handshake(case, seen, kind):
    has_refused = seen.extensions is None or not seen.messages and not seen.pongs and (
        seen.close in (None, 1002, 1010)) and not case.sends
    if kind == "refused":
        return (OK, "") if has_refused else (WRONG, "accepted the answer")
    if kind == "accepted" and has_refused:
        # A client that cannot do with so small a window has to refuse it (RFC 7692 §7).
        return MAY if "bits=8" in "".join(case.answers) else WRONG, "refused the answer"
    has_small_window = any(parameter.endswith("=8") for parameter in case.agree)
    if has_small_window and seen.has_ended and seen.close is None and not seen.messages:
        return MAY, "refused the answer"
    return None


def conversation(case, seen, expected, limit):
    wanted = expected.echoes(limit)
    notes = []
    if not case.sends:
        wanted = [("text", False, b"probe")]
    got = seen.messages
    count = min(len(got), len(wanted))
    for at in range(count):
        if got[at][0] != wanted[at][0] or got[at][2] != wanted[at][2]:
            return WRONG, f"message {at + 1} is another: {short(got[at])}"
    if len(got) > len(wanted):
        return WRONG, f"echoed {short(got[count])}"
    if expected.fails is None:
        if len(got) < len(wanted):
            return WRONG, f"echoed {len(got)} of {len(wanted)} messages, {ending(seen)}"
        if seen.close != 1000:
            return WRONG, ending(seen)
    elif not seen.has_ended and seen.close in (None, 1000):
        return WRONG, f"did not fail: {ending(seen)}"
    else:
        if len(got) < len(wanted):
            notes.append(f"echoed {len(got)} of {len(wanted)} messages before")
        if seen.close != expected.fails:
            notes.append(ending(seen))
    if any(wanted[at][1] and not got[at][1] for at in range(count)):
        notes.append("sent uncompressed")
    return (MAY, ", ".join(notes)) if notes else (OK, "")


def ending(seen):
    if seen.close is not None:
        return f"closed with {seen.close}"
    return "ended without a Close" if seen.has_ended else "went silent"


def short(message):
    kind, _, data = message
    shown = data[:16].hex() + ("…" if len(data) > 16 else "")
    return f"{kind} of {len(data)} bytes {shown}".rstrip()
