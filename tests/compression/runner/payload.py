"""Payloads as the cases write them, down to the bits of DEFLATE (RFC 1951)."""

import functools
import re

TOKEN = re.compile(r'\s*(?:"([^"]*)"|(\[)|(\])|([^\s"\[\]]+))')

RAW, FIXED, DYNAMIC = "raw", "fixed", "dynamic"


def number(word, limit):
    """Digits with `_` between them, or `LIMIT` with something added or taken away."""
    if not word.startswith("LIMIT"):
        return int(word.replace("_", ""))
    return limit + (int(word[5:].replace("_", "")) if word[5:] else 0)


@functools.lru_cache(maxsize=64)
def noise(length, seed):
    """Bytes that do not compress, the same ones in every run."""
    out, state = bytearray(), seed
    for _ in range(length):
        state = (state * 1_103_515_245 + 12_345) & 0xFFFFFFFF
        out.append(state >> 16 & 0xFF)
    return bytes(out)


def fixed_literal(byte):
    return format(0x30 + byte, "08b") if byte < 144 else format(0x190 + byte - 144, "09b")


FIXED_LITERALS = [fixed_literal(byte) for byte in range(256)]


def low_first(value, count):
    return format(value, f"0{count}b")[::-1] if count else ""


@functools.lru_cache(maxsize=1024)
def copy_bits(length, distance):
    """A copy in the fixed code (RFC 1951 §3.2.5, §3.2.6)."""
    if length == 258:
        symbol, extra, bits = 285, 0, 0
    elif length <= 10:
        symbol, extra, bits = 254 + length, 0, 0
    else:
        bits = (length - 3).bit_length() - 3
        step = (length - 3) >> bits
        symbol, extra = 257 + 4 * bits + step, length - 3 - (step << bits)
    code = format(symbol - 256, "07b") if symbol < 280 else format(0xC0 + symbol - 280, "08b")
    code += low_first(extra, bits)
    if distance <= 4:
        symbol, extra, bits = distance - 1, 0, 0
    else:
        bits = (distance - 1).bit_length() - 2
        step = (distance - 1) >> bits
        symbol, extra = 2 * bits + step, distance - 1 - (step << bits)
    return code + format(symbol, "05b") + low_first(extra, bits)


def zeros(count):
    """A run of symbols that do not occur, in the code for lengths of `DYNAMIC_HEADER`."""
    return "0" + low_first(count - 11, 7)


# 258 bytes from the byte before are `0` `0`, the byte 00 is `10`, the end of the block is `11`.
DYNAMIC_HEADER = (
    "0" + low_first(2, 2) + low_first(286 - 257, 5) + low_first(0, 5) + low_first(18 - 4, 4)
    + "".join(low_first(n, 3) for n in [0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 2])
    + "11" + zeros(138) + zeros(117) + "11" + zeros(28) + "10" + "10"
)


class Bits:
    """Bits in the order of RFC 1951 §3.1.1: each byte is filled from its lowest bit."""

    def __init__(self):
        self.done = bytearray()
        self.waiting = []

    def push(self, bits):
        self.waiting.append(bits)

    def align(self):
        bits = "".join(self.waiting)
        self.waiting.clear()
        if bits:
            size = -(-len(bits) // 8)
            self.done += int(bits[::-1], 2).to_bytes(size, "little")

    def literals(self, data, coding):
        if coding == RAW:
            self.align()
            self.done += data
        elif coding == FIXED:
            self.push("".join(FIXED_LITERALS[byte] for byte in data))
        else:
            assert not any(data), "the dynamic block knows no byte but 00"
            self.push("10" * len(data))

    def run(self, byte, length, coding):
        copies = 0 if coding == RAW else max(length - 1, 0) // 258
        single = length - 258 * copies
        rest = single - 1 if coding == FIXED and single > 3 else 0
        self.literals(bytes([byte]) * (single - rest), coding)
        self.push(("00" if coding == DYNAMIC else copy_bits(258, 1)) * copies)
        if rest:
            self.push(copy_bits(rest, 1))

    def stored(self, last, inside):
        self.push("100" if last else "000")
        self.align()
        size = len(inside)
        self.done += size.to_bytes(2, "little") + (size ^ 0xFFFF).to_bytes(2, "little") + inside


class Reader:
    """The words of one payload, read from the left."""

    def __init__(self, text, limit):
        self.tokens = []
        for quoted, opening, closing, word in TOKEN.findall(text):
            kind = "open" if opening else "close" if closing else "word" if word else "text"
            self.tokens.append((kind, word or quoted))
        self.at, self.limit = 0, limit

    def word(self):
        kind, word = self.tokens[self.at]
        assert kind == "word", f"a word is due and `{word}` stands there"
        self.at += 1
        return word

    def number(self):
        return number(self.word(), self.limit)

    def items(self, bits, coding):
        while self.at < len(self.tokens):
            kind, word = self.tokens[self.at]
            if kind == "close":
                return
            self.at += 1
            assert kind != "open", "a bracket that belongs to nothing"
            if kind == "text":
                bits.literals(word.encode(), coding)
            else:
                self.item(word, bits, coding)

    def group(self, bits, coding):
        assert self.tokens[self.at][0] == "open", "a bracket is due"
        self.at += 1
        self.items(bits, coding)
        assert self.tokens[self.at][0] == "close", "a bracket is open"
        self.at += 1

    def raw_group(self):
        inside = Bits()
        self.group(inside, RAW)
        inside.align()
        return bytes(inside.done)

    def item(self, word, bits, coding):
        if word == "repeat":
            times, start = self.number(), self.at
            for _ in range(times):
                self.at = start
                self.group(bits, coding)
        elif word == "run":
            byte = bytes.fromhex(self.word())[0]
            bits.run(byte, self.number(), coding)
        elif word == "noise":
            length = self.number()
            bits.literals(noise(length, self.number()), coding)
        elif word == "slice":
            start = self.number()
            length = self.number()
            bits.literals(self.raw_group()[start:start + length], coding)
        elif word == "copy":
            assert coding == FIXED, "a copy stands in a fixed block"
            length = self.number()
            bits.push(copy_bits(length, self.number()))
        elif word in ("stored", "stored-last"):
            bits.stored(word == "stored-last", self.raw_group())
        elif word in ("fixed", "fixed-last"):
            bits.push("110" if word == "fixed-last" else "010")
            self.group(bits, FIXED)
            bits.push("0000000")
            if word == "fixed-last":
                bits.align()
        elif word == "dynamic":
            bits.push(DYNAMIC_HEADER)
            self.group(bits, DYNAMIC)
            bits.push("11")
        elif word == "bits":
            bits.push(self.word())
        elif word == "end":
            bits.push("000")
            bits.align()
        elif word == "flush":
            bits.stored(False, b"")
        else:
            bits.literals(bytes.fromhex(word), coding)


@functools.lru_cache(maxsize=256)
def data(text, limit):
    """The bytes that `text` describes."""
    reader, bits = Reader(text, limit), Bits()
    reader.items(bits, RAW)
    assert reader.at == len(reader.tokens), f"a bracket without its opening one: {text}"
    bits.align()
    return bytes(bits.done)
