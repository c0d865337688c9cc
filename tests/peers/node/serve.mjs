// An echo server that also obeys commands.

import { WebSocketServer } from 'ws';

const MESSAGE_BYTES_MAX = 16 * 1024 * 1024;

const commands = {
  close(socket, argument) {
    const [, code, reason] = argument.match(/^(\d*):(.*)$/s);
    if (code) socket.close(Number(code), reason);
    else socket.close();
  },
  drop(socket) {
    socket.terminate();
  },
  ping(socket, argument) {
    socket.once('pong', (payload) => socket.send(`pong:${payload}`));
    socket.ping(argument);
  },
  fragments(socket, argument) {
    const count = Number(argument);
    for (let part = 1; part <= count; part += 1) {
      socket.send(`part-${part};`, { fin: part === count });
      if (part === 1) {
        socket.once('pong', (payload) => socket.send(`pong:${payload}`));
        socket.ping('between');
      }
    }
  },
  burst(socket, argument) {
    for (let part = 1; part <= Number(argument); part += 1) socket.send(`burst-${part}`);
  },
};

function answer(socket, data, binary) {
  const text = binary || data.length > 200 ? '' : data.toString();
  const [, name, argument = ''] = text.match(/^([a-z]+)(?::(.*))?$/s) ?? [];
  if (name && Object.hasOwn(commands, name)) commands[name](socket, argument);
  else socket.send(data, { binary });
}

export function serve() {
  const server = new WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    maxPayload: MESSAGE_BYTES_MAX,
    maxFragments: 0,
    perMessageDeflate: false,
  });
  server.on('listening', () => {
    console.log(`listening on ws://127.0.0.1:${server.address().port}`);
  });
  server.on('connection', (socket) => {
    socket.on('error', (error) => console.error(error.message));
    socket.on('message', (data, binary) => answer(socket, data, binary));
  });
}
