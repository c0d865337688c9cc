"""Plays every case to one implementation, in one role."""

import socket

from .judge import MAY, NONE, WRONG, judge
from .negotiation import NAME, elements, in_role
from .peers import Server, start_client
from .tester import Wanted, await_client, meet_client, meet_server

PROBE = [(0x81, b"probe")]


def lines_of(case, role):
    """What the tester offers or answers."""
    if case.offers or case.answers:
        return case.offers or case.answers
    if not case.has_extension:
        return []
    return ["; ".join([NAME] + [in_role(role, parameter) for parameter in case.agree])]


def frames_of(case, limit):
    return list(case.frames(limit)) or PROBE


def wanted_of(case):
    strict = case.expected[0]
    return Wanted(len(strict.told) if case.sends else len(PROBE), strict.fails)


def not_agreed(case, role, agreement):
    """Why a case says nothing about this endpoint: it did not agree to what the case is about."""
    if agreement is None:
        return None
    for parameter in case.agree:
        if not agreement.has(in_role(role, parameter)):
            return f"did not agree to {in_role(role, parameter)}"
    return None


def play_server(peer, cases):
    """Verdicts by the name of the case, with the peer as a server."""
    verdicts, server, limit = {}, None, peer.limits["server"]
    for case in cases:
        if "server" not in case.roles:
            continue
        if server is None or not server.is_alive():
            server = Server(peer.server)
        seen = meet_server(server.address, lines_of(case, "server"), frames_of(case, limit),
                           wanted_of(case))
        why = not_agreed(case, "server", seen.agreement)
        verdicts[key(case)] = (NONE, why) if why else judge(case, "server", seen, limit)
        if not server.is_alive():
            verdicts[key(case)] = WRONG, "the process ended"
    if server is not None:
        server.end()
    return verdicts


def key(case):
    return case.group, case.name


def not_asked(case, offers):
    """Why a case says nothing about this client: its offer has not what the case answers."""
    offered = next((dict(parameters) for name, parameters in offers if name == NAME), None)
    if offered is None:
        return "offered no compression"
    if case.asks is not None:
        name, _, value = case.asks.partition("=")
        if name not in offered or (value and offered[name] != value):
            return f"did not ask for {case.asks}"
        return None
    wants_bits = any(it.startswith("endpoint_max_window_bits") for it in case.agree)
    if wants_bits and "client_max_window_bits" not in offered:
        return "did not offer client_max_window_bits"
    if case.has_extension and "server_no_context_takeover" in offered:
        return "demands server_no_context_takeover"
    if case.has_extension and "server_max_window_bits" in offered:
        return "demands server_max_window_bits"
    return None


def play_client(peer, cases):
    """Verdicts by the name of the case, with the peer as a client that is told what to do as
    Autobahn's fuzzing server tells it."""
    cases = [case for case in cases if "client" in case.roles]
    verdicts, limit = {}, peer.limits["client"]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        child = start_client(peer, listener.getsockname())
        try:
            while len(verdicts) < len(cases):
                asked = await_client(listener)
                if "getCaseCount" in asked.target:
                    tell_count(asked, len(cases))
                elif "case=" in asked.target:
                    index = int(asked.target.partition("case=")[2].partition("&")[0])
                    case = cases[index - 1]
                    verdicts[key(case)] = meet(case, asked, limit)
            finish(listener, child)
        except TimeoutError:
            for case in cases:
                verdicts.setdefault(key(case), (WRONG, "the client stopped asking"))
        finally:
            child.kill()
            child.wait()
    return verdicts


def meet(case, asked, limit):
    why = not_asked(case, asked.offers)
    if why and why != "offered no compression":
        asked.stream.close()
        return NONE, why
    if why:
        asked.stream.close()
        return MAY, why
    seen = meet_client(asked, lines_of(case, "client"), frames_of(case, limit), wanted_of(case))
    return judge(case, "client", seen, limit)


def tell_count(asked, count):
    with asked.stream as stream:
        asked.answer([])
        text = str(count).encode()
        stream.sendall(bytes([0x81, len(text)]) + text + b"\x88\x02\x03\xe8")
        # The client's Close, then its end; it may also end at once.
        stream.settimeout(10)
        try:
            while stream.recv(4096):
                pass
        except OSError:
            pass


def finish(listener, child):
    """A client of Autobahn asks for a report at the end; it is let go unanswered."""
    listener.settimeout(0.5)
    for _ in range(20):
        if child.poll() is not None:
            return
        try:
            stream, _ = listener.accept()
            stream.close()
        except TimeoutError:
            pass
