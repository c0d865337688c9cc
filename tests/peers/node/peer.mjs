// The npm package `ws` as the other side: `peer.mjs serve` or `peer.mjs drive URL`.
// What both modes do is written in ../README.md.

import { drive } from './drive.mjs';
import { serve } from './serve.mjs';

const [mode, url] = process.argv.slice(2);
if (mode === 'serve') {
  serve();
} else if (mode === 'drive' && url) {
  process.exitCode = await drive(url);
} else {
  console.error('usage: peer.mjs serve | peer.mjs drive URL');
  process.exitCode = 2;
}
