// Tells one part of a story against a server that is started for it:
// `story.mjs STORY PART PLACE FOLDER`.
//
// FOLDER holds `conf/socket.yaml`, the configuration of the first gateway. PLACE is `node` or
// `chromium`. FRAMEWIRE names the server's binary, CHROMIUM the browser, CURL and NATS the programs
// that a part may need, RUST_LOG what the server logs.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

import { Server } from '../server.mjs';
import * as announcements from './announcements.mjs';
import * as bus from './bus.mjs';
import * as gateway from './gateway.mjs';
import * as handled from './handled.mjs';
import * as hostile from './hostile.mjs';
import { BEARER } from './people.mjs';
import { withPlaces } from './places.mjs';
import { heard } from './talk.mjs';

const STORIES = { announcements, bus, gateway, handled, hostile };

const PART_MS = 120_000;

async function tooLong() {
  await setTimeout(PART_MS, undefined, { ref: false });
  throw new Error(`not done after ${PART_MS} ms`);
}

// No credential was sent to anybody, or is in the log.
function nothingWasGivenAway(secrets, log) {
  assert.match(log, / TRACE | DEBUG | INFO /, 'the server logs');
  for (const secret of [...secrets, BEARER]) {
    assert.ok(!heard.some((text) => text.includes(secret)), 'a credential was told');
    assert.ok(!log.includes(secret), 'a credential was logged');
  }
}

// The parts that write a configuration of their own beside the given one.
async function configuration(story, folder) {
  return STORIES[story].configure?.(folder) ?? { config: 'conf/socket.yaml', end: () => {} };
}

async function tell(story, part, place, folder) {
  const { config, end, ...more } = await configuration(story, folder);
  try {
    const logged = [];
    const log = (bytes) => logged.push(bytes);
    const server = await Server.start(join(folder, 'data'), { folder, config, log });
    try {
      const world = { server, place, folder, ...more };
      await withPlaces(place, async (arrive) => {
        await Promise.race([STORIES[story][part]({ ...world, arrive }), tooLong()]);
        await Promise.race([server.stop(), tooLong()]);
        nothingWasGivenAway(server.minted, Buffer.concat(logged).toString());
      });
    } catch (error) {
      console.error(Buffer.concat(logged).toString());
      throw error;
    } finally {
      await server.kill();
    }
  } finally {
    await end();
  }
}

const [story, part, place, folder] = process.argv.slice(2);
if (STORIES[story]?.[part] && place && folder) {
  await tell(story, part, place, folder);
  console.log(`ok ${story} ${part} in ${place}`);
  // Sockets that are still open end with the program.
  process.exit(0);
} else {
  console.error('usage: story.mjs STORY PART PLACE FOLDER');
  process.exitCode = 2;
}
