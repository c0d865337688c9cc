// What must never happen on a page, and what must hold in each of its states.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const WAIT_MS = 15_000;

// The browser itself reports a server that is away, and an answer that is a refusal.
const REPORTED = [/^WebSocket connection to .* failed/, /^Failed to load resource: /];

// A new page of a new browser profile, watched from its first moment on.
export async function watched(browser, origin, options = {}) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT_MS);
  const seen = new Watch(page, origin);
  await page.addInitScript({ content: AXE });
  await page.exposeFunction('violated', (what) => seen.faults.push(`policy: ${what}`));
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      window.violated(`${event.violatedDirective} ${event.blockedURI}`);
    });
  });
  return { page, seen };
}

export class Watch {
  constructor(page, origin) {
    this.page = page;
    this.faults = [];
    const host = new URL(origin).host;
    page.on('pageerror', (error) => this.faults.push(`script: ${error.message}`));
    page.on('console', (message) => {
      const text = message.text();
      if (message.type() === 'error' && !REPORTED.some((known) => known.test(text))) {
        this.faults.push(`console: ${text}`);
      }
    });
    page.on('request', (request) => {
      const { host: asked, protocol } = new URL(request.url());
      if (asked !== host && !['data:', 'blob:', 'about:'].includes(protocol)) {
        this.faults.push(`another host: ${request.url()}`);
      }
    });
  }

  unharmed(name) {
    assert.deepEqual(this.faults, [], `on the page of ${name}`);
  }
}

// Every rule of axe holds in this state of the page, and nothing is wider than the window.
export async function accessible(page, state) {
  const violations = await page.evaluate(async () => {
    const { violations } = await window.axe.run(document, { resultTypes: ['violations'] });
    return violations.map(({ id, impact, nodes }) => (
      `${impact} ${id}: ${nodes.map((node) => `${node.target} ${node.failureSummary}`).join(' | ')}`));
  });
  assert.deepEqual(violations, [], `axe: ${state}`);
  const surplus = await page.evaluate(() => (
    document.documentElement.scrollWidth - document.documentElement.clientWidth));
  assert.ok(surplus <= 0, `${state} is ${surplus} px wider than the window`);
}

// The state in both colours and in three widths, checked and photographed.
export async function inspect(page, folder, state) {
  const before = page.viewportSize();
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    for (const [device, width, height] of [['desktop', 1280, 860], ['phone', 390, 800], ['narrow', 320, 640]]) {
      await page.setViewportSize({ width, height });
      await accessible(page, `${state}, ${colorScheme}, ${device}`);
      if (device !== 'narrow') {
        await page.screenshot({ path: join(folder, `${state}-${device}-${colorScheme}.png`), fullPage: true });
      }
    }
  }
  await page.emulateMedia({ colorScheme: null });
  await page.setViewportSize(before);
}
