// Sockets of the package `websocket-driver` with `permessage-deflate`. It sends no fragments.

import { connect as connectPlain } from 'node:net';
import { connect as connectSecure } from 'node:tls';
import deflateExtension from 'permessage-deflate';
import websocket from 'websocket-driver';

const OPTIONS = { maxLength: 16 * 1024 * 1024 };

// What each end says of its own sending, and asks of the other's.
const SETTINGS = {
  'default': () => ({}),
  'no-takeover': () => ({ noContextTakeover: true, requestNoContextTakeover: true }),
  'small-windows': (own, other) => ({ maxWindowBits: own, requestMaxWindowBits: other }),
};

class Socket {
  constructor(driver, stream, deflate, own, other) {
    this.driver = driver;
    const settings = SETTINGS[deflate];
    if (settings) driver.addExtension(deflateExtension.configure(settings(own, other)));
    driver.on('open', () => this.onopen?.());
    driver.on('message', ({ data }) => {
      const binary = typeof data !== 'string';
      this.onmessage(Buffer.from(data), binary);
    });
    driver.on('close', ({ code }) => {
      this.onclose?.(code);
      // The driver leaves TCP to its user.
      stream.end();
    });
    driver.on('error', (error) => this.onerror(error));
    stream.on('error', (error) => this.onerror(error));
    stream.setNoDelay(true);
  }

  send(data, binary) {
    if (binary) this.driver.binary(data);
    else this.driver.text(data.toString());
  }

  close() {
    this.driver.close('', 1000);
  }
}

export function listen(http, deflate, accepted) {
  http.on('upgrade', (request, stream, body) => {
    const driver = websocket.http(request, OPTIONS);
    accepted(new Socket(driver, stream, deflate, 9, 10));
    driver.io.write(body);
    stream.pipe(driver.io).pipe(stream);
    driver.start();
  });
}

export function connect(url, deflate, ca) {
  const { hostname: host, port, protocol } = new URL(url);
  const driver = websocket.client(url, OPTIONS);
  const opened = () => driver.start();
  const stream = protocol === 'wss:'
    ? connectSecure({ host, port, ca }, opened)
    : connectPlain({ host, port }, opened);
  const socket = new Socket(driver, stream, deflate, 10, 9);
  stream.pipe(driver.io).pipe(stream);
  return socket;
}
