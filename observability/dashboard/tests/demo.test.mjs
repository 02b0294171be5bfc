// `make demo`: what a person meets who has just checked out the repository.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { after, test } from "node:test";
import { levels, open, shoot, startBrowser } from "./browser.mjs";
import { eventually, repository, target } from "./system.mjs";

/** What tells that a panel shows data. */
const PANELS = {
  health: "[data-level=ok]",
  chart: "[data-last]",
  tape: ".tape-scroller .tape-row",
  consumers: "[data-owned]",
  kafka: "[data-partition]",
  flow: "[data-stage]",
  clients: "[data-server]",
};

// Its addresses are fixed: the tests of the sandbox take the same lock.
const command = `${target}/debug/pipeline-sandbox`;
const sandbox = spawn("flock", ["--no-fork", `${command}.lock`, command], {
  cwd: repository,
  stdio: ["ignore", "pipe", "inherit"],
});
let text = "";
sandbox.stdout.on("data", (part) => {
  text += part;
});
after(async () => {
  const ended = new Promise((resolve) => sandbox.once("exit", resolve));
  sandbox.kill("SIGINT");
  await ended;
});

test("every panel has data, and how soon is printed", async () => {
  const browser = await startBrowser();
  after(() => browser.close());
  const address = await eventually("the page's address", () => /Open (http:\S+)/.exec(text)?.[1]);
  const started = performance.now();
  const { page, complaints } = await open(browser, address);
  for (const [panel, data] of Object.entries(PANELS)) {
    await page.locator(`#${panel} ${data}`).first().waitFor();
    console.log(`${panel}: data after ${Math.round(performance.now() - started)} ms`);
  }
  await eventually("all parts ok", async () => {
    const now = await levels(page);
    return Object.values(now).every((level) => level === "ok") || Promise.reject(new Error(JSON.stringify(now)));
  });
  console.log(`all parts ok after ${Math.round(performance.now() - started)} ms`);
  await shoot(page, "demo");
  assert.deepEqual(complaints, []);
});

test("its text names at least three things to try, and what each shows", () => {
  const [, tries = ""] = text.split("To try:");
  const [before, ...things] = tries.split("Ctrl-C")[0].split(/^ {2}(?=\S)/m);
  assert.equal(before.trim(), "");
  assert.ok(things.length >= 3, text);
  for (const thing of things) assert.match(thing, /^\S.*\n {6}\S/);
});
