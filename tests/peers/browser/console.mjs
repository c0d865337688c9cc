// The operators' console: `console.mjs DATA SCREENSHOTS`. FRAMEWIRE names the server's binary,
// CHROMIUM the browser. FRAMEWIRE_URL may name a server that runs already, and ADMIN_TOKEN and
// BOB_TOKEN its tokens.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { withBrowser } from './chromium.mjs';
import { Server } from './server.mjs';
import { accessible, inspect, watched } from './watch.mjs';

const SCOPES = ['admin', 'announce:public', 'announce:channel'];

class Console {
  static async open(browser, page) {
    const watching = await watched(browser, page);
    await watching.page.goto(`${page}console`);
    return new Console(watching);
  }

  constructor({ page, seen }) {
    this.page = page;
    this.seen = seen;
  }

  at(selector, options) {
    return this.page.locator(selector, options);
  }

  async signIn(token) {
    await this.at('#token').fill(token);
    await this.at('#token').press('Enter');
  }

  async go(name) {
    await this.at(`#panels a[href="#${name}"]`).click();
    const panel = this.at('.panel:not([hidden])');
    await panel.locator('.loading').waitFor({ state: 'detached' });
    return panel;
  }

  done(text) {
    return this.at('#done', { hasText: text }).waitFor();
  }
}

async function signIn(desk, tokens, shots) {
  await inspect(desk.page, shots, 'console-sign-in');
  await desk.signIn(tokens.bob);
  await desk.at('#error', { hasText: 'lacks the scope admin' }).waitFor();
  await accessible(desk.page, 'a token that does not allow the console');
  await desk.signIn('not.a.token');
  await desk.at('#error', { hasText: 'token is not valid' }).waitFor();
  await desk.signIn(tokens.admin);
  await desk.at('.tiles').waitFor();
  assert.equal(await desk.at('#error').isVisible(), false);
  const words = await desk.at('svg.plot').first().getAttribute('aria-label');
  assert.match(words, /last 60 minutes/);
  await inspect(desk.page, shots, 'console-overview');
  console.log('ok only a token of an operator opens the console, which shows live figures');
}

async function publish(desk, shots) {
  await desk.go('publish');
  assert.equal(await desk.at('#send').isDisabled(), true);
  await desk.at('#title').fill('Timesheets');
  await desk.at('#body').fill('Before noon, please.');
  await desk.at('#require-ack').check();
  await desk.at('#feed').fill('Nowhere');
  await desk.at('#check').click();
  await desk.at('#error', { hasText: 'no such group' }).waitFor();
  assert.equal(await desk.at('#send').isDisabled(), true);
  await desk.at('#feed').fill('Public');
  await desk.at('#check').click();
  await desk.at('#reach', { hasText: /^This reaches \d+ (person|people)/ }).waitFor();
  await inspect(desk.page, shots, 'console-publish');
  await desk.at('#title').fill('Timesheets, today');
  assert.equal(await desk.at('#send').isDisabled(), true, 'a change asks for another check');
  await desk.at('#check').click();
  await desk.at('#send:enabled').click();
  await desk.done(/^Published for \d+ /);
  console.log('ok nothing is sent before it is known whom it reaches');
}

async function announcement(desk, shots) {
  const panel = await desk.go('announcements');
  await panel.locator('button.link', { hasText: 'Timesheets, today' }).first().click();
  const details = panel.locator('.details');
  await details.locator('.tiles dt', { hasText: 'Acknowledged' }).waitFor();
  assert.equal(await desk.at('#who-filter').inputValue(), 'not_acknowledged');
  await desk.at('#explain-user').fill('zoe');
  await desk.at('#explain-user').press('Enter');
  await details.locator('.steps li').first().waitFor();
  await details.locator('.steps', { hasText: 'It was stored' }).waitFor();
  await inspect(desk.page, shots, 'console-announcement');
  await details.locator('summary', { hasText: 'Edit' }).click();
  await desk.at('#edit-title').fill('Timesheets, tomorrow');
  await accessible(desk.page, 'editing');
  await details.getByRole('button', { name: 'Save' }).click();
  await desk.done('Changed');
  await panel.locator('button.link', { hasText: 'Timesheets, tomorrow' }).first().waitFor();
  await details.getByRole('button', { name: 'Recall' }).click();
  await accessible(desk.page, 'a question');
  await desk.at('#question-yes').click();
  await desk.done('Recalled');
  await panel.locator('tbody tr', { hasText: 'Timesheets, tomorrow' }).filter({ hasText: 'Recalled' }).first().waitFor();
  await desk.at('#state-filter').selectOption('pending');
  await panel.getByRole('button', { name: 'Show', exact: true }).click();
  await panel.locator('.empty', { hasText: 'No announcements' }).waitFor();
  console.log('ok the ledger, who has not, and why; an edit and a recall');
}

async function schedules(desk, shots) {
  const panel = await desk.go('schedules');
  await inspect(desk.page, shots, 'console-schedules');
  const first = panel.locator('.schedule').first();
  if (await first.count() === 0) {
    await panel.locator('.empty', { hasText: 'No schedules' }).waitFor();
    console.log('ok no schedules are told as such');
    return;
  }
  await first.getByRole('button', { name: 'Preview' }).click();
  await first.locator('.preview dl').waitFor({ state: 'attached' });
  await first.getByRole('button', { name: 'Pause' }).click();
  await first.locator('.badge', { hasText: 'Paused' }).waitFor();
  await first.getByRole('button', { name: 'Resume' }).click();
  await first.locator('.badge', { hasText: 'Active' }).waitFor();
  await first.getByRole('button', { name: 'Run now' }).click();
  await desk.at('#question-yes').click();
  await desk.done('It has run');
  await accessible(desk.page, 'a schedule that has run');
  console.log('ok schedules in words: preview, pause, resume, run');
}

async function people(desk, shots) {
  let panel = await desk.go('connections');
  const bob = panel.locator('tbody tr', { hasText: 'bob' });
  await bob.first().waitFor();
  await inspect(desk.page, shots, 'console-connections');
  await bob.first().getByRole('button', { name: 'Disconnect bob' }).click();
  await desk.at('#question').getByRole('button', { name: 'Cancel' }).click();
  await bob.first().getByRole('button', { name: 'Disconnect bob' }).click();
  await desk.at('#question-yes').click();
  await desk.done(/of bob closed/);
  panel = await desk.go('rooms');
  await panel.locator('details, .empty').first().waitFor();
  if (await panel.locator('summary').count() > 0) {
    await panel.locator('summary').first().click();
    await panel.locator('details p', { hasText: /\w/ }).waitFor();
  }
  await inspect(desk.page, shots, 'console-rooms');
  panel = await desk.go('revocations');
  await panel.locator('.empty, table').first().waitFor();
  await desk.at('#revocation-name').fill('mallory');
  await desk.at('#revocation-form button').click();
  await desk.at('#question-yes').click();
  await desk.done('Revoked');
  await panel.locator('tbody tr', { hasText: 'mallory' }).waitFor();
  await inspect(desk.page, shots, 'console-revocations');
  console.log('ok connections, rooms and revocations');
}

async function keyboard(desk) {
  const { keyboard: keys } = desk.page;
  const link = desk.at('#panels a[href="#rooms"]');
  await link.focus();
  await keys.press('Enter');
  await desk.at('.panel:not([hidden]) h2', { hasText: 'Rooms' }).waitFor();
  assert.equal(await desk.page.evaluate(() => document.activeElement.tagName), 'H2');
  assert.equal(await link.getAttribute('aria-current'), 'page');
  await desk.page.reload();
  await desk.at('.panel:not([hidden]) h2', { hasText: 'Rooms' }).waitFor();
  await desk.at('#sign-out').focus();
  await keys.press('Enter');
  await desk.at('#sign-in-section').waitFor();
  assert.equal(await desk.page.evaluate(() => window.sessionStorage.getItem('framewire.token')), null);
  console.log('ok the console by keys, a reload, and signing out');
}

// A person at the inbox of the same server, so that somebody is there.
async function inbox(browser, page, token) {
  const watching = await watched(browser, page);
  await watching.page.goto(page);
  await watching.page.locator('#token').fill(token);
  await watching.page.locator('#sign-in').click();
  await watching.page.locator('#status', { hasText: /^Connected$/ }).waitFor();
}

async function story(browser, page, tokens, shots) {
  await inbox(browser, page, tokens.bob);
  const desk = await Console.open(browser, page);
  await signIn(desk, tokens, shots);
  await publish(desk, shots);
  await announcement(desk, shots);
  await schedules(desk, shots);
  await people(desk, shots);
  await keyboard(desk);
  desk.seen.unharmed('the operator');
}

// A schedule that is due once a year, so that the story alone runs it.
const CONFIG = `
announcements:
  schedules:
    - id: log-hours-reminder
      cron: "1 10 20 12 *"
      timezone: Europe/Stockholm
      feed: Public
      template: { title: Log your hours, body: Before the month ends. }
`;

async function own(browser, data, shots) {
  const config = join(data, 'announce.yaml');
  writeFileSync(config, CONFIG);
  const server = await Server.start(data, { config });
  try {
    const tokens = { admin: server.token('olga', ...SCOPES), bob: server.token('bob') };
    await story(browser, server.page, tokens, shots);
  } finally {
    await server.kill();
  }
}

const [data, shots] = process.argv.slice(2);
const { FRAMEWIRE_URL: url, ADMIN_TOKEN: admin, BOB_TOKEN: bob } = process.env;
if (data && shots && url) {
  await withBrowser((browser) => story(browser, new URL('/', url).href, { admin, bob }, shots));
} else if (data && shots) {
  await withBrowser((browser) => own(browser, data, shots));
} else {
  console.error('usage: console.mjs DATA SCREENSHOTS');
  process.exitCode = 2;
}
