// Starts the Chromium that is named in the environment variable CHROMIUM.

import { chromium } from 'playwright-core';

const ARGUMENTS = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

// Runs `work` with a browser, which is closed whatever happens.
export async function withBrowser(work) {
  const executablePath = process.env.CHROMIUM;
  if (!executablePath) throw new Error('CHROMIUM has to name the browser');
  const browser = await chromium.launch({
    executablePath,
    // Chromium refuses to start its sandbox for the superuser.
    chromiumSandbox: process.getuid() !== 0,
    args: ARGUMENTS,
  });
  try {
    return await work(browser);
  } finally {
    await browser.close();
  }
}
