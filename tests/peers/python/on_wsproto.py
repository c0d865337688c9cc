"""Sockets made of the package `wsproto`, which has no I/O, and asyncio's streams."""

import asyncio
import codecs
from urllib.parse import urlsplit

from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Ping,
    Request,
    TextMessage,
)
from wsproto.extensions import PerMessageDeflate

READ_BYTES = 256 * 1024


class Socket:
    def __init__(self, kind, reader, writer):
        self.protocol = WSConnection(kind)
        self.reader = reader
        self.writer = writer
        self.opening = None
        self.text = bytearray()
        self.octets = bytearray()
        self.events = iter(())
        self.ended = False

    async def write(self, event):
        self.writer.write(self.protocol.send(event))
        await self.writer.drain()

    async def event(self):
        """The next event, None at the end of TCP."""
        while True:
            for event in self.events:
                return event
            if self.ended:
                return None
            data = await self.reader.read(READ_BYTES)
            self.ended = not data
            self.protocol.receive_data(data or None)
            self.events = self.protocol.events()

    async def send(self, text, pieces):
        if text:
            # It takes fragments of whole characters only.
            decoder = codecs.getincrementaldecoder("utf-8")()
            pieces = [decoder.decode(piece) for piece in pieces]
        message = TextMessage if text else BytesMessage
        for index, piece in enumerate(pieces):
            await self.write(message(piece, message_finished=index == len(pieces) - 1))

    async def recv(self):
        while True:
            event = await self.event()
            if isinstance(event, TextMessage):
                self.text += event.data.encode()
                if event.message_finished:
                    whole, self.text = bytes(self.text), bytearray()
                    return True, whole
            elif isinstance(event, BytesMessage):
                self.octets += event.data
                if event.message_finished:
                    whole, self.octets = bytes(self.octets), bytearray()
                    return False, whole
            elif isinstance(event, Ping):
                await self.write(event.response())
            elif isinstance(event, CloseConnection):
                if self.protocol.state.name == "REMOTE_CLOSING":
                    await self.write(event.response())
                self.writer.close()
                return None
            elif event is None:
                self.writer.close()
                return None

    async def close(self):
        await self.write(CloseConnection(code=1000))
        await self.recv()


def extensions(deflate):
    if deflate == "off":
        return []
    if deflate == "no-takeover":
        return [PerMessageDeflate(client_no_context_takeover=True,
                                  server_no_context_takeover=True)]
    if deflate == "small-windows":
        return [PerMessageDeflate(client_max_window_bits=10, server_max_window_bits=9)]
    return [PerMessageDeflate()]


async def serve(deflate, tls, answer, listening):
    async def accepted(reader, writer):
        socket = Socket(ConnectionType.SERVER, reader, writer)
        if isinstance(await socket.event(), Request):
            await socket.write(AcceptConnection(extensions=extensions(deflate)))
            await answer(socket)

    server = await asyncio.start_server(accepted, "127.0.0.1", 0, ssl=tls)
    listening(server.sockets[0].getsockname()[1])
    await server.serve_forever()


async def connect(url, deflate, tls):
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port, ssl=tls)
    socket = Socket(ConnectionType.CLIENT, reader, writer)
    await socket.write(Request(host=parts.netloc, target=parts.path or "/",
                               extensions=extensions(deflate)))
    answer = await socket.event()
    if not isinstance(answer, AcceptConnection):
        raise ConnectionError("answered %r" % answer)
    return socket
