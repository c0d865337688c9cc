// What a probe finds out, and what keeps it from finding out anything.

import { setTimeout as wait } from 'node:timers/promises';

// The probed program does what the row is about.
export class Fault extends Error {}

const LATE_MS = 30_000;

// What `promise` comes to, or a failure of the probe itself.
export async function inTime(promise, what) {
  const late = new AbortController();
  const tooLate = wait(LATE_MS, undefined, { signal: late.signal }).then(() => {
    throw new Error(`nothing came in time: ${what}`);
  });
  tooLate.catch(() => {});
  try {
    return await Promise.race([promise, tooLate]);
  } finally {
    late.abort();
  }
}

// Whether `promise` comes to something within `ms`.
export async function within(ms, promise) {
  const late = new AbortController();
  const over = wait(ms, false, { signal: late.signal }).catch(() => {});
  try {
    return await Promise.race([promise.then(() => true), over]);
  } finally {
    late.abort();
  }
}
