// People of several namespaces, and those who send them something over the bus.

import { Fault } from '../fault.mjs';
import { Peer } from '../peer.mjs';

// Connects as somebody whose token is for `namespace`, to `asked`.
function arrive(target, { user = 'alex', namespace = 'one', asked = namespace, ...options }) {
  const token = target.token(user, { preferred_username: user, namespaces: [namespace] });
  const query = asked ? `?namespace=${asked}` : '';
  const headers = { Cookie: `ID_TOKEN=${token}` };
  return Peer.open({ url: target.gateway + query }, { headers, ...options });
}

// Nobody is let in, and for this reason.
function isRefused({ refused }, status, fault) {
  if (!refused) throw new Fault(fault);
  if (refused !== status) throw new Error(`refused with ${refused}, not ${status}`);
}

// Publishes on the bus as a program of the namespace `one`, and tells whether that was taken.
async function publish(target, topic, data, claims) {
  const url = new URL(`/api/v1/bus/${topic}`, target.gateway.replace('ws:', 'http:'));
  const token = target.token('program', { namespaces: ['one'], ...claims });
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(data) });
  return answer.ok;
}

async function otherTenant(target) {
  const peer = await arrive(target, { asked: 'two' });
  isRefused(peer, 403, 'a token for one namespace opens another');
}

async function otherPage(target) {
  const peer = await arrive(target, { origin: 'https://elsewhere.example' });
  isRefused(peer, 403, 'the page of another site connects with the cookie');
}

async function noTenant(target) {
  const peer = await arrive(target, { asked: '' });
  isRefused(peer, 400, 'a connection without a namespace is everywhere');
}

// Somebody of the same name in the other namespace, and what reaches them of what is meant for one.
const leaks = (topic, data) => async (target) => {
  const mine = await arrive(target, {});
  const other = await arrive(target, { namespace: 'two' });
  const scope = ['send', 'broadcast'];
  await publish(target, topic, { ...data, type: 'news', payload: 1 }, { scope });
  const last = { username: 'alex', namespace: 'one', type: 'last', payload: 2 };
  if (!await publish(target, 'socket:send', last, { scope })) throw new Error('the bus refuses');
  const heard = await mine.hears((text) => text.includes('"last"'), 'the last message');
  if (heard === undefined) throw new Error('the connection has ended');
  await other.settles();
  if (other.texts.some((text) => text.includes('"news"'))) {
    throw new Fault('who has the same name in another namespace hears it');
  }
};

async function anybody(target) {
  const data = { username: 'alex', namespace: 'one', type: 'news', payload: 1 };
  if (await publish(target, 'socket:send', data)) throw new Fault('anybody publishes on the bus');
}

export const probes = [
  { row: 'B05', gateway: otherTenant },
  { row: 'B22', gateway: otherPage },
  { row: 'B23', gateway: otherPage },
  { row: 'B26', gateway: noTenant },
  { row: 'B27', gateway: leaks('socket:send', { username: 'alex' }) },
  { row: 'B28', gateway: leaks('socket:send', { username: 'alex' }) },
  { row: 'B44', gateway: leaks('socket:broadcast', {}) },
  { row: 'B50', gateway: anybody },
];
