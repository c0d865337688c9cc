// Pieces of code that are run by themselves.

import { spawnSync } from 'node:child_process';

import ts from 'typescript';
import { WebSocket } from 'ws';

import { Fault } from '../fault.mjs';
import { block, document, part } from '../documents.mjs';
import { Framewire, plainServer } from '../targets.mjs';

// Runs the code of a page with the names that a page has, against a server that exists.
async function inPage(code, names) {
  const server = plainServer("new (require('ws').Server)({ port: 0 });");
  try {
    const port = await server.port();
    const address = /new WebSocket\(['"]ws:[^'"]*['"]\)/g;
    const here = code.replace(address, `new WebSocket('ws://127.0.0.1:${port}')`);
    new Function(...Object.keys(names), here)(...Object.values(names));
  } finally {
    await server.stop();
  }
}

// A socket as a page has it, where what fails is told and nothing ends the process.
class PageSocket extends WebSocket {
  constructor(...given) {
    super(...given);
    this.on('error', () => {});
  }
}

const sendsTooEarly = (code) => async () => {
  try {
    await inPage(code(), { WebSocket: PageSocket, console: { log() {} } });
  } catch (error) {
    throw new Fault(`it sends before it is connected: ${error.message}`);
  }
};

// The address of the request by hand, and its path.
const ADDRESS = /http:\/\/localhost:\d+(\/\S+)/;

function helper() {
  const code = part(block('jwt.verify'), 'function uuidv4', 'return websocketServer');
  const known = { random: () => 0.5, floor: Math.floor };
  const make = () => new Function('Math', `${code}; return uuidv4();`)(known);
  if (make() === make()) throw new Fault(`the names follow from Math.random: ${make()}`);
}

function query() {
  const code = part(block('jwt.verify'), 'connectionRequest.url.split', 'queryString.parse');
  const url = '/websockets?since=1?2';
  const connectionRequest = { url };
  const params = new Function('connectionRequest', `${code}; return params;`)(connectionRequest);
  if (params !== 'since=1?2') throw new Fault(`of ${url} it reads ${params}`);
}

// The handshake by hand, sent to the server that the document names.
async function shortKey() {
  const server = plainServer("new (require('ws').Server)({ port: 0, path: '/connect' });");
  try {
    const answer = curl(await server.port());
    if (!/^HTTP\/1\.1 101 /.test(answer)) {
      throw new Fault(`the handshake by hand is refused: ${answer.split('\r\n')[0]}`);
    }
  } finally {
    await server.stop();
  }
}

// Sends the request that the document shows, with its headers as they are.
function curl(port) {
  const shown = block('--include');
  const words = [...shown.matchAll(/--header "([^"]+)"/g)].flatMap(([, it]) => ['--header', it]);
  const [, path] = shown.match(ADDRESS);
  const url = `http://127.0.0.1:${port}${path}`;
  const rest = ['--silent', '--include', '--http1.1', '--max-time', '5', url];
  return spawnSync('curl', [...words, ...rest], { encoding: 'utf8' }).stdout;
}

async function toldOfKey() {
  const target = await Framewire.start();
  try {
    const answer = curl(new URL(target.url).port);
    const told = /^HTTP\/1\.1 400 [^]*Sec-WebSocket-Key must be 16 bytes/.test(answer);
    if (!told) throw new Fault(`it is not told what is wrong: ${answer}`);
  } finally {
    await target.stop();
  }
}

// The address in a shell that takes `?` for a pattern, as zsh does and bash when it is told to.
function unquoted() {
  const [url] = block('--include').match(ADDRESS);
  const words = ['-O', 'failglob', '-c', `echo ${url}`];
  const { status, stderr } = spawnSync('bash', words, { encoding: 'utf8' });
  if (status !== 0) throw new Fault(`a shell does not take the address: ${stderr.trim()}`);
}

const named = (text, name) => {
  const keys = block('gateway:');
  const [, last] = name.match(/([a-z]+)$/);
  const inFile = new RegExp(`^\\s*${last}:`, 'm').test(keys);
  if (document('conf/socket.yaml').includes(text) && !inFile) {
    throw new Fault(`the text says ${text}, and its file has no such key`);
  }
};

// The topics that a gateway listens on are described as those that it publishes to.
function direction() {
  const described = document('conf/socket.yaml').match(/\*\*subscribe\*\*.*/g);
  const wrong = described.filter((line) => line.includes('message to publish'));
  if (wrong.length > 0) throw new Fault(`${wrong.length} topics to listen on are "to publish"`);
}

function topicOfBroadcast() {
  const text = document('conf/socket.yaml');
  if (/under `send\.broadcast`/.test(text) && !/send:\s+broadcast:/.test(block('gateway:'))) {
    throw new Fault('the text has the topic under send.broadcast, the file under send.subscribe');
  }
}

function spelling() {
  const called = document('conf/socket.yaml').matchAll(/\b(?:msg|message)\.(re\w+)/g);
  const names = new Set([...called].map(([, name]) => name));
  if (names.size > 1) throw new Fault(`one function has the names ${[...names].join(', ')}`);
}

// The example of a broadcast, with a bus that looks at what it is given.
function broadcast() {
  const code = block("producer.send('socket:send'", ['username']).replaceAll('[...]', '');
  const sent = [];
  const self = { producer: { send: (topic, data) => sent.push({ topic, data }) } };
  new Function('relevantData', code).call(self, 'data');
  const topic = block('gateway:').match(/broadcast:\s+subscribe: "([^"]+)"/)[1];
  const [first] = sent;
  if (first.topic !== topic || first.data.username === undefined) {
    throw new Fault(`the broadcast goes to ${first.topic}, to nobody in particular`);
  }
}

const client = () => part(block(["require('ws')", 'socket.close();']), 'FE client.js');

async function wildcard() {
  const whole = block("require('socket.io')");
  const server = plainServer(part(whole, "require('http')", '// client.js'));
  try {
    const url = `http://127.0.0.1:${await server.port()}/socket.io/?EIO=4&transport=polling`;
    const answer = await fetch(url, { headers: { Origin: 'https://elsewhere.example' } });
    const allowed = answer.headers.get('access-control-allow-origin');
    if (allowed === '*') throw new Fault('pages of every site may read what it answers');
  } finally {
    await server.stop();
  }
}

function script() {
  const tag = block("require('socket.io')").match(/<script src="[^"]*"[^>]*>/)[0];
  if (!tag.includes('integrity')) throw new Fault(`nothing says what has to come: ${tag}`);
}

function markup() {
  const code = part(block("require('socket.io')"), "const socket = io('ws:");
  const made = [];
  const element = () => ({ appendChild: (child) => made.push(child) });
  const handlers = {};
  const io = () => ({ on: (name, handler) => { handlers[name] = handler; } });
  const page = { createElement: element, querySelector: element };
  new Function('io', 'document', code)(io, page);
  handlers.message('<img src=x onerror=steal()>');
  const isMarkup = made[0].innerHTML?.includes('onerror');
  if (isMarkup) throw new Fault('a message becomes markup of the page');
}

async function relay() {
  const service = part(block('relayToMember'), 'constructor(pusher');
  const source = `class Service { ${service} }`;
  const { outputText } = ts.transpileModule(source, { compilerOptions: { target: 'es2022' } });
  const told = [];
  const pusher = { emitToMembers: async (...given) => told.push(given) };
  const Service = new Function(`${outputText}; return Service;`)();
  try {
    await new Service(pusher).relayToMember('7', 'MEMBER_DEACTIVATED', { memberId: '7' });
  } catch (error) {
    throw new Fault(`the event is never sent: ${error}`);
  }
  if (told[0]?.[2]?.memberId !== '7') throw new Fault('the event is sent without what it is about');
}

export const probes = [
  { row: 'A13', there: sendsTooEarly(() => block(['ws.onopen = function', 'new WebSocket('])) },
  { row: 'A39', there: helper },
  { row: 'A40', there: query },
  { row: 'B14', there: direction },
  { row: 'B16', there: () => named('`socket.connect`', 'socket.connect') },
  { row: 'B17', there: () => named('`onconnection`', 'onconnection') },
  { row: 'B20', there: shortKey, here: toldOfKey },
  { row: 'B21', there: unquoted },
  { row: 'B40', there: spelling },
  { row: 'B47', there: topicOfBroadcast },
  { row: 'B48', there: broadcast },
  { row: 'C13', there: sendsTooEarly(client) },
  { row: 'C15', there: wildcard },
  { row: 'C18', there: script },
  { row: 'C19', there: markup },
  { row: 'C24', there: relay },
];
