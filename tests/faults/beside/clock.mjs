// A clock that stands at START until it is told to go on.

import { install } from '@sinonjs/fake-timers';

globalThis.clock = install({ now: new Date(process.env.START) });
