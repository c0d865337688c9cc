// Clients of the gateway, with an application that handles what they do.

import assert from 'node:assert/strict';

import { connect } from './gateway.mjs';
import { Notes, handlers } from './handlers.mjs';
import { Talk } from './talk.mjs';

const TOPICS = ['socket:connection', 'socket:generalMessage', 'socket:type_one', 'socket:close'];
const WELCOME = { data: ['one', { n: 1 }] };
const REFUSAL = { code: 'banned', message: 'not today' };

// What the application answers.
function answer(topic, { context, message }) {
  const username = context.headers.jwt.preferred_username;
  if (topic === 'socket:connection') {
    return username === 'mallory' ? { fail: REFUSAL } : { reply: WELCOME };
  }
  if (topic === 'socket:close') return undefined;
  const { type, payload } = message;
  if (payload?.fails) return { fail: { about: payload.fails } };
  if (payload?.silent) return undefined;
  return { reply: { to: username, type: type ?? null } };
}

export async function configure(folder) {
  const notes = new Notes();
  const handle = (topic, message) => {
    notes.add({ topic, message });
    return answer(topic, message);
  };
  return { ...await handlers(folder, TOPICS, handle), notes };
}

// A connection is told what the application replies, and may be refused.
export async function connecting(world) {
  const { notes, server } = world;
  const alex = await connect(world, 'alex', 'alex');
  assert.deepEqual(await alex.hear(), { type: 'onconnect', payload: WELCOME });
  const { context } = await notes.next('socket:connection');
  assert.equal(context.headers.jwt.preferred_username, 'alex');
  assert.equal(context.params.namespace, 'alex');

  const token = server.mint('mallory', { namespace: 'alex' });
  const place = await world.arrive(server.page, token);
  const mallory = await Talk.open(place, `ws://${server.address}/connect?namespace=alex`);
  assert.deepEqual(await mallory.hear(), { type: 'error', payload: REFUSAL });
  await mallory.isClosed(4403);
  await notes.next('socket:connection');
  assert.equal((await notes.next('socket:close')).code, 4403);
}

// Every message goes to the general topic, and those of some types to one of their own as well.
export async function messages(world) {
  const { notes } = world;
  const alex = await connect(world, 'alex', 'alex');
  await alex.hear();
  await notes.next('socket:connection');
  await alex.say({ type: 'message_type_one', payload: { a: 1 }, id: 'c1' });
  const general = { type: 'socket:generalMessage', replyTo: 'c1' };
  const payload = { to: 'alex', type: 'message_type_one' };
  assert.deepEqual(await alex.hear(), { ...general, payload });
  assert.deepEqual(await alex.hear(), { type: 'socket:type_one', payload, replyTo: 'c1' });
  const [first, second] = [
    await notes.next('socket:generalMessage'),
    await notes.next('socket:type_one'),
  ];
  assert.equal(first.message_id, second.message_id);
  assert.deepEqual(first.message, { type: 'message_type_one', payload: { a: 1 }, id: 'c1' });

  for (const type of ['message_type_two', 'Message_type_one', 'message_type_one ', undefined]) {
    await alex.say({ type });
    const expected = { to: 'alex', type: type ?? null };
    assert.deepEqual(await alex.hear(), { type: 'socket:generalMessage', payload: expected });
    await notes.next('socket:generalMessage');
  }
  await alex.say({ payload: { fails: 'hours' } });
  assert.deepEqual(await alex.hear(), { type: 'error', payload: { about: 'hours' } });
  await alex.say({ payload: { silent: true } });
  await alex.say({ type: 'still here' });
  assert.equal((await alex.hear()).payload.type, 'still here');
  for (let count = 0; count < 3; count += 1) await notes.next('socket:generalMessage');
  assert.ok(notes.isEmpty());
}

// The end of a connection is told once, and after all that it has said.
export async function closing(world) {
  const { notes } = world;
  const alex = await connect(world, 'alex', 'alex');
  await alex.hear();
  await notes.next('socket:connection');
  await alex.say({ payload: { silent: true } });
  await alex.leave();
  assert.deepEqual((await notes.next('socket:generalMessage')).message.payload, { silent: true });
  const end = await notes.next('socket:close');
  assert.equal(end.context.headers.jwt.preferred_username, 'alex');
  assert.equal(end.code, 1005);
  // Had the end been told again, that would come before the next connection.
  const again = await connect(world, 'alex', 'alex');
  await again.hear();
  await notes.next('socket:connection');
  assert.ok(notes.isEmpty());
}

// The end is also told when nobody closes properly, and when the server goes.
export async function losing(world) {
  const { notes, server } = world;
  const [alex, bo] = [await connect(world, 'alex', 'alex'), await connect(world, 'bo', 'alex')];
  for (const talk of [alex, bo]) {
    await talk.hear();
    await notes.next('socket:connection');
  }
  await alex.drop();
  const lost = await notes.next('socket:close');
  assert.equal(lost.context.headers.jwt.preferred_username, 'alex');
  assert.deepEqual([lost.code, lost.cause], [1006, 'lost']);
  server.child.kill('SIGTERM');
  await bo.isClosed(1012);
  const gone = await notes.next('socket:close');
  assert.equal(gone.context.headers.jwt.preferred_username, 'bo');
  assert.equal(gone.code, 1012);
}
