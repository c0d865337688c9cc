// Starts and ends the announcement server whose binary the environment variable FRAMEWIRE names.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const START_MS = 30_000;

// Starts the binary on `listen` and resolves once it says where it listens. It runs in `folder`, where
// one is given, with the configuration `config`, and `log` is called with what it logs.
async function launch(listen, data, { folder, config, log } = {}) {
  const words = ['serve', '--listen', listen, '--data', data];
  if (config) words.push('--config', config);
  const child = spawn(process.env.FRAMEWIRE, words, {
    cwd: folder,
    stdio: ['ignore', 'pipe', log ? 'pipe' : 'inherit'],
  });
  child.stderr?.on('data', log);
  const timer = setTimeout(() => child.kill('SIGKILL'), START_MS);
  for await (const line of createInterface({ input: child.stdout })) {
    const address = line.match(/^listening on ws:\/\/(\S+)/)?.[1];
    if (address) {
      clearTimeout(timer);
      child.stdout.resume();
      return { child, address };
    }
  }
  clearTimeout(timer);
  throw new Error('the server did not say where it listens');
}

export class Server {
  static async start(data, options) {
    const { child, address } = await launch('127.0.0.1:0', data, options);
    return new Server(child, address, data, options);
  }

  constructor(child, address, data, options) {
    this.child = child;
    this.address = address;
    this.data = data;
    this.options = options;
    this.minted = [];
  }

  get page() {
    return `http://${this.address}/`;
  }

  // Ends the server without a chance to finish anything, as a power cut would.
  async kill() {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await ended;
  }

  // Tells the server to stop, and waits until it has and all that it logged is here.
  async stop() {
    const { child } = this;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'close');
    child.kill('SIGTERM');
    await ended;
  }

  // Kills the server and starts it again on the same data and port.
  async restart() {
    await this.kill();
    ({ child: this.child } = await launch(this.address, this.data, this.options));
  }

  // Mints a token with the secret of this server. An object among the scopes names the `ttl`.
  token(user, ...given) {
    const { ttl = '1h' } = given.find((it) => typeof it === 'object') ?? {};
    return this.mint(user, { ttl, scope: given.filter((it) => typeof it === 'string') });
  }

  // The same with other claims: each name is one of the command line, with a value or several.
  mint(user, claims) {
    const words = ['token', '--user', user, '--data', this.data];
    for (const [name, values] of Object.entries({ ttl: '1h', ...claims })) {
      for (const value of [values].flat()) words.push(`--${name}`, value);
    }
    const token = execFileSync(process.env.FRAMEWIRE, words, { encoding: 'utf8' }).trim();
    this.minted.push(token);
    return token;
  }
}
