// Packages of npm as the other side. What the modes do is written in ../README.md.

import { drive } from './drive.mjs';
import { echo, exchange } from './matrix.mjs';
import { serve } from './serve.mjs';
import * as ws from './on_ws.mjs';
import * as websocketDriver from './on_websocket_driver.mjs';

const PACKAGES = { 'ws': ws, 'websocket-driver': websocketDriver };
const USAGE = `usage: peer.mjs ws serve | drive URL
       peer.mjs ws|websocket-driver echo DEFLATE [CERTIFICATE KEY]
       peer.mjs ws|websocket-driver exchange URL DEFLATE MESSAGES [ROOT]`;

const [name, mode, ...words] = process.argv.slice(2);
const chosen = PACKAGES[name];
if (chosen === ws && mode === 'serve') {
  serve();
} else if (chosen === ws && mode === 'drive' && words.length === 1) {
  process.exitCode = await drive(...words);
} else if (chosen && mode === 'echo' && words.length >= 1) {
  echo(chosen, ...words);
} else if (chosen && mode === 'exchange' && words.length >= 3) {
  // Not the exit code alone: after a difference the connection is still open.
  process.exit(await exchange(chosen, ...words));
} else {
  console.error(USAGE);
  process.exitCode = 2;
}
