// Strangers, hostile messages and clients that are a burden: what a server has to live with.

import { Fault, inTime, within } from '../fault.mjs';
import { Bystanders, PUBLISHER, Peer, byHand, opened } from '../peer.mjs';

const SILENT_MS = 15_000;
const SLOW_MS = 15_000;
const UNPINGED_MS = 40_000;
const FEW = 11;
const MANY = 10_000;
const LARGE = 60_000;
const UNREAD = 600;
const MUCH = 25_000_000;
const LINES = 200;

async function strangers(target) {
  const silent = await Peer.open(target);
  const busy = await Peer.open(target);
  for (let at = 0; at < FEW; at += 1) busy.say({ Intent: 'Get unread messages' });
  await busy.settles();
  const lengthy = await Peer.open(target);
  lengthy.say({ Intent: 'Sign', Note: 'x'.repeat(16 * 1024) });
  await lengthy.settles();
  await within(SILENT_MS, silent.isClosed());
  const open = Object.entries({ silent, busy, lengthy })
    .filter(([, peer]) => peer.closed === undefined).map(([name]) => name);
  if (open.length > 0) throw new Fault(`strangers stay connected: ${open.join(', ')}`);
}

async function foreignPage(target) {
  const peer = await Peer.open(target, { origin: 'https://elsewhere.example' });
  if (!peer.refused) throw new Fault('the page of another site is let in');
}

async function handshakes(target) {
  const lines = Array.from({ length: LINES }, (_, at) => `X-${at}: ${at}`);
  const { socket, request } = await byHand(target, lines);
  socket.write(`${request}\r\n\r\n`);
  const [head] = await new Promise((resolve) => socket.once('data', (...it) => resolve(it)));
  const { socket: slow, request: never } = await byHand(target);
  slow.write(never);
  const end = new Promise((resolve) => slow.once('close', resolve).resume());
  const ended = await within(SLOW_MS, end);
  if (/^HTTP\/1\.1 101 /.test(head.toString('latin1'))) {
    const waits = ended ? 'not waited for' : 'waited for';
    throw new Fault(`a handshake of ${LINES} lines is taken, one without end is ${waits}`);
  }
  if (!ended) throw new Fault(`a handshake without end is waited for`);
}

async function anonymous(target) {
  const stranger = await Peer.open(target);
  const others = await Bystanders.arrive(target);
  await others.notice('a stranger');
  await stranger.settles();
  if (stranger.texts.length > 0) throw new Fault('an anonymous socket hears an announcement');
}

const texts = (given) => async (target) => {
  const others = await Bystanders.arrive(target);
  for (const text of given) {
    const stranger = await Peer.open(target);
    stranger.say(text);
    await stranger.settles();
    await others.notice(`the text ${text.slice(0, 20)}`);
  }
};

async function frames(target) {
  const others = await Bystanders.arrive(target);
  const socket = await opened(target);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.resume().write(Buffer.from([0xf1, 0x82, 0, 0, 0, 0, 0x7b, 0x7d]));
  await inTime(closed, 'the end of a connection with RSV bits');
  await others.notice('a frame with RSV bits');
}

async function comingBack(target) {
  const others = await Bystanders.arrive(target);
  const late = await Peer.open(target);
  late.say({ Intent: 'Sign', UserID: 'late' });
  await late.hears((text) => text.includes('No token provided.'), 'a refusal');
  await late.sign('late');
  await others.notice('a sign-in without a token');
  await late.settles();
  const heard = await within(1000, late.hears((text) => text.includes('number 1'), 'number 1'));
  if (!heard) throw new Fault('who signs in at the second attempt hears no announcement');
}

async function groupless(target) {
  const others = await Bystanders.arrive(target);
  const mallory = await Peer.signIn(target, 'mallory');
  mallory.ask('Mark as read', { NotificationID: 'x' });
  await mallory.settles();
  await others.notice('a message without a group');
}

async function unanswered(target) {
  const socket = await opened(target);
  const pinged = new Promise((resolve) => socket.once('data', resolve));
  if (!await within(UNPINGED_MS, pinged)) throw new Fault(`no ping in ${UNPINGED_MS} ms`);
}

async function huge(target) {
  const others = await Bystanders.arrive(target);
  const peer = await Peer.signIn(target, 'mallory');
  peer.ask('Get unread messages', { Note: 'x'.repeat(1024 * 1024) });
  const answered = await peer.hears((text) => text.includes('"Get unread messages"'), 'an answer');
  await others.notice('a huge message');
  if (answered) throw new Fault('a message of a MiB is taken and answered');
}

async function flood(target) {
  const peer = await Peer.signIn(target, 'mallory');
  const before = peer.texts.length;
  for (let at = 0; at < MANY; at += 1) peer.ask('Get unread messages');
  await peer.settles();
  const answers = peer.texts.slice(before).filter((text) => !text.includes('"error"'));
  if (answers.length >= MANY) throw new Fault(`${MANY} requests at once are all answered`);
}

// Whoever does not read is sent to as long as it goes: what it has not read is kept for it.
async function slowReader(target) {
  const others = await Bystanders.arrive(target);
  const slow = await Peer.signIn(target, 'slow');
  slow.socket.pause();
  for (let at = 0; at < UNREAD; at += 1) {
    const Body = `${at} ${'x'.repeat(LARGE)}`;
    others.alice.ask('Public announcement', { Group: 'Public', Body });
    if (at % 20 === 19) await others.bob.hears((text) => text.includes(`"${at} x`), at);
  }
  slow.socket.resume();
  await slow.settles();
  const bytes = slow.texts.reduce((sum, text) => sum + text.length, 0);
  if (bytes > MUCH) throw new Fault(`${bytes} bytes were kept for one who did not read`);
}

const FAST = 'limits:\n  publish: { rate: 1000/s, burst: 1000 }\n';

export const probes = [
  { row: 'A32', probe: strangers, isSlow: 1 },
  { row: 'A33', probe: foreignPage },
  { row: 'A34', probe: handshakes, isSlow: 1 },
  { row: 'A42', probe: anonymous },
  { row: 'A43', probe: texts(['{', 'Sign', '']) },
  { row: 'A44', probe: texts(['null', '7', '[]', '"Sign"']) },
  { row: 'A45', probe: frames },
  { row: 'A48', probe: comingBack },
  { row: 'A59', probe: groupless },
  { row: 'A73', probe: unanswered, isSlow: 2 },
  { row: 'A74', probe: huge },
  { row: 'A75', probe: flood },
  { row: 'A76', probe: slowReader, ours: { config: FAST } },
];
