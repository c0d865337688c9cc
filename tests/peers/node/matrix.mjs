// Random messages: `echo` sends back what comes, `exchange` sends a file of them and compares.
//
// A package is a pair of functions. `listen(http, deflate, accepted)` gives `accepted` a socket for
// each connection; `connect(url, deflate, root)` returns one. A socket has `send(data, binary,
// sizes)`, `close()`, and calls `onopen`, `onmessage(data, binary)`, `onclose(code)` and
// `onerror(error)`.

import { readFileSync } from 'node:fs';
import { createServer as createPlain } from 'node:http';
import { createServer as createSecure } from 'node:https';

const IN_FLIGHT = 16;

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

export function echo({ listen }, deflate, certificate, key) {
  const http = certificate
    ? createSecure({ cert: readFileSync(certificate), key: readFileSync(key) })
    : createPlain();
  listen(http, deflate, (socket) => {
    const below = random();
    socket.onerror = (error) => console.error(error.message);
    socket.onmessage = (data, binary) => {
      socket.send(data, binary, fragments(below, data.length));
    };
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
export async function exchange({ connect }, url, deflate, path, root) {
  const planned = [...messages(path)];
  const socket = connect(url, deflate, root && readFileSync(root));
  let sent = 0;
  let same = 0;
  const more = () => {
    while (sent < planned.length && sent - same < IN_FLIGHT) {
      const { data, binary, sizes } = planned[sent];
      sent += 1;
      socket.send(data, binary, sizes);
    }
  };
  const difference = await new Promise((resolve) => {
    socket.onopen = more;
    socket.onerror = (error) => resolve(`message ${same}: ${error.message}`);
    socket.onmessage = (data, binary) => {
      const wanted = planned[same];
      if (!wanted || wanted.binary !== binary || !wanted.data.equals(data)) {
        resolve(`message ${same} came back different: ${data.length} bytes`);
        return;
      }
      same += 1;
      if (same === planned.length) socket.close();
      else more();
    };
    socket.onclose = (code) => {
      const good = code === 1000 && same === planned.length;
      resolve(good ? null : `message ${same}: closed with ${code}`);
    };
  });
  console.log(difference ?? `same ${same}`);
  return difference ? 1 : 0;
}
