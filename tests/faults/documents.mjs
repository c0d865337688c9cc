// The code that stands in the documents of the first servers.

import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const FENCE = /^( *)```(\w*) *\n([^]*?)\n *```/gm;

const folder = process.env.DOCUMENTS;
const texts = readdirSync(folder).sort().map((name) => readFileSync(join(folder, name), 'utf8'));

const fenced = (text) => [...text.matchAll(FENCE)].map(([, indent, language, body]) => ({
  language,
  code: body.split('\n').map((line) => line.replace(indent, '')).join('\n'),
}));

const blocks = texts.flatMap(fenced);

// The one block of code that holds all of `words` and none of `others`.
export function block(words, others = []) {
  const has = (code, word) => code.includes(word);
  const found = blocks.filter(({ code }) => (
    [words].flat().every((word) => has(code, word)) && !others.some((word) => has(code, word))
  ));
  if (found.length !== 1) throw new Error(`${found.length} blocks hold ${words}, not one`);
  return found[0].code;
}

// The text of the one document that holds `words`.
export function document(words) {
  const found = texts.filter((text) => text.includes(words));
  if (found.length !== 1) throw new Error(`${found.length} documents hold ${words}, not one`);
  return found[0];
}

// The part of a block from the line with `first` up to the one with `end`, or to its end.
export function part(code, first, end) {
  const lines = code.split('\n');
  const from = lines.findIndex((line) => line.includes(first));
  if (from < 0) throw new Error(`no line holds ${first}`);
  const to = end ? lines.findIndex((line, at) => at > from && line.includes(end)) : -1;
  return lines.slice(from, to < 0 ? undefined : to).join('\n');
}
