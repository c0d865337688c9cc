// People who speak the intent dialect.

import assert from 'node:assert/strict';

import { Talk } from './talk.mjs';

// A second credential that such clients send along.
export const BEARER = 'a-bearer-of-another-system';

export class Person {
  // Connects without a word.
  static async connect(world, name, claims) {
    const place = await world.arrive(world.server.page);
    const talk = await Talk.open(place, `ws://${world.server.address}/websockets`);
    return new Person(world, name, talk, world.server.mint(name, { ...claims }));
  }

  static async signIn(world, name, claims) {
    const person = await Person.connect(world, name, claims);
    await person.sign();
    return person;
  }

  constructor(world, name, talk, token) {
    Object.assign(this, { world, name, talk, token });
  }

  async sign() {
    await this.ask('Sign', { UserID: this.name, Bearer: BEARER });
    const answer = await this.talk.hear();
    assert.deepEqual([answer.auth, answer.UserID], [true, this.name]);
    return answer;
  }

  ask(Intent, fields) {
    return this.talk.say({ APIToken: this.token, Intent, ...fields });
  }

  // Waits for the next message, which has to be of this intent.
  async hears(intent) {
    const message = await this.talk.hear();
    assert.equal(message.Intent, intent, JSON.stringify(message));
    return message;
  }

  async isRefused(code, what) {
    const { type, payload } = await this.talk.hear();
    const why = `${JSON.stringify(what)}: ${payload?.code}, ${payload?.message}`;
    assert.deepEqual([type, payload?.code], ['error', code], why);
    return payload;
  }

  // Publishes, and tells what the publisher is told, who hears the announcement as well. What had
  // been delivered to the publisher before would come first, and is not expected.
  async publishes(fields) {
    await this.ask('Public announcement', fields);
    const told = [await this.talk.hear(), await this.talk.hear()];
    const published = told.find((message) => message.type === 'published');
    const announced = told.find((message) => message.Intent === 'Public announcement');
    assert.ok(published && announced, JSON.stringify(told));
    assert.equal(announced.NotificationID, published.NotificationID);
    return published;
  }

  async unread() {
    await this.ask('Get unread messages');
    return this.hears('Get unread messages');
  }
}

export const PUBLISHER = { scope: 'announce:public' };
