// The WebSocket of a page in Chromium as a client: `drive.mjs URL`.
// What it does is written in ../README.md.

import { withBrowser } from './chromium.mjs';

const SCENARIO_MS = 10_000;
const SIZES = [0, 1, 125, 126, 127, 65535, 65536, 1024 * 1024];

// Everything in this function runs in the page.
function scenariosInPage() {
  const languages = 'Grüße, 世界 — naïve ∑ 👋🏽 '.repeat(3000);
  const octets = (size) => Uint8Array.from({ length: size }, (_, index) => (index * 31 + 7) % 256);
  const same = (got, wanted) => typeof wanted === 'string'
    ? got === wanted
    : got instanceof ArrayBuffer && new Uint8Array(got).every((byte, at) => byte === wanted[at])
      && got.byteLength === wanted.length;

  class Connection {
    #queue = [];
    #wake = null;

    static async open(url) {
      const socket = new WebSocket(url);
      socket.binaryType = 'arraybuffer';
      const connection = new Connection(socket);
      await new Promise((resolve, reject) => {
        socket.addEventListener('open', resolve);
        socket.addEventListener('close', () => reject(new Error('the handshake failed')));
      });
      return connection;
    }

    constructor(socket) {
      this.socket = socket;
      this.closed = false;
      socket.addEventListener('message', (event) => this.#put({ data: event.data }));
      socket.addEventListener('close', (event) => this.#put({ close: event }));
    }

    #put(event) {
      this.#queue.push(event);
      this.#wake?.();
    }

    async next() {
      while (this.#queue.length === 0) await new Promise((resolve) => { this.#wake = resolve; });
      return this.#queue.shift();
    }

    async expect(wanted) {
      const { data, close } = await this.next();
      if (close) throw new Error(`closed with ${close.code} ${close.reason}`);
      if (!same(data, wanted)) throw new Error('the echo is not the same');
    }

    async echo(data) {
      this.socket.send(data);
      await this.expect(data);
    }

    async close(code, reason) {
      this.closed = true;
      if (code === undefined) this.socket.close();
      else this.socket.close(code, reason);
      const { close } = await this.next();
      // 1005 stands for a Close without a body.
      if (!close) throw new Error('something came before the close');
      if (!close.wasClean) throw new Error('the close was not clean');
      if (close.code !== (code ?? 1005)) throw new Error(`closed with ${close.code}`);
    }
  }

  const scenarios = {
    'no-subprotocol': async (connection) => {
      if (connection.socket.protocol !== '') throw new Error('a subprotocol was chosen');
      await connection.echo('plain');
    },
    'text': (connection) => connection.echo('Hello'),
    'text-empty': (connection) => connection.echo(''),
    'text-non-ascii': (connection) => connection.echo(languages),
    'binary': (connection) => connection.echo(octets(256)),
    'pipelined': async (connection) => {
      const messages = Array.from({ length: 50 }, (_, index) => `message ${index}`);
      for (const message of messages) connection.socket.send(message);
      for (const message of messages) await connection.expect(message);
    },
    'close-1000': (connection) => connection.close(1000, 'bye'),
    'close-3000': (connection) => connection.close(3000, ''),
    'close-4999': (connection) => connection.close(4999, 'Grüße'),
    'close-longest-reason': (connection) => connection.close(1000, 'r'.repeat(123)),
    'close-empty': (connection) => connection.close(),
    'close-after-messages': async (connection) => {
      connection.socket.send('one');
      connection.socket.send('two');
      await connection.expect('one');
      await connection.expect('two');
      await connection.close(4000, 'done');
    },
  };
  for (const size of window.sizes) {
    scenarios[`text-${size}`] = (connection) => connection.echo('abcdefgh'.repeat(size / 8 + 1).slice(0, size));
    scenarios[`binary-${size}`] = (connection) => connection.echo(octets(size));
  }
  window.names = Object.keys(scenarios);
  window.run = async (url, name, limit) => {
    const late = new Promise((_, reject) => {
      setTimeout(() => reject(new Error(`not done after ${limit} ms`)), limit);
    });
    const work = async () => {
      const connection = await Connection.open(url);
      await scenarios[name](connection);
      // Nothing but the Close may be left.
      if (!connection.closed) await connection.close(1000, '');
    };
    try {
      await Promise.race([work(), late]);
      return null;
    } catch (error) {
      return error.message;
    }
  };
}

async function drive(url, browser) {
  const page = await browser.newPage();
  await page.evaluate((sizes) => { window.sizes = sizes; }, SIZES);
  await page.evaluate(scenariosInPage);
  let status = 0;
  for (const name of await page.evaluate(() => window.names)) {
    const call = ([address, scenario, limit]) => window.run(address, scenario, limit);
    const failure = await page.evaluate(call, [url, name, SCENARIO_MS]);
    console.log(failure === null ? `ok ${name}` : `FAIL ${name}: ${failure}`);
    if (failure !== null) status = 1;
  }
  return status;
}

const url = process.argv[2];
if (url) {
  process.exitCode = await withBrowser((browser) => drive(url, browser));
} else {
  console.error('usage: drive.mjs URL');
  process.exitCode = 2;
}
