// Where clients run: in Node on `ws`, and in Chromium, each person in a browser profile of its own.

import { WebSocket } from 'ws';

import { withBrowser } from '../chromium.mjs';
import { defineClients } from './client.mjs';

class InNode {
  constructor(headers) {
    this.options = headers && { headers };
  }

  async call(name, ...words) {
    if (name === 'open' && this.options) words.push(this.options);
    return globalThis.clients[name](...words);
  }
}

class InPage {
  constructor(page) {
    this.page = page;
  }

  async call(name, ...words) {
    const call = ([wanted, given]) => globalThis.clients[wanted](...given);
    return this.page.evaluate(call, [name, words]);
  }
}

// Runs `work` with `arrive(page, cookie)`, which gives somebody a place: one that has loaded
// `page`, and sends the cookie with this token where there is one.
export async function withPlaces(kind, work) {
  if (kind === 'node') {
    globalThis.WebSocket = WebSocket;
    defineClients();
    return work((page, cookie) => {
      const headers = cookie && { Cookie: `ID_TOKEN=${cookie}`, Origin: new URL(page).origin };
      return new InNode(headers);
    });
  }
  return withBrowser((browser) => work(async (url, cookie) => {
    const context = await browser.newContext();
    if (cookie) await context.addCookies([{ name: 'ID_TOKEN', value: cookie, url }]);
    const page = await context.newPage();
    await page.goto(url);
    await page.evaluate(defineClients);
    return new InPage(page);
  }));
}
