// One client of the server that is probed.

import { once } from 'node:events';
import { connect } from 'node:net';

import { WebSocket } from 'ws';

import { Fault, inTime } from './fault.mjs';

export class Peer {
  // Opens a connection, or tells with which status that was refused.
  static async open(target, options) {
    const socket = new WebSocket(target.url, options);
    const peer = new Peer(target, socket);
    await inTime(new Promise((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('unexpected-response', (request, answer) => {
        peer.refused = answer.statusCode;
        request.destroy();
        resolve();
      });
      socket.once('error', reject);
    }), `opening ${target.url}`);
    return peer;
  }

  constructor(target, socket) {
    Object.assign(this, { target, socket, texts: [], told: () => {} });
    socket.on('error', () => {});
    socket.on('message', (bytes) => {
      this.texts.push(bytes.toString());
      this.told();
    });
    socket.on('close', (code) => {
      this.closed = code;
      this.told();
    });
  }

  say(message) {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  ask(Intent, fields) {
    this.say({ APIToken: this.token, Intent, ...fields });
  }

  // Waits until something that was heard is `wanted`, and gives that; nothing when it is closed.
  async hears(wanted, what = wanted) {
    const found = () => this.texts.find((text) => wanted(text));
    const heard = new Promise((resolve) => {
      this.told = () => {
        if (found() !== undefined || this.closed !== undefined) resolve(found());
      };
      this.told();
    });
    return inTime(heard, what);
  }

  async isClosed() {
    if (this.closed === undefined) await inTime(once(this.socket, 'close'), 'a close');
    return this.closed;
  }

  // Waits until what was sent before has been looked at, which ends where the server ends.
  async settles() {
    if (this.closed !== undefined) return;
    this.socket.ping();
    await inTime(Promise.race([once(this.socket, 'pong'), once(this.socket, 'close')]), 'a pong');
  }

  // Signs in as the token's user, or as `UserID` says.
  async sign(name, claims, fields = { UserID: name }) {
    this.token = this.target.token(name, claims);
    const before = this.texts.length;
    this.ask('Sign', fields);
    // The first server says nothing to a `Sign` that it accepts.
    const isAnswered = () => this.texts.slice(before).some((text) => text.includes('"auth":'));
    if (this.target.answersSign) await this.hears(isAnswered, 'auth');
    else await this.settles();
  }

  static async signIn(target, name, claims) {
    const peer = await Peer.open(target);
    await peer.sign(name, claims);
    return peer;
  }

  // What is answered to a `Get unread messages`, or that nothing was.
  async unread() {
    const before = this.texts.length;
    this.ask('Get unread messages');
    await this.hears(() => this.texts.length > before, 'an answer');
    return JSON.parse(this.texts.at(-1));
  }
}

export const PUBLISHER = { scope: 'announce:public' };

// Two who are at work: what is published by one has to be heard by the other.
export class Bystanders {
  static async arrive(target) {
    const alice = await Peer.signIn(target, 'alice', PUBLISHER);
    return new Bystanders(target, alice, await Peer.signIn(target, 'bob'));
  }

  constructor(target, alice, bob) {
    Object.assign(this, { target, alice, bob, count: 0 });
  }

  async notice(nothing) {
    this.count += 1;
    const Body = `number ${this.count}`;
    this.alice.ask('Public announcement', { Group: 'Public', Body });
    const heard = await this.bob.hears((text) => text.includes(Body), Body);
    if (heard === undefined) {
      const why = this.target.lastWords();
      throw new Fault(`after ${nothing}, everybody's connection has ended: ${why}`);
    }
  }
}

// A connection of which each byte is made here.
export async function byHand(target, lines = []) {
  const { hostname, port, pathname } = new URL(target.url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  await once(socket, 'connect');
  const request = [
    `GET ${pathname} HTTP/1.1`, `Host: ${hostname}:${port}`, 'Connection: Upgrade',
    'Upgrade: websocket', 'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', ...lines,
  ];
  return { socket, request: request.join('\r\n') };
}

// The same, opened.
export async function opened(target) {
  const { socket, request } = await byHand(target);
  socket.write(`${request}\r\n\r\n`);
  const [head] = await inTime(once(socket, 'data'), 'an answer');
  if (!head.toString('latin1').startsWith('HTTP/1.1 101 ')) throw new Error(`not opened: ${head}`);
  return socket;
}
