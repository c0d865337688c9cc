// Random messages: `echo` sends back what comes, `exchange` sends a file of them and compares.

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createPlain } from 'node:http';
import { createServer as createSecure } from 'node:https';
import { WebSocket, WebSocketServer } from 'ws';

const MESSAGE_BYTES_MAX = 16 * 1024 * 1024;
const IN_FLIGHT = 16;

const DEFLATE = {
  'off': false,
  'default': { threshold: 64 },
  'no-takeover': { threshold: 64, serverNoContextTakeover: true, clientNoContextTakeover: true },
  'small-windows': { threshold: 64, serverMaxWindowBits: 9, clientMaxWindowBits: 10 },
};

// Marsaglia's xorshift: the same numbers in every run.
function random() {
  let state = 2463534242;
  return (bound) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % bound;
  };
}

// Half the messages are whole, the others in up to eight fragments.
function fragments(below, size) {
  const cuts = [0, size];
  const count = below(2) === 0 ? 0 : below(8);
  for (let index = 0; index < count; index += 1) cuts.push(below(size + 1));
  cuts.sort((one, other) => one - other);
  return cuts.slice(1).map((cut, index) => cut - cuts[index]);
}

// Sends a message in fragments of these sizes; `done` is called when it has been handed on.
function send(socket, data, binary, sizes, done) {
  let from = 0;
  sizes.forEach((size, index) => {
    const fin = index === sizes.length - 1;
    socket.send(data.subarray(from, from + size), { binary, fin }, fin ? done : undefined);
    from += size;
  });
}

export function echo(deflate, certificate, key) {
  const http = certificate
    ? createSecure({ cert: readFileSync(certificate), key: readFileSync(key) })
    : createPlain();
  const server = new WebSocketServer({
    server: http,
    maxPayload: MESSAGE_BYTES_MAX,
    maxFragments: 0,
    perMessageDeflate: DEFLATE[deflate],
  });
  server.on('connection', (socket) => {
    const below = random();
    socket.on('error', (error) => console.error(error.message));
    socket.on('message', (data, binary) => {
      send(socket, data, binary, fragments(below, data.length));
    });
  });
  http.listen(0, '127.0.0.1', () => {
    const scheme = certificate ? 'wss' : 'ws';
    console.log(`listening on ${scheme}://127.0.0.1:${http.address().port}`);
  });
}

function* messages(path) {
  const file = readFileSync(path);
  for (let at = 0; at < file.length;) {
    const binary = file[at] === 2;
    const count = file.readUInt32LE(at + 1);
    at += 5;
    const sizes = Array.from({ length: count }, (_, index) => file.readUInt32LE(at + 4 * index));
    at += 4 * count;
    const size = sizes.reduce((sum, one) => sum + one, 0);
    yield { binary, sizes, data: file.subarray(at, at + size) };
    at += size;
  }
}

// Returns the exit status.
export async function exchange(url, deflate, path, root) {
  const socket = new WebSocket(url, {
    ca: root ? readFileSync(root) : undefined,
    maxPayload: MESSAGE_BYTES_MAX,
    maxFragments: 0,
    perMessageDeflate: DEFLATE[deflate],
  });
  const planned = [...messages(path)];
  let sent = 0;
  let same = 0;
  let difference = null;
  const more = () => {
    while (sent < planned.length && sent - same < IN_FLIGHT) {
      const { data, binary, sizes } = planned[sent];
      send(socket, data, binary, sizes);
      sent += 1;
    }
  };
  socket.on('open', more);
  socket.on('message', (data, binary) => {
    const wanted = planned[same];
    if (!wanted || wanted.binary !== binary || !wanted.data.equals(data)) {
      difference ??= `message ${same} came back different: ${data.length} bytes`;
      socket.terminate();
      return;
    }
    same += 1;
    if (same === planned.length) socket.close(1000);
    else more();
  });
  socket.on('error', (error) => { difference ??= `message ${same}: ${error.message}`; });
  const [code] = await once(socket, 'close');
  if (code !== 1000) difference ??= `message ${same}: closed with ${code}`;
  console.log(difference ?? `same ${same}`);
  return difference ? 1 : 0;
}
