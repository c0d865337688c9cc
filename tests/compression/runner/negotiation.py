"""Offers and answers of permessage-deflate (RFC 7692 §7.1), as the tester sees them."""

NAME = "permessage-deflate"
TAKEOVERS = ("server_no_context_takeover", "client_no_context_takeover")
WINDOWS = ("server_max_window_bits", "client_max_window_bits")
SIZES = {str(bits) for bits in range(8, 16)}


def in_role(role, parameter):
    """A parameter of `agree`, in the words of the RFC, for this role of the endpoint."""
    tester = {"server": "client_", "client": "server_"}[role]
    return parameter.replace("endpoint_", f"{role}_").replace("tester_", tester)


def elements(lines):
    """Each element of a list: its name, and its parameters in order."""
    found = []
    for element in ",".join(lines).split(","):
        name, *parameters = [part.strip() for part in element.split(";")]
        if name:
            pairs = [tuple(x.strip() for x in it.partition("=")[::2]) for it in parameters]
            found.append((name, [(key, value.strip('"')) for key, value in pairs]))
    return found


def answer_fault(offered, answered):
    """What is wrong with the answer to one offer; None where nothing is."""
    names = [name for name, _ in answered]
    if len(names) != len(set(names)):
        return "a parameter stands twice in the answer"
    for name, value in answered:
        if name in TAKEOVERS and not value:
            continue
        if name in WINDOWS and value in SIZES:
            continue
        return f"the answer says `{name}={value}`" if value else f"the answer says `{name}`"
    offered, answered = dict(offered), dict(answered)
    if "client_max_window_bits" in answered and "client_max_window_bits" not in offered:
        return "the answer has client_max_window_bits, the offer has not"
    if TAKEOVERS[0] in offered and TAKEOVERS[0] not in answered:
        return "server_no_context_takeover is not granted"
    for name in WINDOWS:
        wanted, got = offered.get(name), answered.get(name)
        if wanted and got and int(got) > int(wanted):
            return f"{name} is {got} where {wanted} was offered"
        if wanted and not got and name == WINDOWS[0]:
            return "server_max_window_bits is not granted"
    return None


class Agreement:
    """What both directions agreed to, by the answer."""

    def __init__(self, role, answered):
        answered = dict(answered)
        self.answered = answered
        bits = answered.get(f"{role}_max_window_bits")
        self.endpoint_bits = int(bits) if bits in SIZES else 15
        self.endpoint_keeps = f"{role}_no_context_takeover" not in answered

    def has(self, parameter):
        """Whether a parameter, as `agree` writes it, was agreed to."""
        name, _, value = parameter.partition("=")
        # A window of 15 bits need not be spoken of.
        return value == "15" or self.answered.get(name) == value
