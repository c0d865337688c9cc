// People at the page of the announcement server: `announce.mjs DATA SCREENSHOTS`.
//
// Two sign in, one publishes, the other sees it at once; a third finds it unread afterwards, also
// after the server was killed and started again; what was read stays read. A socket on which nobody
// signed in receives none of it. FRAMEWIRE names the server's binary, CHROMIUM the browser.

import assert from 'node:assert/strict';
import { join } from 'node:path';

import { withBrowser } from './chromium.mjs';
import { Server } from './server.mjs';

const WAIT_MS = 15_000;
const LIVE_MS = 2_000;

// One person with a browser profile of their own.
class Person {
  static async arrive(browser, server, name, ...scopes) {
    const context = await browser.newContext();
    const page = await context.newPage();
    page.setDefaultTimeout(WAIT_MS);
    const person = new Person(name, page, server.token(name, ...scopes));
    page.on('pageerror', (error) => person.errors.push(error.message));
    await page.goto(server.page);
    await person.signIn();
    return person;
  }

  constructor(name, page, token) {
    this.name = name;
    this.page = page;
    this.token = token;
    this.errors = [];
  }

  async signIn() {
    await this.page.locator('#token').fill(this.token);
    await this.page.locator('#sign-in').click();
    await this.welcome();
  }

  // Waits until the page says who is signed in and that it is connected.
  async welcome() {
    await this.page.locator('#who', { hasText: this.name }).waitFor();
    await this.page.locator('#status', { hasText: 'Connected' }).waitFor();
  }

  // Loads the page again, which remembers who was signed in.
  async comeBack() {
    await this.page.reload();
    await this.welcome();
  }

  async publish(title, body) {
    if (await this.page.locator('#compose:not([open])').count() > 0) {
      await this.page.locator('#compose > summary').click();
    }
    await this.page.locator('#title').fill(title);
    await this.page.locator('#body').fill(body);
    await this.page.locator('#publish').click();
  }

  unread(title) {
    return this.page.locator('#unread li[data-id]', title ? { hasText: title } : {});
  }

  // Waits until the page lists exactly this many unread announcements.
  async counts(number) {
    await this.page.locator('#unread-count', { hasText: new RegExp(`^${number}$`) }).waitFor();
    assert.equal(await this.unread().count(), number, `what is listed for ${this.name}`);
  }

  async markRead(title) {
    const entry = this.unread(title);
    await entry.locator('.mark-read').click();
    await entry.waitFor({ state: 'detached' });
  }

  unharmed() {
    assert.deepEqual(this.errors, [], `script errors on the page of ${this.name}`);
  }
}

// A page with a socket on which nobody signs in.
class Stranger {
  static async arrive(browser, server) {
    const page = await (await browser.newContext()).newPage();
    page.setDefaultTimeout(WAIT_MS);
    await page.goto(server.page);
    await page.evaluate((url) => new Promise((resolve, reject) => {
      window.received = [];
      window.socket = new WebSocket(url);
      window.socket.addEventListener('message', (event) => window.received.push(event.data));
      window.socket.addEventListener('open', resolve);
      window.socket.addEventListener('error', reject);
    }), `ws://${server.address}/websockets`);
    return new Stranger(page);
  }

  constructor(page) {
    this.page = page;
  }

  // Asks for something, so that what was sent to the socket before has arrived with the answer.
  async hasReceivedNothing() {
    const received = await this.page.evaluate(() => new Promise((resolve) => {
      const done = () => resolve(window.received);
      if (window.socket.readyState !== WebSocket.OPEN) return done();
      window.socket.addEventListener('message', done);
      window.socket.addEventListener('close', done);
      window.socket.send(JSON.stringify({ Intent: 'Get unread messages' }));
    }));
    const answers = received.map((text) => JSON.parse(text));
    assert.ok(answers.every((answer) => answer.auth === false), `received ${received}`);
    assert.ok(answers.length <= 1, `received ${received}`);
  }
}

async function photograph(person, folder) {
  for (const colorScheme of ['light', 'dark']) {
    await person.page.emulateMedia({ colorScheme });
    await person.page.screenshot({ path: join(folder, `page-${colorScheme}.png`), fullPage: true });
  }
}

async function pushed(server, browser) {
  const stranger = await Stranger.arrive(browser, server);
  const alice = await Person.arrive(browser, server, 'alice', 'announce:public');
  const bob = await Person.arrive(browser, server, 'bob');
  await bob.counts(0);
  const began = performance.now();
  await alice.publish('Timesheets', 'Hand them in before noon — grüßt die Verwaltung');
  await bob.unread('Timesheets').waitFor();
  const took = Math.round(performance.now() - began);
  assert.ok(took < LIVE_MS, `bob waited for ${took} ms`);
  assert.match(await bob.unread('Timesheets').innerText(), /grüßt die Verwaltung/);
  await bob.counts(1);
  console.log(`ok bob sees what alice publishes (${took} ms)`);
  await stranger.hasReceivedNothing();
  console.log('ok a socket on which nobody signed in receives nothing');
  return { alice, bob };
}

async function kept(server, browser, people) {
  const carol = await Person.arrive(browser, server, 'carol');
  await carol.unread('Timesheets').waitFor();
  await carol.counts(1);
  console.log('ok carol, who signs in afterwards, finds it unread');

  await server.restart();
  for (const person of [carol, people.bob, people.alice]) await person.comeBack();
  for (const person of [carol, people.bob]) {
    await person.unread('Timesheets').waitFor();
    await person.counts(1);
  }
  console.log('ok it is still there and unread after kill -9 and a restart');
  return carol;
}

async function read(carol, alice, screenshots) {
  await carol.markRead('Timesheets');
  await carol.counts(0);
  await carol.comeBack();
  // The second announcement and its receipt are answered after the list that the page asked for.
  await alice.publish('Summer party', 'On Friday, in the yard');
  await carol.unread('Summer party').waitFor();
  await photograph(carol, screenshots);
  await carol.markRead('Summer party');
  await carol.counts(0);
  console.log('ok what carol read stays read after a reload');
}

async function story(browser, data, screenshots) {
  const server = await Server.start(data);
  try {
    const people = await pushed(server, browser);
    const carol = await kept(server, browser, people);
    await read(carol, people.alice, screenshots);
    for (const person of [people.alice, people.bob, carol]) person.unharmed();
  } finally {
    await server.kill();
  }
}

const [data, screenshots] = process.argv.slice(2);
if (data && screenshots) {
  await withBrowser((browser) => story(browser, data, screenshots));
} else {
  console.error('usage: announce.mjs DATA SCREENSHOTS');
  process.exitCode = 2;
}
