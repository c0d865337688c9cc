"""What an endpoint sends, inflated in a window of just the agreed size."""

import zlib

TAIL = b"\x00\x00\xff\xff"


class Unreadable(Exception):
    """The endpoint sent what its peer cannot read."""


class Inflater:
    """The receiving end of one direction."""

    def __init__(self, agreement):
        self.bits, self.keeps = agreement.endpoint_bits, agreement.endpoint_keeps
        self.stream = zlib.decompressobj(-self.bits)

    def message(self, data):
        if data.endswith(TAIL):
            raise Unreadable("ends in the tail that a sender takes away")
        if not self.keeps:
            self.stream = zlib.decompressobj(-self.bits)
        try:
            out = self.inflate(data + TAIL)
        except zlib.error as error:
            raise Unreadable(f"cannot be inflated: {error}") from error
        if self.stream.eof:
            raise Unreadable("has a block marked as the last one")
        return out

    def inflate(self, data):
        if self.bits == 15:
            return self.stream.decompress(data)
        # zlib looks no further back than its window only behind what one call has put out, so
        # each call puts out one byte.
        out = []
        for at in range(0, len(data), 64):
            piece = data[at:at + 64]
            while True:
                byte = self.stream.decompress(piece, 1)
                out.append(byte)
                piece = self.stream.unconsumed_tail
                if not byte and not piece:
                    break
        return b"".join(out)
