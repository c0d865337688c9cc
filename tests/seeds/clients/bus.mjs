// Programs elsewhere that send to clients of the gateway, over NATS.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

import { connect as connectTo } from '@nats-io/transport-node';

import { connect } from './gateway.mjs';
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

// Alex is there four times, in two namespaces; each message stays in its own. What is sent to a
// socket arrives in order, so the first that arrives was the first that was sent.
export async function tenancy(world) {
  const { producer } = world;
  await producer.ready();
  const [acme, globex] = [[], []];
  for (let count = 0; count < 2; count += 1) {
    acme.push(await connect(world, 'alex', 'acme'));
    globex.push(await connect(world, 'alex', 'globex'));
  }
  const bo = await connect(world, 'bo', 'acme');
  for (const [namespace, talks] of [['acme', acme], ['globex', globex]]) {
    const message = { type: 'message_type', payload: { only: namespace } };
    const words = { username: 'alex', namespace, ...message };
    const sent = await producer.send(namespace, 'socket:send', words);
    assert.deepEqual([sent.accepted, sent.matched], [true, 2]);
    for (const talk of talks) assert.deepEqual(await talk.hear(), message);
  }
  for (const [namespace, talks] of [['acme', [...acme, bo]], ['globex', globex]]) {
    const message = { type: 'message_type', payload: [namespace, null] };
    const sent = await producer.send(namespace, 'socket:broadcast', message);
    assert.deepEqual([sent.accepted, sent.matched], [true, talks.length]);
    for (const talk of talks) assert.deepEqual(await talk.hear(), message);
  }
}

// A send without a person is no broadcast, and one into another namespace is refused.
export async function refusals(world) {
  const { producer } = world;
  await producer.ready();
  const alex = await connect(world, 'alex', 'acme');
  const words = { username: 'alex', namespace: 'acme', type: 'message_type', payload: {} };
  const { username, ...slip } = words;
  assert.match((await producer.send('acme', 'socket:send', slip)).message, /socket:broadcast/);
  assert.equal((await producer.send('globex', 'socket:send', words)).code, 'forbidden');
  const { type, ...untyped } = words;
  assert.notEqual((await producer.send('acme', 'socket:send', untyped)).accepted, true);
  const nobody = { ...words, username: 'nobody' };
  assert.equal((await producer.send('acme', 'socket:send', nobody)).matched, 0);
  const good = await producer.send('acme', 'socket:send', { ...words, payload: 'good' });
  assert.equal(good.matched, 1, username);
  assert.deepEqual(await alex.hear(), { type, payload: 'good' });
}
