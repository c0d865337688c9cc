// An application behind the gateway: handlers over HTTP, and the configuration that names them.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { appendFileSync, copyFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';

const SECRET = 'what the application shares with the server';

// Whether a post comes from who knows the secret.
function isSigned(headers, body) {
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
  const code = createHmac('sha256', SECRET).update(signed).digest('base64');
  return headers['webhook-signature'] === `v1,${code}`;
}

// Starts an HTTP server whose `handle(topic, message)` says what the answer is, `undefined` for
// none, and writes a configuration that posts these topics to it.
export async function handlers(folder, topics, handle) {
  const app = createServer(async (request, answer) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    if (!isSigned(request.headers, body)) return answer.writeHead(401).end();
    const { topic, message } = JSON.parse(body);
    const reply = handle(topic, message);
    answer.statusCode = reply === undefined ? 204 : 200;
    return answer.end(reply === undefined ? undefined : JSON.stringify(reply));
  });
  const file = join(folder, 'secret');
  writeFileSync(file, SECRET, { mode: 0o600 });
  await once(app.listen(0, '127.0.0.1'), 'listening');
  const config = beside(folder, [
    '  handlers:',
    ...topics.flatMap((topic) => [
      `    - topic: "${topic}"`,
      `      url: "http://127.0.0.1:${app.address().port}/"`,
      `      secret_file: "${file}"`,
    ]),
  ]);
  const end = () => {
    app.closeAllConnections();
    app.close();
  };
  return { config, end };
}

// Writes a configuration that begins with the given one, byte for byte.
export function beside(folder, lines) {
  const config = 'conf/more.yaml';
  copyFileSync(join(folder, 'conf/socket.yaml'), join(folder, config));
  appendFileSync(join(folder, config), `\n${lines.join('\n')}\n`);
  return config;
}

// A list of what has been handled, on which one can wait.
export class Notes {
  #notes = [];
  #wake = () => {};

  add(note) {
    this.#notes.push(note);
    this.#wake();
  }

  // Takes the next note, which has to be about this topic.
  async next(topic) {
    while (this.isEmpty()) await new Promise((resolve) => { this.#wake = resolve; });
    const note = this.#notes.shift();
    assert.equal(note.topic, topic);
    return note.message;
  }

  isEmpty() {
    return this.#notes.length === 0;
  }
}
