// Programs that run beside the probes, each in a process and a folder of its own.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { inTime } from './fault.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const LOOPBACK = join(HERE, 'beside', 'loopback.cjs');

// Puts the files into a folder where the packages are found.
export function folder(files) {
  mkdirSync(join(HERE, 'work'), { recursive: true });
  const path = mkdtempSync(join(HERE, 'work', 'program-'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), text);
  }
  return path;
}

export class Program {
  // Runs the binary, whatever it is, in the folder.
  constructor(binary, words, { path, env } = {}) {
    this.path = path;
    this.said = '';
    this.child = spawn(binary, words, {
      cwd: path,
      env: { ...process.env, API_secret: undefined, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.told = () => {};
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.on('data', (bytes) => {
        this.said += bytes;
        this.told();
      });
    }
    this.ended = once(this.child, 'close').then(([code]) => {
      this.code = code;
      this.told();
      return code;
    });
  }

  // A program of Node; where it listens is changed to a free port of this machine alone.
  static node(files, { main, env, beside = [] } = {}) {
    const path = folder(files);
    cpSync(join(HERE, 'beside'), path, { recursive: true });
    const before = beside.flatMap((name) => ['--import', join(path, name)]);
    return new Program(process.execPath, ['--require', LOOPBACK, ...before, main], { path, env });
  }

  // Waits until it has said something of this form, and gives the match; nothing when it ends.
  says(form) {
    const said = new Promise((resolve) => {
      this.told = () => {
        const match = this.said.match(form);
        if (match || this.code !== undefined) resolve(match);
      };
      this.told();
    });
    return inTime(said, form);
  }

  // Waits until it listens somewhere, and gives the port.
  async port() {
    const match = await this.says(/^listening (\d+) asked (\S+)$/m);
    if (!match) throw new Error(`it does not listen: ${this.lastWords()}`);
    [, , this.asked] = match;
    return match[1];
  }

  // Why it has ended.
  lastWords() {
    const lines = this.said.split('\n');
    return lines.findLast((line) => /^\w*Error\b/.test(line)) ?? lines.at(-2) ?? '';
  }

  // Tells it to end, and waits until it has and all that it says is here.
  async ends() {
    this.child.kill('SIGTERM');
    await inTime(this.ended, 'its end');
  }

  async stop() {
    if (this.code === undefined) this.child.kill('SIGKILL');
    await this.ended;
    if (this.path) rmSync(this.path, { recursive: true });
  }
}
