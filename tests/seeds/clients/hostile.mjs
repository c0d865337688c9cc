// What the first server did not survive: each time, others go on as if nothing had been.

import assert from 'node:assert/strict';

import { PUBLISHER, Person } from './people.mjs';
import { violations } from './frames.mjs';

const TOO_LARGE = 1024 * 1024;
const MALFORMED_MAX = 5;
const ANONYMOUS_MAX = 10;
const ANONYMOUS_BYTES_MAX = 16 * 1024;

// Two who are at work, and notice nothing.
class Bystanders {
  static async arrive(world) {
    const alice = await Person.signIn(world, 'alice', PUBLISHER);
    return new Bystanders(world, alice, await Person.signIn(world, 'bob'));
  }

  constructor(world, alice, bob) {
    Object.assign(this, { world, alice, bob, count: 0 });
  }

  async notice(nothing) {
    this.count += 1;
    const Body = `${this.count}, after ${nothing}`;
    await this.alice.publishes({ Group: 'Public', Body });
    assert.equal((await this.bob.hears('Public announcement')).Body, Body);
    assert.equal(this.world.server.child.exitCode, null, 'the server has ended');
  }
}

const TEXTS = [
  ['null', 'not_an_object'],
  ['[]', 'not_an_object'],
  ['[{"Intent":"Sign"}]', 'not_an_object'],
  ['42', 'not_an_object'],
  ['"Sign"', 'not_an_object'],
  ['true', 'not_an_object'],
  ['', 'malformed_json'],
  ['{', 'malformed_json'],
  ['{"APIToken":"a","Intent":"Si', 'malformed_json'],
  ['Sign', 'malformed_json'],
  ['{"APIToken":NaN}', 'malformed_json'],
  [`${'['.repeat(5000)}${']'.repeat(5000)}`, 'malformed_json'],
];

// Texts that are no message, before signing in and after.
export async function texts(world) {
  const others = await Bystanders.arrive(world);
  for (const [text, code] of TEXTS) {
    const stranger = await Person.connect(world, 'mallory');
    await stranger.talk.say(text);
    await stranger.isRefused(code);
    await stranger.sign();
    await stranger.talk.say(text);
    await stranger.isRefused(code);
    await stranger.talk.leave();
    await others.notice(text.slice(0, 20));
  }
  const binary = await Person.connect(world, 'mallory');
  await binary.talk.sayBytes([0xff, 0xfe, 0]);
  await binary.isRefused('malformed_json');
  const stubborn = await Person.connect(world, 'mallory');
  for (let count = 0; count < MALFORMED_MAX; count += 1) {
    await stubborn.talk.say('null');
    await stubborn.isRefused('not_an_object');
  }
  await stubborn.talk.isClosed(4400);
  await others.notice('five malformed messages');
}

const FIELDS = [
  ['Mark as read', { NotificationID: 'x' }, 'missing_field'],
  ['Mark as read', { Group: null, NotificationID: 'x' }, 'missing_field'],
  ['Mark as read', { Group: 7, NotificationID: 'x' }, 'wrong_type'],
  ['Mark as read', { Group: [], NotificationID: 'x' }, 'wrong_type'],
  ['Mark as read', { Group: {}, NotificationID: 'x' }, 'missing_field'],
  ['Mark as read', { Group: { channel: null }, NotificationID: 'x' }, 'missing_field'],
  ['Mark as read', { Group: { channel: { channel: 'HR' } }, UpTo: 1 }, 'wrong_type'],
  ['Mark as read', { Group: 'Public' }, 'missing_field'],
  ['Mark as read', { Group: 'Public', NotificationID: 'x' }, 'unknown_notification'],
  ['Public announcement', { Body: 'nowhere' }, 'missing_field'],
  ['Public announcement', { Group: { role: 3 }, Body: 'nowhere' }, 'wrong_type'],
  ['Inform HR Master Data Change', { Group: 'Public', Change: 1 }, 'wrong_type'],
  ['Dance', {}, 'unknown_intent'],
  ['sign', {}, 'unknown_intent'],
  ['constructor', {}, 'unknown_intent'],
];

// Messages that lack something, or have it in another shape.
export async function fields(world) {
  const others = await Bystanders.arrive(world);
  for (const [intent, given, code] of FIELDS) {
    const mallory = await Person.signIn(world, 'mallory', { scope: 'hr:inform' });
    await mallory.ask(intent, given);
    const { message } = await mallory.isRefused(code, given);
    if (code === 'unknown_intent') assert.match(message, /Get unread messages/);
    await mallory.talk.leave();
    await others.notice(`${intent} ${JSON.stringify(given)}`);
  }
}

// Messages that are too long end their own connection, signed in or not.
export async function sizes(world) {
  const others = await Bystanders.arrive(world);
  for (const arrive of [Person.connect, Person.signIn]) {
    const person = await arrive(world, 'mallory');
    await person.talk.say({ APIToken: person.token, Body: 'x'.repeat(TOO_LARGE) });
    await person.talk.isClosed(1009);
    await others.notice('a huge message');
  }
}

// Who does not sign in is closed: after some messages, after one that is long, or after a while.
export async function unsigned(world) {
  const silent = await Person.connect(world, 'mallory');
  const others = await Bystanders.arrive(world);
  const lengthy = await Person.connect(world, 'mallory');
  await lengthy.ask('Sign', { Note: 'x'.repeat(ANONYMOUS_BYTES_MAX) });
  await lengthy.talk.isClosed(1009);
  const stranger = await Person.connect(world, 'mallory');
  for (let count = 0; count < ANONYMOUS_MAX; count += 1) {
    await stranger.ask('Get unread messages');
    await stranger.isRefused('not_signed_in');
  }
  await stranger.ask('Get unread messages');
  await stranger.talk.isClosed(4408);
  await silent.talk.isClosed(4408);
  await others.notice('strangers who do not sign in');
}

// Frames that break the rules of the protocol end their own connection.
export async function frames(world) {
  const others = await Bystanders.arrive(world);
  for await (const what of violations(world.server.address)) await others.notice(what);
}
