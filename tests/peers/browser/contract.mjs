// A server in front of the real one that answers the HTTP interface of the console itself: the
// pages and the sockets are those of the real one behind it, the figures and lists are made up.
// It keeps what it is told, and checks of every request what the real one checks.

import { once } from 'node:events';
import { createServer, request as ask } from 'node:http';
import { connect } from 'node:net';

const ago = (minutes) => new Date(Date.now() - minutes * 60_000).toISOString();

class Refusal extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

const claimsOf = (header = '') => {
  try {
    return JSON.parse(Buffer.from(header.replace(/^Bearer /, '').split('.')[1], 'base64url'));
  } catch {
    throw new Refusal(401, 'bad_token', 'the token does not verify');
  }
};

export class Contract {
  static async start(server) {
    const contract = new Contract(server);
    contract.http.listen(0, '127.0.0.1');
    await once(contract.http, 'listening');
    contract.address = `127.0.0.1:${contract.http.address().port}`;
    return contract;
  }

  constructor(server) {
    this.server = server;
    this.announcements = [];
    this.keys = new Map();
    this.revocations = [];
    this.connections = [
      { label: 'c1', user: 'bob', dialect: 'announce.v1', address: '192.0.2.7:50112', since: ago(12), expires_at: ago(-48) },
      { label: 'c2', user: 'bob', dialect: 'announce.v1', address: '192.0.2.8:41022', since: ago(3), expires_at: ago(-57) },
      { label: 'c3', user: 'carol', dialect: 'intent', address: '198.51.100.20:55555', since: ago(90), expires_at: ago(-30) },
      { label: 'c4', user: null, dialect: 'intent', address: '203.0.113.5:1024', since: ago(0), expires_at: null },
    ];
    this.schedules = [
      { id: 'timesheets', words: 'at 10:01 on day 10 of every month, Europe/Stockholm', timezone: 'Europe/Stockholm',
        cron: '1 10 10 * *', feed: 'Public', paused: false, last_run: ago(22_000),
        next_runs: [{ local: '2027-01-10T10:01:00+01:00', utc: '2027-01-10T09:01:00Z' },
          { local: '2027-02-10T10:01:00+01:00', utc: '2027-02-10T09:01:00Z' }] },
      { id: 'fire-drill', words: 'at 12:00 on Monday, UTC', timezone: 'UTC', cron: '0 12 * * 1', feed: 'HR',
        paused: true, last_run: null, next_runs: [{ local: '2027-01-04T12:00:00Z', utc: '2027-01-04T12:00:00Z' }] },
    ];
    this.http = createServer((request, response) => this.#serve(request, response));
    this.http.on('upgrade', (request, socket) => this.#join(request, socket));
  }

  get page() {
    return `http://${this.address}/`;
  }

  async close() {
    this.http.closeAllConnections();
    this.http.close();
    await once(this.http, 'close');
  }

  async #serve(request, response) {
    const url = new URL(request.url, this.page);
    if (!url.pathname.startsWith('/api/')) {
      this.#forward(request, response);
      return;
    }
    try {
      const body = await read(request);
      const [status, answer] = this.#answer(request, url, body);
      send(response, status, answer);
    } catch (error) {
      const { status = 500, code = 'error', message } = error;
      send(response, status, { error: { code, message } });
    }
  }

  #forward({ method, url, headers }, response) {
    const [host, port] = this.server.address.split(':');
    const asked = ask({ host, port, method, path: url, headers: { ...headers, connection: 'close' } }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    asked.on('error', () => response.destroy());
    asked.end();
  }

  #join(request, socket) {
    const [host, port] = this.server.address.split(':');
    const behind = connect(Number(port), host, () => {
      const headers = { ...request.headers, host: this.server.address, origin: `http://${this.server.address}` };
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
      behind.write(`GET ${request.url} HTTP/1.1\r\n${lines.join('')}\r\n`);
      behind.pipe(socket).pipe(behind);
    });
    for (const end of [behind, socket]) end.on('error', () => [behind, socket].forEach((it) => it.destroy()));
  }

  #answer(request, url, body) {
    const claims = claimsOf(request.headers.authorization);
    const asked = url.searchParams.get('namespace');
    if (asked && !(claims.namespaces ?? ['main']).includes(asked)) {
      throw new Refusal(403, 'forbidden', 'the token does not give access to this namespace');
    }
    const scopes = [claims.scope ?? []].flat().flatMap((it) => it.split(' '));
    if (!scopes.includes('admin')) throw new Refusal(403, 'forbidden', 'the token lacks the scope admin');
    const [what, id, verb] = url.pathname.split('/').slice(3).map(decodeURIComponent);
    const call = `${request.method} ${what}${id ? '/:' : ''}${verb ? `/${verb}` : ''}`;
    const route = ROUTES[call];
    if (route === undefined) throw new Refusal(404, 'not_available', 'there is no such path');
    return route(this, { id, query: url.searchParams, body, key: request.headers['idempotency-key'], user: claims.sub });
  }

  find(id) {
    const found = this.announcements.find((it) => it.announcement === id);
    if (!found) throw new Refusal(404, 'unknown_notification', 'there is no such notification');
    return found;
  }

  schedule(id) {
    const found = this.schedules.find((it) => it.id === id);
    if (!found) throw new Refusal(404, 'not_available', 'there is no such schedule');
    return found;
  }
}

function publish(contract, { body, key, user }) {
  const { dry_run: isDry, ...draft } = body;
  if (draft.feed === 'Nowhere') throw new Refusal(404, 'unknown_group', 'there is no such group');
  if (isDry) return [200, { audience: 6, online: 2 }];
  if (!key) throw new Refusal(400, 'missing_field', 'Idempotency-Key');
  const isDuplicate = contract.keys.has(key);
  if (!isDuplicate) {
    const offset = contract.announcements.length + 1;
    contract.keys.set(key, offset);
    contract.announcements.unshift({
      announcement: `a-${offset}`, kind: 'Public announcement', offset, epoch: 'e1', version: 1, publisher: user,
      sent_at: new Date().toISOString(), priority: 'normal', require_ack: false, data: {}, ...draft,
      state: draft.visible_at ? 'pending' : 'released', visible_at: draft.visible_at ?? new Date().toISOString(),
    });
  }
  const { announcement, feed, offset, epoch, state } = contract.announcements[0];
  const duplicate = isDuplicate;
  return [isDuplicate ? 200 : 201, { announcement, feed, offset, epoch, state, audience: 6, online: 2, duplicate }];
}

function ledger(contract, { id, query }) {
  const { announcement } = contract.find(id);
  const one = (user, ...at) => ({ user, sent_at: at[0] ?? null, delivered_at: at[1] ?? null, is_read: Boolean(at[2]),
    read_at: at[2] ?? null, acknowledged_at: at[3] ?? null });
  const people = [one('alice', ago(9), ago(9), ago(8), ago(7)), one('bob', ago(9), ago(9), ago(4)), one('carol', ago(9), ago(6)),
    one('dan', ago(9)), one('erin'), one('frank')];
  const missing = { not_sent: 'sent_at', not_delivered: 'delivered_at', not_read: 'read_at', not_acknowledged: 'acknowledged_at' }[query.get('who')];
  return [200, { announcement, audience: 6, sent: 4, delivered: 3, read: 2, acknowledged: 1,
    people: people.filter((it) => !missing || it[missing] === null), cursor: null }];
}

const ROUTES = {
  'GET statistics': () => [200, {
    connections: { total: 41, by_dialect: { 'announce.v1': 30, intent: 11 } }, people_online: 29,
    announcements_per_minute: Array.from({ length: 60 }, (_, at) => [0, 1, 0, 3, 2, 0][at % 6]),
    deliveries_per_minute: Array.from({ length: 60 }, (_, at) => Math.round(40 + 38 * Math.sin(at / 5))),
    uptime_s: 275_400, store: { commits: 5120, writes: 20_480 } }],
  'POST announcements': publish,
  'GET announcements': (contract, { query }) => {
    const [feed, state] = [query.get('feed'), query.get('state')];
    const fits = (it) => (!feed || it.feed === feed) && (!state || it.state === state);
    return [200, { announcements: contract.announcements.filter(fits), cursor: null }];
  },
  'PATCH announcements/:': (contract, { id, body }) => {
    const found = contract.find(id);
    if (body.version !== found.version) throw new Refusal(409, 'conflict', 'it has another version by now');
    Object.assign(found, { title: body.title, body: body.body, version: found.version + 1 });
    return [200, { announcement: id, version: found.version }];
  },
  'DELETE announcements/:': (contract, { id }) => {
    const found = contract.find(id);
    Object.assign(found, { state: 'recalled', version: found.version + 1 });
    return [200, { announcement: id, version: found.version }];
  },
  'GET announcements/:/ledger': ledger,
  'GET announcements/:/explain': (contract, { id, query }) => {
    contract.find(id);
    const isStranger = query.get('user') === 'zoe';
    const steps = isStranger ? [{ what: 'stored', at: ago(9) }, { what: 'not_in_audience', at: null }]
      : [{ what: 'stored', at: ago(9) }, { what: 'in_audience', at: null }, { what: 'visible', at: ago(9), offset: 1 },
        { what: 'sent', at: ago(9) }, { what: 'not_delivered', at: null }, { what: 'not_read', at: null }];
    return [200, { steps }];
  },
  'GET schedules': (contract) => [200, { schedules: contract.schedules }],
  'POST schedules/:/pause': (contract, { id }) => [200, Object.assign(contract.schedule(id), { paused: true })],
  'POST schedules/:/resume': (contract, { id }) => [200, Object.assign(contract.schedule(id), { paused: false })],
  'POST schedules/:/run': (contract, { id }) => [200, Object.assign(contract.schedule(id), { last_run: ago(0) })],
  'POST schedules/:/preview': (contract, { id }) => [200, {
    feed: contract.schedule(id).feed, title: 'Hand in your timesheets', body: 'Before noon.', audience: 6 }],
  'GET connections': ({ connections }) => [200, { connections, total: connections.length }],
  'DELETE connections': (contract, { query }) => {
    const before = contract.connections.length;
    contract.connections = contract.connections.filter((it) => it.user !== query.get('user'));
    return [200, { closed: before - contract.connections.length }];
  },
  'GET rooms': () => [200, { rooms: [{ room: 'lobby', people: 3 }, { room: 'kitchen', people: 1 }] }],
  'GET rooms/:': (contract, { id }) => [200, { people: id === 'lobby' ? ['alice', 'bob', 'carol'] : ['dan'], version: 4 }],
  'GET revocations': ({ revocations }) => [200, { revocations }],
  'POST revocations': (contract, { body, key }) => {
    if (!key) throw new Refusal(400, 'missing_field', 'Idempotency-Key');
    contract.revocations.push(body);
    return [201, body];
  },
};

async function read(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  const text = Buffer.concat(parts).toString();
  return text === '' ? {} : JSON.parse(text);
}

function send(response, status, answer) {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(answer));
}
