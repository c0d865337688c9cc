// Who somebody is, what they may do, and what becomes of their credentials.

import { Fault, within } from '../fault.mjs';
import { Bystanders, PUBLISHER, Peer } from '../peer.mjs';

const BEARER = 'a-bearer-of-another-system';
const served = (answer) => answer.Intent === 'Get unread messages';

// A token that is not what was agreed: of another algorithm, or without an end.
const WRONG = [
  ['HS384', { header: { algorithm: 'HS384' } }],
  ['HS512', { header: { algorithm: 'HS512' } }],
  ['without an end', { exp: undefined }],
];

async function wrongTokens(target) {
  const taken = [];
  for (const [what, claims] of WRONG) {
    const peer = await Peer.signIn(target, 'mallory', claims);
    if (peer.closed === undefined && served(await peer.unread())) taken.push(what);
  }
  if (taken.length > 0) throw new Fault(`tokens are taken: ${taken.join(', ')}`);
}

// The token says who it is, and nothing else does.
async function claims(target) {
  const peer = await Peer.open(target);
  await peer.sign('alice', {}, {});
  const others = await Bystanders.arrive(target);
  await others.notice('a sign-in');
  const answer = await peer.unread();
  const { of } = answer;
  if (served(answer) && target.answersSign === false && of !== 'alice') {
    throw new Fault(`a token of alice makes a connection of ${of}`);
  }
  if (!target.answersSign) return;
  const told = JSON.parse(peer.texts.find((text) => text.includes('"auth"')));
  if (told.UserID !== 'alice') throw new Fault(`a token of alice makes one of ${told.UserID}`);
}

async function somebodyElse(target) {
  const mallory = await Peer.open(target);
  await mallory.sign('mallory', {}, { UserID: 'alice' });
  if (mallory.closed !== undefined) return;
  const answer = await Promise.race([mallory.unread(), mallory.isClosed()]);
  if (served(answer)) throw new Fault(`mallory is given what is unread of ${answer.of}`);
}

async function expired(target) {
  const others = await Bystanders.arrive(target);
  const brief = await Peer.signIn(target, 'brief', { exp: Math.floor(Date.now() / 1000) + 2 });
  await within(8000, brief.isClosed());
  await others.notice('a token that has expired');
  await brief.settles();
  if (brief.closed === undefined) throw new Fault('one whose token has expired hears all');
}

// The same group in both forms is the same group.
async function groups(target) {
  const peer = await Peer.signIn(target, 'alice');
  const answers = [];
  for (const Group of ['HR', { channel: 'HR' }]) {
    const before = peer.texts.length;
    peer.ask('Mark as read', { Group, NotificationID: 'x' });
    await peer.hears(() => peer.texts.length > before, 'an answer');
    answers.push(peer.texts.at(-1));
  }
  if (answers[0] !== answers[1]) throw new Fault(`two forms of a group: ${answers.join(' ')}`);
}

async function anybody(target) {
  const others = await Bystanders.arrive(target);
  const mallory = await Peer.signIn(target, 'mallory');
  mallory.ask('Public announcement', { Group: 'Public', Body: 'of mallory' });
  await mallory.settles();
  await others.notice('what mallory said');
  const heard = others.bob.texts.some((text) => text.includes('of mallory'));
  if (heard) throw new Fault('anybody with a token announces to everybody');
}

async function unsigned(target) {
  const peer = await Peer.open(target);
  peer.token = target.token('alice');
  const answer = await peer.unread();
  if (served(answer)) throw new Fault(`what is unread of ${answer.of} is given before a sign-in`);
}

async function credentials(target) {
  const others = await Bystanders.arrive(target);
  others.alice.ask('Public announcement', { Group: 'Public', Body: 'secret', Bearer: BEARER });
  await others.bob.hears((text) => text.includes('"secret"'), 'the announcement');
  const given = [others.alice.token, BEARER];
  const leaked = others.bob.texts.some((text) => given.some((secret) => text.includes(secret)));
  if (leaked) throw new Fault('the token and the bearer of the publisher go to everybody');
}

// What the connection of somebody who has signed in keeps, as the first server's own code sees it.
const kept = (name) => async (target) => {
  const peer = await Peer.open(target);
  await peer.sign('alice', {}, { UserID: 'alice', Bearer: BEARER });
  await peer.unread();
  const [, names] = await target.program.says(/^kept (.*)$/m);
  if (names.includes(name)) throw new Fault(`the connection keeps ${name}`);
};

// What the first server calls its connections when the random numbers are known.
async function names(target) {
  await Bystanders.arrive(target).then((others) => others.notice('nothing'));
  const [, known] = await target.program.says(/^known (.*)$/m);
  const [first, second] = known.split(' ');
  if (first === second) throw new Fault(`whoever knows the generator knows the name ${first}`);
}

const PREDICTABLE = { beside: ['random.mjs'] };

export const probes = [
  { row: 'A37', probe: names, first: PREDICTABLE, ours: false },
  { row: 'A49', probe: wrongTokens },
  { row: 'A51', probe: claims },
  { row: 'A52', probe: somebodyElse },
  { row: 'A53', probe: kept('Bearer'), ours: false },
  { row: 'A54', probe: kept('APIToken'), ours: false },
  { row: 'A56', probe: expired },
  { row: 'A60', probe: groups },
  { row: 'A64', probe: anybody },
  { row: 'A67', probe: unsigned },
  { row: 'A81', probe: credentials },
];
