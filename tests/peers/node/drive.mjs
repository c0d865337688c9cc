// A client that runs every scenario against an echo server.

import { once } from 'node:events';
import assert from 'node:assert/strict';
import { WebSocket } from 'ws';

const MESSAGE_BYTES_MAX = 16 * 1024 * 1024;
const SCENARIO_MS = 10_000;
const SIZES = [0, 1, 125, 126, 127, 65535, 65536, 1024 * 1024];

// One connection, with what arrived on it in a queue.
class Connection {
  #queue = [];
  #wake = null;

  static async open(url) {
    const socket = new WebSocket(url, {
      maxPayload: MESSAGE_BYTES_MAX,
      perMessageDeflate: false,
    });
    const connection = new Connection(socket);
    await once(socket, 'open');
    return connection;
  }

  constructor(socket) {
    this.socket = socket;
    this.closed = false;
    socket.on('message', (data, binary) => this.#put({ kind: binary ? 'binary' : 'text', data }));
    socket.on('pong', (data) => this.#put({ kind: 'pong', data }));
    socket.on('close', (code, reason) => this.#put({ kind: 'close', code, reason: `${reason}` }));
    socket.on('error', (error) => this.#put({ kind: 'error', error }));
  }

  #put(event) {
    this.#queue.push(event);
    this.#wake?.();
  }

  async next() {
    while (this.#queue.length === 0) {
      await new Promise((resolve) => { this.#wake = resolve; });
    }
    return this.#queue.shift();
  }

  async expect(kind, data) {
    const event = await this.next();
    assert.equal(event.kind, kind, `expected ${kind}, got ${describe(event)}`);
    assert.ok(event.data.equals(Buffer.from(data)), `the ${kind} came back changed`);
  }

  async echo(kind, data) {
    this.socket.send(data, { binary: kind === 'binary' });
    await this.expect(kind, data);
  }

  async close(code, reason) {
    this.closed = true;
    if (code === undefined) this.socket.close();
    else this.socket.close(code, reason);
    const event = await this.next();
    // 1005 stands for a Close without a body, 1006 for no Close at all.
    assert.equal(event.code, code ?? 1005, `expected a clean close, got ${describe(event)}`);
  }
}

function describe(event) {
  if (event.kind === 'close') return `a close with ${event.code} ${event.reason}`;
  if (event.kind === 'error') return `an error: ${event.error.message}`;
  return `${event.kind} of ${event.data.length} bytes`;
}

const LANGUAGES = 'Grüße, 世界 — naïve ∑ 👋🏽 '.repeat(3000);

function bytes(size) {
  return Buffer.from(Uint8Array.from({ length: size }, (_, index) => (index * 31 + 7) % 256));
}

const scenarios = {
  'no-subprotocol': async (connection) => {
    assert.equal(connection.socket.protocol, '');
    assert.equal(connection.socket.extensions, '');
    await connection.echo('text', 'plain');
  },
  'text': (connection) => connection.echo('text', 'Hello'),
  'text-empty': (connection) => connection.echo('text', ''),
  'text-non-ascii': (connection) => connection.echo('text', LANGUAGES),
  'binary': (connection) => connection.echo('binary', bytes(256)),
  'fragmented-text': async (connection) => {
    const parts = ['Grü', 'ße', '', ', 世界'];
    parts.forEach((part, index) => {
      connection.socket.send(part, { binary: false, fin: index === parts.length - 1 });
    });
    await connection.expect('text', parts.join(''));
  },
  'fragmented-binary': async (connection) => {
    const whole = bytes(200_000);
    connection.socket.send(whole.subarray(0, 1), { fin: false });
    connection.socket.send(whole.subarray(1, 70_000), { fin: false });
    connection.socket.send(whole.subarray(70_000), { fin: true });
    await connection.expect('binary', whole);
  },
  'ping-between-fragments': async (connection) => {
    connection.socket.send('first ', { binary: false, fin: false });
    connection.socket.ping('between');
    await connection.expect('pong', 'between');
    connection.socket.send('last', { binary: false, fin: true });
    await connection.expect('text', 'first last');
  },
  'ping': async (connection) => {
    for (const payload of ['', 'payload', bytes(125)]) {
      connection.socket.ping(payload);
      await connection.expect('pong', payload);
    }
    await connection.echo('text', 'after the pings');
  },
  'pong-unasked': async (connection) => {
    connection.socket.pong('nobody asked');
    await connection.echo('text', 'still here');
  },
  'pipelined': async (connection) => {
    const messages = Array.from({ length: 50 }, (_, index) => `message ${index}`);
    for (const message of messages) connection.socket.send(message);
    for (const message of messages) await connection.expect('text', message);
  },
  'close-1000': (connection) => connection.close(1000, 'bye'),
  'close-3000': (connection) => connection.close(3000, ''),
  'close-4999': (connection) => connection.close(4999, 'Grüße'),
  'close-longest-reason': (connection) => connection.close(1000, 'r'.repeat(123)),
  'close-empty': (connection) => connection.close(),
  'close-after-messages': async (connection) => {
    connection.socket.send('one');
    connection.socket.send('two');
    await connection.expect('text', 'one');
    await connection.expect('text', 'two');
    await connection.close(1001, 'going away');
  },
};
for (const size of SIZES) {
  scenarios[`text-${size}`] = (connection) => connection.echo('text', 'abcdefgh'.repeat(size / 8 + 1).slice(0, size));
  scenarios[`binary-${size}`] = (connection) => connection.echo('binary', bytes(size));
}

async function run(url, scenario) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${SCENARIO_MS} ms`)), SCENARIO_MS);
  });
  let connection;
  const work = async () => {
    connection = await Connection.open(url);
    await scenario(connection);
    // Nothing but the Close may be left.
    if (!connection.closed) await connection.close(1000, '');
  };
  try {
    await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
    connection?.socket.terminate();
  }
}

// Runs every scenario, prints a line for each, and returns the exit status.
export async function drive(url) {
  let status = 0;
  for (const [name, scenario] of Object.entries(scenarios)) {
    try {
      await run(url, scenario);
      console.log(`ok ${name}`);
    } catch (error) {
      console.log(`FAIL ${name}: ${error.message.split('\n')[0]}`);
      status = 1;
    }
  }
  return status;
}
