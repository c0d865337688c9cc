// Sockets of the package `ws`.

import { WebSocket, WebSocketServer } from 'ws';

const SETTINGS = {
  'off': false,
  'default': { threshold: 64 },
  'no-takeover': { threshold: 64, serverNoContextTakeover: true, clientNoContextTakeover: true },
  'small-windows': { threshold: 64, serverMaxWindowBits: 9, clientMaxWindowBits: 10 },
};

function options(deflate) {
  return {
    maxPayload: 16 * 1024 * 1024,
    maxFragments: 0,
    perMessageDeflate: SETTINGS[deflate],
  };
}

class Socket {
  constructor(inner) {
    this.inner = inner;
    inner.on('open', () => this.onopen());
    inner.on('message', (data, binary) => this.onmessage(data, binary));
    inner.on('close', (code) => this.onclose?.(code));
    inner.on('error', (error) => this.onerror(error));
  }

  send(data, binary, sizes) {
    let from = 0;
    sizes.forEach((size, index) => {
      const fin = index === sizes.length - 1;
      this.inner.send(data.subarray(from, from + size), { binary, fin });
      from += size;
    });
  }

  close() {
    this.inner.close(1000);
  }
}

export function listen(http, deflate, accepted) {
  const server = new WebSocketServer({ server: http, ...options(deflate) });
  server.on('connection', (inner) => accepted(new Socket(inner)));
}

export function connect(url, deflate, ca) {
  return new Socket(new WebSocket(url, { ca, ...options(deflate) }));
}
