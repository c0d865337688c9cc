// A client as one writes it who knows the `WebSocket` of browsers and the fields of the messages.
//
// `defineClients` runs in Node, on `ws`, and in a page of Chromium, and uses nothing but
// `globalThis.WebSocket`. It keeps what arrives until somebody asks for it.

export function defineClients() {
  const clients = [];
  const LATE_MS = 20_000;

  const arrived = (client, event) => {
    const waiting = client.waiting.shift();
    if (waiting) waiting(event);
    else client.events.push(event);
  };

  globalThis.clients = {
    // Opens a socket and tells its number once it is open, or that it did not open.
    open(url, options) {
      const socket = options ? new WebSocket(url, options) : new WebSocket(url);
      const client = { socket, events: [], waiting: [] };
      const number = clients.push(client) - 1;
      return new Promise((resolve) => {
        socket.onopen = () => resolve({ number });
        socket.onerror = () => {};
        socket.onmessage = (event) => arrived(client, { text: String(event.data) });
        socket.onclose = (event) => {
          const { code, reason, wasClean } = event;
          resolve({ closed: { code, reason } });
          arrived(client, { closed: { code, reason, wasClean } });
        };
      });
    },
    send(number, text) {
      clients[number].socket.send(text);
    },
    // Sends a binary message.
    sendBytes(number, bytes) {
      clients[number].socket.send(Uint8Array.from(bytes));
    },
    close(number) {
      clients[number].socket.close();
    },
    // Ends the connection without a word; only in Node.
    drop(number) {
      clients[number].socket.terminate();
    },
    next(number) {
      const client = clients[number];
      if (client.events.length > 0) return Promise.resolve(client.events.shift());
      return new Promise((resolve) => {
        const timer = setTimeout(() => resolve({ closed: 'nothing arrives' }), LATE_MS);
        client.waiting.push((event) => {
          clearTimeout(timer);
          resolve(event);
        });
      });
    },
  };
}
