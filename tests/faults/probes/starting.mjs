// How the first server of announcements starts, where it listens and what it does by the clock.

import { inTime, Fault } from '../fault.mjs';
import { block, document } from '../documents.mjs';
import { Program, folder } from '../programs.mjs';
import { Peer } from '../peer.mjs';
import { First, Framewire, SECRET, compiled, plainServer } from '../targets.mjs';

const SHORT = 'short';

// Runs the server of framewire, which has to refuse, and gives what it says of why.
async function refuses(options) {
  const program = Framewire.run(options);
  try {
    if (await program.says(/^listening on /m)) return undefined;
    return program.said;
  } finally {
    await program.stop();
  }
}

// The first program of the document, which only says what it hears.
const basic = () => block('WebSocket.Server({ port: 8080 })');

const FORGED = 'hello\n[root] all is well';
const IN_LOG = /^\[root\] all is well$/m;

// What a client says stands in the log, line breaks and all.
async function forgedLog() {
  const program = plainServer(basic());
  try {
    const url = `ws://127.0.0.1:${await program.port()}`;
    const peer = await Peer.open({ url });
    peer.say(FORGED);
    await program.says(/hello\n.*\n/);
    if (IN_LOG.test(program.said)) {
      throw new Fault('a message writes a line of the log as it likes');
    }
  } finally {
    await program.stop();
  }
}

async function quietLog() {
  const target = await Framewire.start();
  try {
    const peer = await Peer.signIn(target, 'alice');
    peer.say(FORGED);
    await peer.hears((text) => text.includes('malformed_json'), 'a refusal');
    await target.program.ends();
    if (target.said.includes('all is well')) throw new Fault('it is in the log');
    if (!/INFO|DEBUG|TRACE/.test(target.said)) throw new Error(`nothing is logged: ${target.said}`);
  } finally {
    await target.stop();
  }
}

async function cleartext() {
  const program = plainServer(basic());
  try {
    const url = `ws://127.0.0.1:${await program.port()}`;
    await Peer.open({ url });
    throw new Fault(`it listens ${program.asked}, and needs no TLS for that`);
  } finally {
    await program.stop();
  }
}

const EVERYWHERE = 'server:\n  listen: "0.0.0.0:0"\n  profile: production\n';

async function publicAddress() {
  const said = await refuses({ config: EVERYWHERE, listen: undefined });
  const isTold = said?.includes('tokens would cross the network in the clear');
  if (!isTold) throw new Fault('it listens everywhere without TLS');
}

// The module as it stands does not even start.
async function noRequire() {
  const program = Program.node({ 'server.mjs': block('scheduleJob(') }, { main: 'server.mjs' });
  try {
    const code = await inTime(program.ended, 'its end');
    if (code !== 0) throw new Fault(`it does not start: ${program.lastWords()}`);
  } finally {
    await program.stop();
  }
}

// A secret that is missing or short is no reason to wonder.
async function anySecret() {
  const started = [];
  for (const API_secret of [undefined, SHORT]) {
    const target = await First.start({ env: { API_secret } });
    started.push(API_secret ?? 'none');
    await target.stop();
  }
  throw new Fault(`it starts with these secrets: ${started.join(', ')}`);
}

async function goodSecret() {
  const said = await refuses({ env: { API_secret: SHORT } });
  if (!said?.includes('API_secret')) throw new Fault('it starts with a short secret');
}

// The schedules, at a time that the test makes, and what they do until `ticks` have passed.
async function reminded(START, ticks, TZ = 'UTC') {
  const start = `
    require('./server.cjs');
    const schedule = require('node-schedule');
    for (const job of Object.values(schedule.scheduledJobs)) {
      console.log('next', new Date(job.nextInvocation().getTime()).toISOString());
    }
    clock.tickAsync(${ticks}).then(() => process.exit(0));`;
  const files = { 'server.cjs': compiled(block('scheduleJob(')), 'start.cjs': start };
  const env = { START, TZ, API_secret: SECRET };
  const program = Program.node(files, { main: 'start.cjs', env, beside: ['clock.mjs'] });
  try {
    const code = await inTime(program.ended, 'its end');
    if (code !== 0) throw new Error(`the schedules do not run: ${program.said}`);
    const { said } = program;
    return {
      next: [...said.matchAll(/^next (.*)$/gm)].map(([, at]) => at),
      times: said.match(/^reminded of the schedule$/gm)?.length ?? 0,
    };
  } finally {
    await program.stop();
  }
}

const HOUR_MS = 3_600_000;

// When the comment above a schedule says that it runs, and when it does.
const misread = (day) => async () => {
  const promised = document('scheduleJob(').match(
    new RegExp(`(\\d+:\\d+) AM on the ${day}th`),
  )[1];
  const { next } = await reminded('2026-11-01T00:00:00Z', 0);
  const at = next.find((it) => it.startsWith(`2026-11-${day}T`)).slice(11, 16);
  if (at !== promised) throw new Fault(`its comment says ${promised}, it runs at ${at}`);
};

const CRON = (day) => `announcements:
  schedules:
    - id: reminder
      cron: "10 1 ${day} * *"
      timezone: UTC
      feed: Public
      template: { title: Log, body: "Log it" }
`;

// What framewire says of the same schedule before it runs.
const explained = (day) => async () => {
  const path = folder({ 'framewire.yaml': CRON(day) });
  const words = ['check-config', 'framewire.yaml'];
  const program = new Program(process.env.FRAMEWIRE, words, { path, env: { API_secret: SECRET } });
  try {
    await inTime(program.ended, 'its end');
    if (!program.said.includes('01:10')) throw new Fault(`it is not told: ${program.said}`);
  } finally {
    await program.stop();
  }
};

async function anyZone() {
  const [here, there] = await Promise.all(['UTC', 'Asia/Tokyo'].map((zone) => (
    reminded('2026-11-01T00:00:00Z', 0, zone)
  )));
  if (here.next[0] !== there.next[0]) {
    throw new Fault(`it runs at ${here.next[0]} or ${there.next[0]}, as the machine has it`);
  }
}

const NO_ZONE = CRON('10').replace('      timezone: UTC\n', '');

async function zoneWanted() {
  const said = await refuses({ config: NO_ZONE });
  if (!said?.includes('timezone')) throw new Fault('a schedule without a time zone is taken');
}

// Two processes remind twice; one that starts a little later does not remind at all.
async function timesRun() {
  const [one, other, late] = await Promise.all([
    reminded('2026-11-10T01:09:30Z', HOUR_MS),
    reminded('2026-11-10T01:09:30Z', HOUR_MS),
    reminded('2026-11-10T01:10:30Z', HOUR_MS),
  ]);
  const times = one.times + other.times;
  if (times !== 1 || late.times !== 1) {
    throw new Fault(`two processes remind ${times} times, one that was down ${late.times}`);
  }
}

export const probes = [
  { row: 'A07', there: forgedLog, here: quietLog },
  { row: 'A09', there: cleartext, here: publicAddress },
  { row: 'A18', there: noRequire },
  { row: 'A19', there: anySecret, here: goodSecret },
  { row: 'A20', there: misread('10'), here: explained('10') },
  { row: 'A21', there: misread('20'), here: explained('20') },
  { row: 'A22', there: anyZone, here: zoneWanted },
  { row: 'A25', there: timesRun },
];
