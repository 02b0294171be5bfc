// The real system around the page: exchange, producer, Kafka, three consumer VMs and the dashboard server.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { after } from "node:test";
import { number, open, PATIENCE_MS, startBrowser } from "./browser.mjs";

export const repository = new URL("../../../", import.meta.url).pathname;
export const target = process.env.CARGO_TARGET_DIR ?? `${repository}target`;

/** Starts the system and opens its page in a browser; all ends with the tests of the file that asks for it. */
export async function startAll(options) {
  const { system, browser } = await start();
  return { system, browser, ...(await open(browser, system.page, options)) };
}

/** Starts the system and a browser. */
export async function start() {
  const system = await startSystem();
  after(() => system.stop());
  const browser = await startBrowser();
  after(() => browser.close());
  await eventually("a page that is served", async () => (await fetch(system.page)).ok);
  return { system, browser };
}

/** Starts the system; `page` and the other places are properties, `tell` gives it a command and returns its answer. */
export async function startSystem({ rate = 50, profile = "debug" } = {}) {
  const child = spawn(`${target}/${profile}/testkit-system`, ["--rate", String(rate)], {
    stdio: ["pipe", "pipe", "inherit"],
    cwd: repository,
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async (what) => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`the system ended while it was to ${what}`);
    const said = JSON.parse(value);
    if (said?.error !== undefined) throw new Error(`${what}: ${said.error}`);
    return said;
  };
  const places = await answer("start");
  return {
    ...places,
    async tell(command) {
      child.stdin.write(`${command}\n`);
      return answer(command);
    },
    /** Gives the first VM's WebSocket server messages, as a consumer does. */
    post(body, type) {
      const server = places.sockets[0].replace("ws:", "http:").replace("/ws", "/api/trades");
      return fetch(server, { method: "POST", headers: { "content-type": type }, body });
    },
    async stop() {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.stdin.end();
      await ended;
    },
  };
}

/** A trade as the producer makes it, with what `change` says. */
export function trade(change) {
  const traded_at = new Date().toISOString();
  return { venue: "x", symbol: "X", price: "1", size: "1", side: "buy", trade_id: "1", traded_at, ...change };
}

/** Asks until the answer passes; a slow machine may take its time. */
export async function eventually(what, ask, within = PATIENCE_MS) {
  const end = Date.now() + within;
  for (;;) {
    let why;
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
      why = String(answer);
    } catch (error) {
      why = error.message;
    }
    if (Date.now() > end) throw new Error(`${what}: not within ${within / 1000} s (${why})`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

/** Waits until a page has counted more than so many further trades. */
export async function tradesGoOn(page, more = 20) {
  const before = await number(page, "trades");
  await eventually("trades go on", async () => (await number(page, "trades")) > before + more);
}
