// An echo server on `ws` of npm: ws.mjs [--fan-out]

import { Sender, WebSocketServer } from 'ws';

const TEXT = 1;
const BINARY = 2;
const options = { fin: true, mask: false, readOnly: true, rsv1: false };
const isFanOut = process.argv.includes('--fan-out');
const everybody = new Set();
let frames = [];

// What is sent until the end of this turn leaves in one write.
function echo(socket, raw, data, binary) {
  if (raw.writableCorked === 0) {
    raw.cork();
    queueMicrotask(() => raw.uncork());
  }
  socket.send(data, { binary });
}

// The frames of this turn are encoded once, and written to every socket at once.
function publish(data, binary) {
  if (frames.length === 0) queueMicrotask(deliver);
  frames.push(...Sender.frame(data, { ...options, opcode: binary ? BINARY : TEXT }));
}

function deliver() {
  const bytes = Buffer.concat(frames);
  frames = [];
  for (const raw of everybody) raw.write(bytes);
}

const server = new WebSocketServer({
  host: '127.0.0.1',
  port: 0,
  backlog: 4096,
  maxPayload: 16 * 1024 * 1024,
  perMessageDeflate: false,
});
server.on('listening', () => {
  console.log(`listening on ws://127.0.0.1:${server.address().port}`);
});
server.on('connection', (socket, request) => {
  const raw = request.socket;
  raw.setNoDelay(true);
  socket.on('error', () => {});
  if (isFanOut) {
    everybody.add(raw);
    socket.on('close', () => everybody.delete(raw));
    socket.on('message', publish);
  } else {
    socket.on('message', (data, binary) => echo(socket, raw, data, binary));
  }
});
