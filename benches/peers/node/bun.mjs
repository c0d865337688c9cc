// An echo server on Bun, whose WebSocket is uWebSockets: bun.mjs [--fan-out]

const isFanOut = process.argv.includes('--fan-out');
const bytes = 16 * 1024 * 1024;

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  fetch(request, upgrading) {
    return upgrading.upgrade(request) ? undefined : new Response('', { status: 400 });
  },
  websocket: {
    maxPayloadLength: bytes,
    backpressureLimit: 4 * bytes,
    idleTimeout: 0,
    perMessageDeflate: false,
    open(socket) {
      if (isFanOut) socket.subscribe('everybody');
    },
    // What is sent here leaves in one write; what is published, at the end of the turn.
    message(socket, data) {
      if (isFanOut) server.publish('everybody', data);
      else socket.send(data);
    },
  },
});
console.log(`listening on ws://127.0.0.1:${server.port}`);
