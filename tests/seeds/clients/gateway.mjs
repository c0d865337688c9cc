// Clients of the gateway with nothing but the configuration of the first one.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';

import { WebSocket } from 'ws';

import { Talk } from './talk.mjs';

// The server finds its configuration at the place where the first gateway had it.
export function configure() {
  return { config: undefined, end: () => {} };
}

// Somebody who has logged in elsewhere on this site, and so has the cookie.
export async function connect(world, user, namespace, claims) {
  const token = world.server.mint(user, { namespace, ...claims });
  const place = await world.arrive(world.server.page, token);
  return Talk.open(place, `ws://${world.server.address}/connect?namespace=${namespace}`);
}

// Waits for the complaint about a message that is none: had anything else been sent to this
// socket, it would have come before.
export async function hasHeardNothing(talk) {
  await talk.say('null');
  const { type, payload } = await talk.hear();
  assert.deepEqual([type, payload.code], ['error', 'not_an_object']);
}

// Nobody handles anything, which nobody notices.
export async function silence(world) {
  const alex = await connect(world, 'alex', 'alex');
  const other = await connect(world, 'other', 'alex');
  for (const type of ['message_type_one', 'message_type_two', 'another', undefined]) {
    await alex.say({ type, payload: { a: 1 } });
    await alex.say({ type, payload: { a: 1 }, id: 'c1' });
  }
  await hasHeardNothing(alex);
  await hasHeardNothing(other);
  await alex.leave();
  for (const text of ['null', '[]', '{', 'x', '7']) {
    await other.say(text);
    assert.equal((await other.hear()).type, 'error');
    // A message that is one stands between those that are none.
    await other.say({ type: 'message_type_one' });
  }
  await other.leave();
}

const MALFORMED_MAX = 5;

// Queries behind the path, and how they are refused.
const REFUSED = [
  ['?namespace=other', 403],
  ['', 400],
  ['?namespace=', 400],
  ['?namespace=a%20b', 400],
  ['?namespace=alex&namespace=main', 400],
  ['?namespace=%ff', 400],
  ['?namespace=alex&access_token=a.b.c', 400],
  ['/more?namespace=alex', 404],
];

// Who has no token, or one for another namespace, does not become part of it.
export async function strangers(world) {
  const { server } = world;
  const url = (query) => `ws://${server.address}/connect${query}`;
  const anonymous = await Talk.open(await world.arrive(server.page), url('?namespace=alex'));
  await anonymous.say({ type: 'message_type_one', payload: {} });
  assert.equal((await anonymous.hear()).payload.code, 'not_signed_in');
  const token = server.mint('alex', { namespace: ['alex', 'main'] });
  // A page that cannot set the cookie brings the token in its first message.
  await anonymous.say({ type: 'sign', payload: { token } });
  await anonymous.say({ type: 'message_type_one', payload: {} });
  await hasHeardNothing(anonymous);
  const place = await world.arrive(server.page, token);
  for (const [query, status] of REFUSED) {
    const { closed } = await place.call('open', url(query));
    assert.equal(closed?.code, 1006, `opened with ${query}`);
    const refused = await refusal(url(query), { Cookie: `ID_TOKEN=${token}` });
    assert.equal(refused.status, status, `${query}: ${refused.body}`);
  }
  await (await Talk.open(place, url('?namespace=%61lex&theme=dark&x=1?2'))).leave();
}

// Messages that are none, or too long, end their own connection at most.
export async function malformed(world) {
  const [alex, bo] = [
    await connect(world, 'alex', 'alex'),
    await connect(world, 'bo', 'alex'),
  ];
  for (let count = 0; count < MALFORMED_MAX; count += 1) await hasHeardNothing(alex);
  await alex.isClosed(4400);
  const huge = await connect(world, 'alex', 'alex');
  await huge.say({ type: 'message_type_one', payload: 'x'.repeat(1024 * 1024) });
  await huge.isClosed(1009);
  await hasHeardNothing(bo);
  await bo.leave();
}

// The page of another site cannot connect in the name of whoever looks at it.
export async function foreignPage(world) {
  const { server } = world;
  const site = createServer((_, answer) => answer.end('<!doctype html><title>Elsewhere</title>'));
  await once(site.listen(0, '127.0.0.1'), 'listening');
  try {
    const page = `http://127.0.0.1:${site.address().port}/`;
    const token = server.mint('alex', { namespace: 'alex' });
    const place = await world.arrive(page, token);
    for (const path of ['/connect?namespace=alex', '/websockets']) {
      const url = `ws://${server.address}${path}`;
      const { closed } = await place.call('open', url);
      assert.equal(closed?.code, 1006);
      const headers = { Cookie: `ID_TOKEN=${token}`, Origin: page.slice(0, -1) };
      assert.equal((await refusal(url, headers)).status, 403);
    }
    await (await connect(world, 'alex', 'alex')).leave();
  } finally {
    site.closeAllConnections();
    site.close();
  }
}

// Waits for the answer to a request that is refused.
async function refusal(url, headers) {
  const socket = new WebSocket(url, { headers });
  const [request, answer] = await once(socket, 'unexpected-response');
  socket.on('error', () => {});
  const chunks = [];
  for await (const chunk of answer) chunks.push(chunk);
  request.destroy();
  return { status: answer.statusCode, body: Buffer.concat(chunks).toString() };
}

const SHORT_KEY = 'SGVsbG8sIHdvcmxkIQ==';
const GOOD_KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

function handshake(server, key, token) {
  const headers = [
    'Connection: Upgrade', 'Upgrade: websocket', 'Host: localhost:4000',
    'Origin: http://localhost:4000', `Sec-WebSocket-Key: ${key}`, `Cookie: ID_TOKEN=${token}`,
    'Sec-WebSocket-Version: 13',
  ];
  const words = ['--silent', '--http1.1', '--include', '--no-buffer', '--max-time', '20'];
  for (const header of headers) words.push('--header', header);
  return [...words, `http://${server.address}/connect?namespace=alex`];
}

// The handshake of the old manual, whose key is too short, and the same with a good one.
export async function byHand({ server }) {
  const token = server.mint('alex', { namespace: 'alex' });
  const refused = await new Promise((resolve, reject) => {
    const words = handshake(server, SHORT_KEY, token);
    execFile(process.env.CURL, words, (error, out) => (error ? reject(error) : resolve(out)));
  });
  assert.match(refused, /^HTTP\/1\.1 400 /);
  assert.match(refused, /Sec-WebSocket-Key must be 16 bytes/);

  const words = handshake(server, GOOD_KEY, token);
  const curl = spawn(process.env.CURL, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  let head = '';
  try {
    for await (const chunk of curl.stdout) {
      head += chunk.toString('latin1');
      if (head.includes('\r\n\r\n')) break;
    }
  } finally {
    curl.kill();
  }
  assert.match(head, /^HTTP\/1\.1 101 /);
  assert.match(head, /^sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r$/im);
  const bad = handshake(server, GOOD_KEY, 'validAuthToken');
  const answer = await new Promise((resolve, reject) => {
    execFile(process.env.CURL, bad, (error, out) => (error ? reject(error) : resolve(out)));
  });
  assert.match(answer, /^HTTP\/1\.1 401 /);
}
