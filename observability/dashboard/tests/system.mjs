// The real system around the page: exchange, producer, Kafka, three consumer VMs and the dashboard server.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { PATIENCE_MS } from "./browser.mjs";

export const repository = new URL("../../../", import.meta.url).pathname;
export const target = process.env.CARGO_TARGET_DIR ?? `${repository}target`;

/** Starts the system; `page` and the other places are properties, `tell` gives it a command and returns its answer. */
export async function startSystem({ rate = 50 } = {}) {
  const child = spawn(`${target}/debug/testkit-system`, ["--rate", String(rate)], {
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
    async stop() {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.stdin.end();
      await ended;
    },
  };
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
