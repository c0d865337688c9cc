// Programs elsewhere that send to clients of the gateway, over NATS.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

import { connect as connectTo } from '@nats-io/transport-node';

import { connect, hasHeardNothing } from './gateway.mjs';
import { beside } from './handlers.mjs';

const TRIES = 200;
const PAUSE_MS = 50;

export async function configure(folder) {
  const nats = spawn(process.env.NATS, ['--addr', '127.0.0.1', '--port', '-1'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  for await (const line of createInterface({ input: nats.stderr })) {
    const port = line.match(/Listening for client connections on .*:(\d+)/)?.[1];
    if (port) {
      nats.stderr.resume();
      const url = `nats://127.0.0.1:${port}`;
      const config = beside(folder, ['bus:', '  driver: nats', `  url: "${url}"`]);
      const producer = new Producer(await connectTo({ servers: url }));
      return { config, producer, end: () => producer.end().then(() => nats.kill()) };
    }
  }
  throw new Error('nats-server did not say where it listens');
}

// A program of one namespace, which sends as handlers of the first gateway did.
class Producer {
  constructor(nats) {
    this.nats = nats;
  }

  async send(namespace, topic, data) {
    const subject = `ann.${namespace}.t.${topic.replaceAll(':', '.')}`;
    const answer = await this.nats.request(subject, JSON.stringify(data), { timeout: 10_000 });
    return answer.json();
  }

  // Waits until the server listens, which it does in its own time.
  async ready() {
    const nobody = { username: 'nobody', namespace: 'probe', type: 't', payload: 0 };
    for (let attempt = 0; attempt < TRIES; attempt += 1) {
      try {
        return await this.send('probe', 'socket:send', nobody);
      } catch {
        await new Promise((resolve) => { setTimeout(resolve, PAUSE_MS); });
      }
    }
    throw new Error('the server does not listen');
  }

  end() {
    return this.nats.close();
  }
}

// Alex is there four times, in two namespaces; each message stays in its own.
export async function tenancy(world) {
  const { producer } = world;
  await producer.ready();
  const [acme, globex] = [[], []];
  for (let count = 0; count < 2; count += 1) {
    acme.push(await connect(world, 'alex', 'acme'));
    globex.push(await connect(world, 'alex', 'globex'));
  }
  const bo = await connect(world, 'bo', 'acme');
  const words = { username: 'alex', namespace: 'acme', type: 'message_type', payload: { n: 1 } };
  const sent = await producer.send('acme', 'socket:send', words);
  assert.deepEqual([sent.accepted, sent.matched], [true, 2]);
  for (const talk of acme) {
    assert.deepEqual(await talk.hear(), { type: 'message_type', payload: { n: 1 } });
  }
  for (const talk of [...globex, bo]) await hasHeardNothing(talk);

  const spread = { type: 'message_type', payload: [1, null] };
  const broadcast = await producer.send('acme', 'socket:broadcast', spread);
  assert.deepEqual([broadcast.accepted, broadcast.matched], [true, 3]);
  for (const talk of [...acme, bo]) assert.deepEqual(await talk.hear(), spread);
  for (const talk of globex) await hasHeardNothing(talk);
}

// A send without a person is no broadcast, and one into another namespace is refused.
export async function refusals(world) {
  const { producer } = world;
  await producer.ready();
  const alex = await connect(world, 'alex', 'acme');
  const type = 'message_type';
  const slip = await producer.send('acme', 'socket:send', { type, payload: {} });
  assert.match(slip.message, /socket:broadcast/);
  const foreign = { username: 'alex', namespace: 'acme', type, payload: {} };
  assert.equal((await producer.send('globex', 'socket:send', foreign)).code, 'forbidden');
  const untyped = { username: 'alex', namespace: 'acme', payload: {} };
  assert.notEqual((await producer.send('acme', 'socket:send', untyped)).accepted, true);
  const nobody = { username: 'nobody', namespace: 'acme', type, payload: {} };
  assert.equal((await producer.send('acme', 'socket:send', nobody)).matched, 0);
  await hasHeardNothing(alex);
}
