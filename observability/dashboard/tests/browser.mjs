// A real Chromium, and what the page shows in it.

import { mkdirSync } from "node:fs";
import { chromium } from "playwright-core";

/** How long anything on a page is waited for: a slow machine may take its time. */
export const PATIENCE_MS = 90_000;

const SHOTS = new URL("../../../target/dashboard/", import.meta.url).pathname;

export async function startBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--headless",
      "--disable-gpu",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--no-first-run",
    ],
  });
}

/**
 * Opens the page in a context of its own; `complaints` collects what the console says. A recorded page notes what it is given
 * (`inSocketThread`).
 */
export async function open(browser, url, { isRecorded = false, ...options } = {}) {
  const context = await browser.newContext({
    locale: "en-GB",
    viewport: { width: 1440, height: 900 },
    // A script that a test has changed is none of this machine's to the browser.
    permissions: isRecorded ? ["local-network-access"] : [],
    ...options,
  });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(`uncaught: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  if (isRecorded) await recordPositions(page);
  await page.goto(url);
  return { page, complaints };
}

/** Notes the position of every frame that the page is given, below the page's own code: where its WebSocket is held. */
async function recordPositions(page) {
  await page.addInitScript(recorder);
  await page.route("**/socket.js", async (route) => {
    const response = await route.fetch();
    const headers = { ...response.headers(), "content-encoding": "identity" };
    await route.fulfill({ response, headers, body: `(${recorder})();${await response.text()}` });
  });
}

function recorder() {
  const Native = WebSocket;
  self.heard = [];
  self.sockets = [];
  self.WebSocket = class extends Native {
    constructor(...parts) {
      super(...parts);
      self.sockets.push(this);
      this.addEventListener("message", ({ data }) => {
        try {
          const { type, partition, offset } = JSON.parse(data);
          if (type === "message" && partition !== undefined) self.heard.push(`${partition}:${offset}`);
        } catch {
          // Some tests send what is no frame.
        }
      });
    }
  };
}

/** Calls back where the page's WebSocket is held, in a worker if it has one: a recorded page has `heard` and `sockets` there. */
export const inSocketThread = (page, callback, argument) => (page.workers()[0] ?? page).evaluate(callback, argument);

/** Where a number of the health strip stands. */
export const placeOf = (name) => `[data-number="${name}"]`;

/** The number that a text of the page shows: without separators and units, 0 where there is none. */
export const numberIn = (text) => Number((text ?? "").replace(/[^\d.]/g, ""));

/** What stands in the health strip, as a number. */
export const number = async (page, name) => numberIn(await page.locator(placeOf(name)).textContent());

export const level = (page, part) => page.locator(`[data-part="${part}"]`).getAttribute("data-level");

export const levels = async (page) =>
  Object.fromEntries(
    await page
      .locator("[data-part]")
      .evaluateAll((parts) => parts.map((part) => [part.dataset.part, part.dataset.level])),
  );

export async function shoot(page, name, options = { fullPage: true }) {
  mkdirSync(SHOTS, { recursive: true });
  await page.screenshot({ path: `${SHOTS}${name}.png`, ...options });
}
