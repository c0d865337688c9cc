// The npm package `ws` as the endpoint of the compression suite: `deflate.mjs serve` or
// `deflate.mjs answer URL`. What both modes do is written in ../README.md.

import { WebSocket, WebSocketServer } from 'ws';

const OPTIONS = {
  maxPayload: 1024 * 1024,
  maxFragments: 0,
  perMessageDeflate: { threshold: 64 },
};

function echo(socket) {
  socket.on('error', () => {});
  socket.on('message', (data, binary) => socket.send(data, { binary }));
}

function serve() {
  const server = new WebSocketServer({ ...OPTIONS, host: '127.0.0.1', port: 0 });
  server.on('listening', () => {
    console.log(`listening on ws://127.0.0.1:${server.address().port}`);
  });
  server.on('connection', echo);
}

function closed(socket) {
  return new Promise((resolve) => socket.on('close', resolve));
}

async function answer(url) {
  const asking = new WebSocket(`${url}/getCaseCount`, OPTIONS);
  let count = 0;
  asking.on('message', (data) => { count = Number(data); });
  await closed(asking);
  for (let index = 1; index <= count; index += 1) {
    const socket = new WebSocket(`${url}/runCase?case=${index}`, OPTIONS);
    echo(socket);
    await closed(socket);
  }
}

const [mode, url] = process.argv.slice(2);
if (mode === 'serve') {
  serve();
} else if (mode === 'answer' && url) {
  await answer(url);
} else {
  console.error('usage: deflate.mjs serve | deflate.mjs answer URL');
  process.exitCode = 2;
}
