// A gateway that does what the document of the first one says, which shows its configuration and a
// handler and no more. Each part has the words that it follows above it.

const { readFileSync } = require('node:fs');
const { createServer } = require('node:http');
const { WebSocketServer } = require('ws');
const { decode } = require('jsonwebtoken');

const text = readFileSync('socket.yaml', 'utf8');
const setting = (form) => text.match(form)[1];
const path = setting(/path: "([^"]+)"/);
const send = setting(/send:\s+subscribe: "([^"]+)"/);
const broadcast = setting(/broadcast:\s+subscribe: "([^"]+)"/);

globalThis.get = (object, names) => names.split('.').reduce((it, name) => it?.[name], object);
globalThis.someRelevantData = ['relevant'];
const onConnect = require('./handler.js');

// Clients are mapped to user names, and to a namespace if the parameter is there.
const clients = new Set();
const tell = (client, type, payload) => client.socket.send(JSON.stringify({ type, payload }));

// Whoever publishes on the bus is heard.
const topics = {
  [send]: ({ username, namespace, type, payload }) => {
    for (const client of clients) {
      const meant = namespace === undefined || client.namespace === namespace;
      if (client.username === username && meant) tell(client, type, payload);
    }
  },
  [broadcast]: ({ type, payload }) => {
    for (const client of clients) tell(client, type, payload);
  },
};

const http = createServer(async (request, answer) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  topics[request.url.split('/').at(-1)](JSON.parse(Buffer.concat(chunks)));
  answer.end('{"accepted":true}');
});

const sockets = new WebSocketServer({ server: http, path });
sockets.on('connection', (socket, request) => {
  const jwt = decode(request.headers.cookie?.match(/ID_TOKEN=([^;]+)/)?.[1] ?? '') ?? {};
  const namespace = new URL(request.url, 'http://x').searchParams.get('namespace') ?? undefined;
  const client = { socket, username: jwt.preferred_username, namespace };
  clients.add(client);
  socket.on('close', () => clients.delete(client));
  const context = { headers: { jwt }, params: { namespace } };
  onConnect({ context, reply: (payload) => tell(client, 'onconnect', payload) });
});
http.listen(4000);
