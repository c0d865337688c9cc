// The npm package `ws` as the other side. What the modes do is written in ../README.md.

import { drive } from './drive.mjs';
import { echo, exchange } from './matrix.mjs';
import { serve } from './serve.mjs';

const USAGE = `usage: peer.mjs serve | drive URL
       peer.mjs echo DEFLATE [CERTIFICATE KEY]
       peer.mjs exchange URL DEFLATE MESSAGES [ROOT]`;

const [mode, ...words] = process.argv.slice(2);
if (mode === 'serve') {
  serve();
} else if (mode === 'drive' && words.length === 1) {
  process.exitCode = await drive(...words);
} else if (mode === 'echo' && words.length >= 1) {
  echo(...words);
} else if (mode === 'exchange' && words.length >= 3) {
  process.exitCode = await exchange(...words);
} else {
  console.error(USAGE);
  process.exitCode = 2;
}
