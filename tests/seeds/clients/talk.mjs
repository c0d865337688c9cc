// One socket of a client, from the side of a story.

import assert from 'node:assert/strict';

// Everything that any client has been sent, for those who look for what must not be there.
export const heard = [];

export class Talk {
  // Opens `url` in `place`, which has to succeed.
  static async open(place, url) {
    const { number, closed } = await place.call('open', url);
    assert.equal(closed, undefined, `${url} did not open`);
    return new Talk(place, number);
  }

  constructor(place, number) {
    this.place = place;
    this.number = number;
  }

  // Sends a text as it is, and anything else as JSON.
  async say(message) {
    const text = typeof message === 'string' ? message : JSON.stringify(message);
    await this.place.call('send', this.number, text);
  }

  async sayBytes(bytes) {
    await this.place.call('sendBytes', this.number, bytes);
  }

  async hearText() {
    const { text, closed } = await this.place.call('next', this.number);
    assert.notEqual(text, undefined, `instead of a message: ${JSON.stringify(closed)}`);
    heard.push(text);
    return text;
  }

  async hear() {
    return JSON.parse(await this.hearText());
  }

  // Waits for the close, before which nothing may arrive.
  async isClosed(code) {
    const { text, closed } = await this.place.call('next', this.number);
    assert.equal(text, undefined, `instead of the close: ${text}`);
    assert.equal(closed.code, code, JSON.stringify(closed));
    return closed;
  }

  async drop() {
    await this.place.call('drop', this.number);
    return this.isClosed(1006);
  }

  async leave() {
    await this.place.call('close', this.number);
    return this.isClosed(1005);
  }
}
