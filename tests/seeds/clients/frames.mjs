// Frames that no client library sends, over plain TCP.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';

const MASK = [1, 2, 3, 4];
const masked = (text) => Buffer.from(text).map((byte, at) => byte ^ MASK[at % 4]);
const frame = (first, text) => Buffer.from([first, 0x80 | text.length, ...MASK, ...masked(text)]);

const VIOLATIONS = [
  ['RSV1', frame(0xc1, '{}'), 1002],
  ['RSV2', frame(0xa1, '{}'), 1002],
  ['RSV3', frame(0x91, '{}'), 1002],
  ['all RSV bits', frame(0xf1, '{}'), 1002],
  ['a reserved opcode', frame(0x83, '{}'), 1002],
  ['a frame without a mask', Buffer.from([0x81, 2, 0x7b, 0x7d]), 1002],
  ['a continuation of nothing', frame(0x80, '{}'), 1002],
  ['a ping in two fragments', frame(0x09, ''), 1002],
  ['text that is not UTF-8', Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0xff]), 1007],
  ['a length beyond all bounds', Buffer.from([0x81, 0xff, 0x7f, ...Array(7).fill(0xff), ...MASK]), 1009],
];

// Opens a connection by hand.
async function open(address) {
  const [host, port] = address.split(':');
  const socket = connect(Number(port), host);
  await once(socket, 'connect');
  const key = randomBytes(16).toString('base64');
  socket.write([
    'GET /websockets HTTP/1.1', `Host: ${address}`, 'Connection: Upgrade', 'Upgrade: websocket',
    'Sec-WebSocket-Version: 13', `Sec-WebSocket-Key: ${key}`, '', '',
  ].join('\r\n'));
  const [head] = await once(socket, 'data');
  assert.match(head.toString('latin1'), /^HTTP\/1\.1 101 [^]*\r\n\r\n$/);
  return socket;
}

// Sends one violation after the other, each on its own connection, and yields it with the code
// that the server has closed with.
export async function* violations(address) {
  for (const [what, bytes, code] of VIOLATIONS) {
    const socket = await open(address);
    socket.write(bytes);
    const answer = [];
    for await (const chunk of socket) answer.push(chunk);
    const close = Buffer.concat(answer);
    assert.equal(close[0], 0x88, `${what}: not a close`);
    assert.equal(close.readUInt16BE(2), code, what);
    yield what;
  }
}
