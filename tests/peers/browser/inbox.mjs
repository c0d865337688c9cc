// The inbox: `inbox.mjs DATA SCREENSHOTS`. FRAMEWIRE names the server's binary, CHROMIUM the browser.

import assert from 'node:assert/strict';

import { withBrowser } from './chromium.mjs';
import { Server } from './server.mjs';
import { Socket } from './socket.mjs';
import { accessible, inspect, watched } from './watch.mjs';

const EVIL = '<img src=x onerror="violated(1)"><b>bold</b>';

class Inbox {
  static async open(browser, server, name, token) {
    const { page, seen } = await watched(browser, server.page);
    await page.goto(server.page);
    const inbox = new Inbox(name, page, seen);
    if (token) await inbox.signIn(token);
    return inbox;
  }

  constructor(name, page, seen) {
    this.name = name;
    this.page = page;
    this.seen = seen;
  }

  at(selector, options) {
    return this.page.locator(selector, options);
  }

  async signIn(token) {
    await this.at('#token').fill(token);
    await this.at('#token').press('Enter');
    await this.connected();
  }

  async connected() {
    await this.at('#who', { hasText: this.name }).waitFor();
    await this.at('#status', { hasText: /^Connected$/ }).waitFor();
  }

  unread(title) {
    return this.at('#unread > li', { hasText: title });
  }

  readOne(title) {
    return this.at('#read > li', { hasText: title });
  }

  counts(number) {
    return this.at('#unread-count', { hasText: new RegExp(`^${number}$`) }).waitFor();
  }

  hears(text) {
    return this.at('#announcer', { hasText: text }).waitFor({ state: 'attached' });
  }

  // Forgets what was heard last.
  hearsNothing() {
    return this.at('#announcer').evaluate((announcer) => announcer.replaceChildren());
  }

  focused() {
    return this.page.evaluate(() => document.activeElement.textContent.trim());
  }
}

async function signIn(browser, server, shots) {
  const inbox = await Inbox.open(browser, server, 'bob');
  const { keyboard: keys } = inbox.page;
  await keys.press('Tab');
  assert.equal(await inbox.focused(), 'Skip to the announcements');
  await accessible(inbox.page, 'the skip link');
  await keys.press('Enter');
  assert.equal(await inbox.page.evaluate(() => document.activeElement.id), 'main');
  await inspect(inbox.page, shots, 'inbox-sign-in');
  await inbox.at('#token').fill('not.a.token');
  await inbox.at('#sign-in').click();
  await inbox.at('#error', { hasText: 'token is not valid' }).waitFor();
  await accessible(inbox.page, 'a token that was refused');
  await inbox.signIn(server.token('bob'));
  assert.equal(await inbox.page.evaluate(() => window.localStorage.length), 0);
  assert.equal(await inbox.page.evaluate(() => document.cookie), '');
  await inbox.at('#unread-empty').waitFor();
  await inspect(inbox.page, shots, 'inbox-empty');
  assert.equal(await inbox.at('#compose').isVisible(), false);
  console.log('ok signing in, a refused token, and an empty inbox');
  return inbox;
}

async function live(bob, phone, desk) {
  const soon = new Date(Date.now() + 3_600_000).toISOString();
  await desk.publish({ title: 'Fire drill at noon', body: 'Leave by the stairs.\nMeet in the yard.',
    priority: 'urgent', require_ack: true, ack_by: soon });
  await bob.unread('Fire drill').waitFor();
  await bob.hears('New announcement: Fire drill at noon');
  await desk.publish({ title: 'Canteen', body: 'Soup today.', expires_at: soon, data: { menu: 'soup' } });
  await desk.publish({ title: 'Payroll moves', body: 'From Monday on.', priority: 'high' });
  await desk.publish({ title: EVIL, body: EVIL });
  await bob.counts(4);
  await phone.counts(4);
  const drill = await bob.unread('Fire drill').innerText();
  assert.match(drill, /Urgent/);
  assert.match(drill, /Needs your acknowledgement/);
  assert.match(await bob.unread('Payroll').innerText(), /Important/);
  assert.match(await bob.unread('Canteen').innerText(), /Expires in/);
  const order = await bob.at('#unread .title').allInnerTexts();
  assert.deepEqual(order.slice(0, 2), ['Fire drill at noon', 'Payroll moves']);
  assert.equal(await bob.at('#unread img, #unread b').count(), 0, 'what was written stays text');
  assert.equal(order.includes(EVIL), true);
  console.log('ok what is announced appears on both devices, its marks in words, and stays text');
}

async function changes(bob, phone, desk, shots) {
  // What changes at about the same time is told together, and of many only how many they are: the
  // edit is to be heard by itself.
  await bob.hearsNothing();
  const id = await desk.publish({ title: 'Meeting at three', body: 'Room 1' });
  await bob.unread('Meeting at three').waitFor();
  await bob.hears(/Meeting at three|changes/);
  await desk.ask('edit', { announcement: id, title: 'Meeting at four', body: 'Room 2' });
  for (const device of [bob, phone]) {
    await device.unread('Meeting at four').waitFor();
    assert.match(await device.unread('Meeting at four').innerText(), /Edited/);
    assert.equal(await device.unread('Meeting at three').count(), 0);
  }
  await bob.hears('Edited: Meeting at four');
  await inspect(bob.page, shots, 'inbox-unread');
  await bob.unread('Meeting at four').locator('.mark-read').click();
  await bob.readOne('Meeting at four').waitFor();
  await phone.readOne('Meeting at four').waitFor();
  await desk.ask('edit', { announcement: id, title: 'Meeting at five', unread_again: true });
  for (const device of [bob, phone]) await device.unread('Meeting at five').waitFor();
  console.log('ok an edit shows at once, and one that asks for it is unread again');
  await desk.ask('recall', { announcement: id });
  for (const device of [bob, phone]) {
    await device.unread('Meeting at five').waitFor({ state: 'detached' });
    await device.at('#recalled', { hasText: 'Meeting at five' }).waitFor();
    await device.counts(4);
  }
  await bob.hears('Recalled by its publisher: Meeting at five');
  console.log('ok what is recalled leaves the open screens');
}

// Everything by keys alone.
async function keyboard(bob, phone) {
  const { keyboard: keys } = bob.page;
  await bob.page.reload();
  await bob.connected();
  await bob.counts(4);
  await bob.at('#unread-heading').focus();
  await keys.press('j');
  assert.equal(await bob.focused(), 'Fire drill at noon');
  await keys.press('ArrowDown');
  assert.equal(await bob.focused(), 'Payroll moves');
  await keys.press('k');
  await keys.press('Enter');
  assert.equal(await bob.unread('Fire drill').getAttribute('data-open'), 'true');
  assert.equal(await bob.at('.title:focus').getAttribute('aria-expanded'), 'true');
  const outline = await bob.page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  assert.equal(outline, 'solid', 'the focus is seen');
  await accessible(bob.page, 'an open announcement');
  await keys.press('a');
  await bob.readOne('Fire drill').waitFor();
  assert.match(await bob.readOne('Fire drill').innerText(), /Acknowledged/);
  assert.equal(await bob.focused(), 'Payroll moves', 'the focus goes on to the next');
  await phone.readOne('Fire drill').waitFor();
  await keys.press('r');
  await bob.readOne('Payroll').waitFor();
  await bob.counts(2);
  await phone.counts(2);
  console.log('ok keys alone open, acknowledge and read, and both devices agree');
}

async function pages(bob, desk) {
  await bob.at('#mark-all').click();
  await bob.counts(0);
  for (let at = 0; at < 130; at += 1) {
    await desk.ask('publish', { feed: 'Public', title: `Note ${at}`, priority: 'low' });
  }
  await bob.counts(130);
  await bob.page.reload();
  await bob.connected();
  await bob.at('#more', { hasText: '30 not shown' }).waitFor();
  assert.equal(await bob.at('#unread > li').count(), 100);
  await bob.at('#more').click();
  await bob.at('#more').waitFor({ state: 'hidden' });
  assert.equal(await bob.at('#unread > li').count(), 130);
  await bob.at('#mark-all').click();
  await bob.counts(0);
  await bob.at('#unread-empty').waitFor();
  console.log('ok the unread come page by page, and all are marked at once');
}

async function expiry(bob, desk) {
  const soon = new Date(Date.now() + 2500).toISOString();
  await desk.publish({ title: 'Lift closed for a moment', expires_at: soon });
  await bob.unread('Lift closed').waitFor();
  await bob.readOne('Lift closed').waitFor();
  assert.match(await bob.readOne('Lift closed').innerText(), /Expired/);
  await bob.counts(0);
  console.log('ok what has expired is not unread any more');
}

async function publishes(browser, server, bob) {
  const alice = await Inbox.open(browser, server, 'alice', server.token('alice', 'announce:public'));
  await alice.at('#compose > summary').click();
  await alice.at('#title').fill('From the page');
  await alice.at('#require-ack').check();
  await accessible(alice.page, 'the form of the inbox');
  await alice.at('#publish').click();
  await alice.at('#published', { hasText: /Published for \d+ / }).waitFor();
  await bob.unread('From the page').waitFor();
  assert.match(await bob.unread('From the page').innerText(), /Needs your acknowledgement/);
  alice.seen.unharmed('alice');
  console.log('ok whose token allows it publishes from the inbox');
}

async function comesBack(browser, server, bob, phone, shots) {
  await server.kill();
  for (const device of [bob, phone]) {
    await device.at('#status', { hasText: /Connection lost|cannot be reached|Connecting/ }).waitFor();
    await device.at('#stale').waitFor();
  }
  await inspect(bob.page, shots, 'inbox-lost');
  await server.restart();
  const desk = await Socket.sign(browser, server, 'desk', 'announce:public');
  await desk.publish({ title: 'While nobody was there' });
  for (const device of [bob, phone]) {
    await device.unread('While nobody was there').waitFor({ timeout: 60_000 });
    await device.at('#stale').waitFor({ state: 'hidden' });
  }
  await bob.page.context().setOffline(true);
  await bob.at('#status', { hasText: 'Offline' }).waitFor();
  await bob.page.context().setOffline(false);
  await bob.connected();
  console.log('ok pages come back after a restart with what they missed, and say when they are offline');
}

async function tokenEnds(browser, server) {
  const token = server.token('eve', { ttl: '20s' });
  const eve = await Inbox.open(browser, server, 'eve', token);
  await eve.at('#renewal').waitFor();
  await accessible(eve.page, 'a token that ends');
  await eve.at('#new-token').fill(server.token('eve'));
  await eve.at('#new-token').press('Enter');
  await eve.at('#renewal-done', { hasText: 'You stay signed in' }).waitFor();
  await eve.at('#renewal').waitFor({ state: 'hidden' });
  await eve.at('#sign-out').click();
  await eve.at('#sign-in-section').waitFor();
  assert.equal(await eve.page.evaluate(() => window.sessionStorage.getItem('framewire.token')), null);
  eve.seen.unharmed('eve');
  console.log('ok a token is renewed in place, and signing out forgets it');
}

async function colours(bob) {
  const page = () => bob.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await bob.at('#theme').selectOption('dark');
  const dark = await page();
  await bob.page.reload();
  assert.equal(await page(), dark);
  await bob.at('#theme').selectOption('light');
  assert.notEqual(await page(), dark);
  await bob.at('#theme').selectOption('auto');
  console.log('ok the colours can be chosen');
}

async function story(browser, data, shots) {
  const server = await Server.start(data);
  try {
    const desk = await Socket.sign(browser, server, 'desk', 'announce:public');
    const bob = await signIn(browser, server, shots);
    const phone = await Inbox.open(browser, server, 'bob', server.token('bob'));
    await live(bob, phone, desk);
    await changes(bob, phone, desk, shots);
    await keyboard(bob, phone);
    await pages(bob, desk);
    await expiry(bob, desk);
    await publishes(browser, server, bob);
    await comesBack(browser, server, bob, phone, shots);
    await tokenEnds(browser, server);
    await colours(bob);
    bob.seen.unharmed('bob');
    phone.seen.unharmed('bob, on the phone');
  } finally {
    await server.kill();
  }
}

const [data, shots] = process.argv.slice(2);
if (data && shots) {
  await withBrowser((browser) => story(browser, data, shots));
} else {
  console.error('usage: inbox.mjs DATA SCREENSHOTS');
  process.exitCode = 2;
}
