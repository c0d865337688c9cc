// Whatever a program asks for, it listens on a free port of this machine alone, and says so.

const { Server } = require('node:net');

const { listen } = Server.prototype;

Server.prototype.listen = function onLoopback(...given) {
  const callback = typeof given.at(-1) === 'function' ? given.pop() : undefined;
  const [first, second] = given;
  const { host = second ?? 'everywhere' } = typeof first === 'object' && first ? first : {};
  this.once('listening', () => console.log(`listening ${this.address().port} asked ${host}`));
  return listen.call(this, { port: 0, host: '127.0.0.1' }, callback);
};
