// The clients of the announcements, over a working day.

import assert from 'node:assert/strict';

import { BEARER, PUBLISHER, Person } from './people.mjs';

// One announces; who is signed in hears it, and who is not hears nothing of it.
export async function live(world) {
  const stranger = await Person.connect(world, 'stranger');
  const alice = await Person.signIn(world, 'alice', PUBLISHER);
  const bob = await Person.signIn(world, 'bob');
  const words = { Group: 'Public', Title: 'Pay', Body: 'Check it', Bearer: BEARER, Icon: [1] };
  const published = await alice.publishes(words);
  const announced = await bob.hears('Public announcement');
  assert.equal(announced.NotificationID, published.NotificationID);
  assert.deepEqual(
    [announced.Group, announced.Title, announced.Body, announced.Icon],
    ['Public', 'Pay', 'Check it', [1]],
  );
  await stranger.talk.say({ Intent: 'Get unread messages' });
  assert.equal(await stranger.talk.hearText(), '{"auth":false,"message":"No token provided."}');
  await stranger.sign();
  await alice.publishes({ Group: 'Public', Body: 'More' });
  // Deliveries are in order: there was none before this one.
  for (const person of [stranger, bob]) {
    assert.equal((await person.hears('Public announcement')).Body, 'More');
  }
  await bob.ask('Public announcement', { Group: 'Public', Body: 'Mine' });
  await bob.isRefused('forbidden');
  await bob.talk.leave();
  await alice.talk.leave();
}

// What was missed is unread after coming back; what one device reads, the other is told.
export async function reading(world) {
  const alice = await Person.signIn(world, 'alice', PUBLISHER);
  const before = await Person.signIn(world, 'bob');
  const bodies = ['one', 'two', 'three'];
  const first = await alice.publishes({ Group: 'Public', Body: 'one' });
  assert.equal((await before.hears('Public announcement')).Body, 'one');
  await before.talk.leave();
  for (const Body of bodies.slice(1)) await alice.publishes({ Group: 'Public', Body });

  const phone = await Person.signIn(world, 'bob');
  const desk = await Person.signIn(world, 'bob');
  const page = await phone.unread();
  assert.deepEqual(page.messages.map((message) => message.Body), bodies);
  assert.deepEqual(page.unread, { Public: 3 });
  await world.server.restart();

  const [again, other] = [await Person.signIn(world, 'bob'), await Person.signIn(world, 'bob')];
  for (const [Group, at, left] of [['Public', 0, 2], [{ channel: 'Public' }, 1, 1]]) {
    const id = page.messages[at].NotificationID;
    await again.ask('Mark as read', { Group, NotificationID: id });
    for (const device of [again, other]) {
      const told = await device.hears('Mark as read');
      assert.deepEqual([told.NotificationID, told.unread], [[id], { Public: left }]);
    }
  }
  assert.equal(first.NotificationID, page.messages[0].NotificationID);
  assert.deepEqual((await other.unread()).messages.map((message) => message.Body), ['three']);
  // The sockets of before ended with the server that was killed.
  for (const device of [phone, desk]) await device.talk.isClosed(1006);
}

// A change of personnel data reaches the members of HR, from those who may tell it.
export async function personnel(world) {
  const clerk = await Person.signIn(world, 'clerk', { scope: 'hr:inform' });
  const phone = await Person.signIn(world, 'hana', { channel: 'HR' });
  const desk = await Person.signIn(world, 'hana', { channel: 'HR' });
  const bob = await Person.signIn(world, 'bob', { channel: 'Sales', scope: 'announce:public' });
  const change = { UserID: 'u7', Change: { field: 'address' } };
  for (const without of [bob, phone]) {
    await without.ask('Inform HR Master Data Change', change);
    await without.isRefused('forbidden');
  }
  await clerk.ask('Inform HR Master Data Change', change);
  assert.equal((await clerk.talk.hear()).type, 'published');
  const told = await phone.hears('Inform HR Master Data Change');
  assert.deepEqual([told.Group, told.UserID, told.Change], [{ channel: 'HR' }, 'u7', change.Change]);
  assert.deepEqual(await desk.hears('Inform HR Master Data Change'), told);
  await clerk.ask('Inform HR Master Data Change', { UserID: 'u8', Change: { field: 'name' } });
  const second = await phone.hears('Inform HR Master Data Change');
  await desk.hears('Inform HR Master Data Change');

  // Nothing of it has come to bob, who hears this first.
  await bob.publishes({ Group: 'Public', Body: 'lunch' });
  for (const device of [phone, desk]) await device.hears('Public announcement');
  assert.deepEqual((await bob.unread()).unread, { Public: 1, Sales: 0 });
  const groups = [[{ channel: 'HR' }, told, 1], ['HR', second, 0]];
  for (const [Group, { NotificationID }, left] of groups) {
    await bob.ask('Mark as read', { Group, NotificationID });
    await bob.isRefused('unknown_notification');
    await desk.ask('Mark as read', { Group, NotificationID });
    for (const device of [phone, desk]) {
      assert.equal((await device.hears('Mark as read')).unread.HR, left);
    }
  }
}

// What is announced in a channel reaches its members, from those who may announce there.
export async function channels(world) {
  const scope = 'announce:channel:Sales';
  const alice = await Person.signIn(world, 'alice', { scope, channel: 'Sales' });
  const sam = await Person.signIn(world, 'sam', { channel: ['Sales', 'Staff'] });
  const bob = await Person.signIn(world, 'bob', { channel: 'Staff', ...PUBLISHER });
  for (const Group of ['Sales', { channel: 'Sales' }]) {
    await bob.ask('Public announcement', { Group, Body: 'not mine to say' });
    await bob.isRefused('forbidden');
    const { NotificationID } = await alice.publishes({ Group, Body: 'New prices' });
    const announced = await sam.hears('Public announcement');
    assert.deepEqual(
      [announced.Group, announced.NotificationID],
      [{ channel: 'Sales' }, NotificationID],
    );
  }
  await alice.ask('Public announcement', { Group: 'Staff', Body: 'elsewhere' });
  await alice.isRefused('forbidden');
  // Nothing of it has come to bob, who hears this first.
  await bob.publishes({ Group: 'Public', Body: 'lunch' });
  await sam.hears('Public announcement');
  assert.equal((await sam.unread()).unread.Sales, 2);
}

// Tokens that are missing or wrong, and people who are not who they say.
export async function signingIn(world) {
  const alice = await Person.signIn(world, 'alice', PUBLISHER);
  const bob = await Person.connect(world, 'bob');
  await bob.talk.say({ Intent: 'Sign', UserID: 'bob' });
  assert.equal(await bob.talk.hearText(), '{"auth":false,"message":"No token provided."}');
  const bad = '{"auth":false,"message":"Failed to authenticate token."}';
  await bob.talk.say({ APIToken: `${bob.token}x`, Intent: 'Sign' });
  assert.equal(await bob.talk.hearText(), bad);
  await bob.ask('Get unread messages');
  await bob.isRefused('not_signed_in');
  await bob.sign();
  await alice.publishes({ Group: 'Public', Body: 'to all' });
  assert.equal((await bob.hears('Public announcement')).Body, 'to all');

  const mallory = await Person.connect(world, 'mallory');
  await mallory.ask('Sign', { UserID: 'alice' });
  const { auth } = await mallory.talk.hear();
  assert.equal(auth, false);
  await mallory.talk.isClosed(4403);

  const guesser = await Person.connect(world, 'guesser');
  const attempts = 3;
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    await guesser.talk.say({ APIToken: 'eyJhbGciOiJub25lIn0.e30.', Intent: 'Sign' });
    assert.equal(await guesser.talk.hearText(), bad);
  }
  await guesser.talk.isClosed(4401);

  const brief = await Person.signIn(world, 'brief', { ttl: '2s' });
  await brief.talk.isClosed(4401);
}
