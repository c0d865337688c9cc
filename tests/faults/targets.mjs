// What is probed: the first server of announcements as its document has it, and framewire.

import jwt from 'jsonwebtoken';
import ts from 'typescript';

import { block } from './documents.mjs';
import { Program, folder } from './programs.mjs';

export const SECRET = 'a secret that is long enough for both of them';

const now = () => Math.floor(Date.now() / 1000);

// A token of this user, with a minute to live unless `claims` say otherwise.
function token(user, { header, ...claims } = {}, secret = SECRET) {
  const all = { sub: user, iat: now(), exp: now() + 60, ...claims };
  for (const name of Object.keys(all)) if (all[name] === undefined) delete all[name];
  return jwt.sign(all, secret, { algorithm: 'HS256', ...header });
}

// Its modules were compiled to those of Node: both `import` and `require` stand in one.
export function compiled(code) {
  const options = { module: ts.ModuleKind.CommonJS, target: 'es2022', esModuleInterop: true };
  return ts.transpileModule(code, { compilerOptions: options }).outputText;
}

// The three parts of the program, which stand apart in the document.
function announcementServer() {
  const upgrades = block(['handleUpgrade', 'expressServer']).replace(/^\/\/ \.\.\.$/m, '');
  const clients = block(['queryString.parse', 'jwt.verify']);
  return compiled(`${block('scheduleJob(')}\n${upgrades}\n${clients}\n};\n`);
}

const START = `
const http = require('node:http').createServer();
require('./server.cjs').default(http);
http.listen(8080);
`;

// The first server of announcements.
export class First {
  static async start({ env, beside = [] } = {}) {
    const files = { 'server.cjs': announcementServer(), 'start.cjs': START };
    const program = Program.node(files, {
      main: 'start.cjs',
      env: { API_secret: SECRET, ...env },
      beside,
    });
    return new First(program, await program.port());
  }

  constructor(program, port) {
    this.program = program;
    this.url = `ws://127.0.0.1:${port}/websockets`;
    this.answersSign = false;
  }

  token(...given) {
    return token(...given);
  }

  lastWords() {
    return this.program.lastWords();
  }

  get said() {
    return this.program.said;
  }

  stop() {
    return this.program.stop();
  }
}

// Framewire as it comes, but for what `config` changes.
export class Framewire {
  static run({ env, config = '', ...more } = {}) {
    const { listen } = { listen: '127.0.0.1:0', ...more };
    const path = folder({ 'framewire.yaml': config });
    const words = ['serve', '--data', 'data'];
    if (listen) words.push('--listen', listen);
    if (config) words.push('--config', 'framewire.yaml');
    const options = { path, env: { API_secret: SECRET, RUST_LOG: 'framewire=trace', ...env } };
    return new Program(process.env.FRAMEWIRE, words, options);
  }

  static async start(options) {
    const program = Framewire.run(options);
    const match = await program.says(/^listening on ws:\/\/(\S+)/m);
    if (!match) throw new Error(`it does not start: ${program.said}`);
    const target = new First(program, match[1].split(':').at(-1));
    target.answersSign = true;
    return target;
  }
}

const CONFIGURATION = () => block('gateway:');

// A gateway that does what the document says of the first one, of which it has no more than the
// configuration and a handler.
export class Described {
  static async start() {
    const handler = block('msg.reply(responseToClient)');
    const files = { 'socket.yaml': CONFIGURATION(), 'handler.js': handler };
    const program = Program.node(files, { main: 'gateway.cjs' });
    const target = new First(program, await program.port());
    target.gateway = target.url.replace('/websockets', '/connect');
    return target;
  }
}

// Framewire as a gateway, with the same configuration.
export class Gateway {
  static async start() {
    const target = await Framewire.start({ config: CONFIGURATION() });
    target.gateway = target.url.replace('/websockets', '/connect');
    return target;
  }
}

// The code of a server that is a program by itself.
export function plainServer(code) {
  return Program.node({ 'server.cjs': code }, { main: 'server.cjs', env: { PORT: '5000' } });
}
