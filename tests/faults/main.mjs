// Runs the probes and prints what they find out, row by row: see `run`.

import { execFileSync } from 'node:child_process';

import { Fault } from './fault.mjs';
import { probes as gateway } from './probes/gateway.mjs';
import { probes as identity } from './probes/identity.mjs';
import { probes as snippets } from './probes/snippets.mjs';
import { probes as sockets } from './probes/sockets.mjs';
import { probes as starting } from './probes/starting.mjs';
import { Described, First, Framewire, Gateway } from './targets.mjs';

const AT_ONCE = 3;

// Rows that nothing can be run for: there is no code that is wrong.
const WORDS = {
  A65: 'the text says that one client is sent an announcement, the code sends it to all',
  C14: 'a sentence about what servers cannot do, which they can',
};

// The fault that the probe finds, if it finds one.
async function found(probe) {
  try {
    await probe?.();
    return undefined;
  } catch (error) {
    if (error instanceof Fault) return error.message;
    throw error;
  }
}

const against = (Target, probe, options) => found(async () => {
  const target = await Target.start(options);
  try {
    await probe(target);
  } finally {
    await target.stop();
  }
});

// What a row's probes are: one for both servers, one for both gateways, or one for each side.
function sides({ probe, gateway: routed, first, ours, there, here }) {
  if (routed) return [() => against(Described, routed), () => against(Gateway, routed)];
  if (!probe) return [() => found(there), here && (() => found(here))];
  const on = ours !== false && (() => against(Framewire, probe, ours));
  return [() => against(First, probe, first), on];
}

// The files whose tests name the row.
function cited(row) {
  const words = ['grep', '-lE', `//= ${row} type=test`, '--', 'src', 'tests'];
  try {
    const files = execFileSync('git', words, { cwd: process.env.TESTS, encoding: 'utf8' });
    return files.trim().split('\n');
  } catch {
    return [];
  }
}

async function judge(it) {
  const [there, here] = sides(it);
  const tests = cited(it.row);
  try {
    const fault = await there();
    const ours = here ? await here() : undefined;
    const isShown = fault !== undefined && ours === undefined && tests.length > 0;
    const probed = here ? ours ?? 'holds' : 'by its tests';
    return { row: it.row, isShown, there: fault ?? 'NO FAULT', here: probed, tests };
  } catch (error) {
    return { row: it.row, isShown: false, there: error.stack, here: 'NOT PROBED', tests };
  }
}

const wanted = process.argv.slice(2);
const all = [...gateway, ...identity, ...snippets, ...sockets, ...starting];
const unknown = wanted.filter((row) => !all.some((it) => it.row === row));
if (unknown.length > 0) {
  console.error(`no probe: ${unknown.join(', ')}`);
  process.exit(2);
}
// The slow ones first, which mostly wait.
const queue = all.filter(({ row }) => wanted.length === 0 || wanted.includes(row))
  .sort((one, other) => (other.isSlow ?? 0) - (one.isSlow ?? 0));
const results = [];
async function work() {
  for (let next = queue.shift(); next; next = queue.shift()) results.push(await judge(next));
}
await Promise.all(Array.from({ length: AT_ONCE }, work));

results.sort((one, other) => one.row.localeCompare(other.row));
for (const { row, isShown, there, here, tests } of results) {
  console.log(`${isShown ? 'ok  ' : 'FAIL'} ${row}`);
  console.log(`       there: ${there}`);
  console.log(`       here:  ${here}; ${tests.join(', ') || 'NO TEST'}`);
}
const shown = results.filter(({ isShown }) => isShown).length;
console.log(`\n${shown} of ${results.length} rows: the fault shows there, and not here`);
if (wanted.length === 0) {
  for (const [row, why] of Object.entries(WORDS)) {
    console.log(`no code  ${row}: ${why}; ${cited(row).join(', ')}`);
  }
}
// Sockets that are still open end with the program.
process.exit(shown === results.length ? 0 : 1);
