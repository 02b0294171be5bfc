// What the page does when something breaks: each trade exactly once, a banner while it is broken, no reload.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { level, levels, number, open, shoot, startBrowser } from "./browser.mjs";
import { eventually, startSystem } from "./system.mjs";

let system;
let browser;
let page;

before(async () => {
  system = await startSystem();
  browser = await startBrowser();
  await eventually("a page that is served", async () => (await fetch(system.page)).ok);
  ({ page } = await open(browser, system.page));
  await eventually("all parts ok", allOk);
});

after(async () => {
  await browser?.close();
  await system?.stop();
});

const banner = () => page.locator(".banner").textContent();

async function allOk() {
  const now = await levels(page);
  return (
    Object.values(now).every((one) => one === "ok") ||
    Promise.reject(new Error(`${JSON.stringify(now)} ${await banner()}`))
  );
}

/** Trades go on, and the banner has gone. */
async function recovers() {
  const before = await number(page, "trades");
  await eventually("trades go on", async () => (await number(page, "trades")) > before + 20);
  // Both at once: what one member has heard of the brokers, the next may not have heard yet.
  await eventually("all parts ok and no banner", async () => (await allOk()) && (await banner()) === "");
}

test("a dashboard server that is killed and started again", async () => {
  await system.tell("kill dashboard");
  await eventually("the banner", async () => (await banner()).includes("no connection"));
  await shoot(page, "outage", {});
  await system.tell("start dashboard");
  await recovers();
});

test("a connection that is cut", async () => {
  await page.evaluate(() => window.sockets.at(-1).close());
  await recovers();
});

test("a dashboard server that hangs", async () => {
  await system.tell("freeze dashboard");
  await eventually("the banner", async () => (await banner()).includes("no connection"));
  await system.tell("thaw dashboard");
  await recovers();
});

test("a consumer VM, with its WebSocket server, that is killed", async () => {
  await system.tell("kill vm2");
  await eventually("the banner", async () => (await level(page, "consumers")) !== "ok" && (await banner()) !== "");
  await shoot(page, "vm-lost");
  await system.tell("start vm2");
  await recovers();
});

test("a broker that is killed", async () => {
  await system.tell("kill-broker 2");
  await eventually(
    "the banner",
    async () => (await level(page, "kafka")) !== "ok" && (await banner()).includes("Kafka"),
  );
  await shoot(page, "broker-lost");
  await system.tell("start-broker 2");
  await recovers();
});

test("after all that no trade is missing and none came twice", async () => {
  await system.tell("kill exchange");
  const ends = await eventually("a quiet topic", async () => {
    const [end, committed] = [await system.tell("ends"), await system.tell("committed")];
    return JSON.stringify(end) === JSON.stringify(committed) && end;
  });
  const heard = async () => new Set(await page.evaluate(() => window.heard));
  await eventually("the last trade of each partition", async () => {
    const seen = await heard();
    return ends.every((end, partition) => seen.has(`${partition}:${end - 1}`));
  });
  const seen = await heard();
  for (const [partition, end] of ends.entries()) {
    const offsets = [...seen].map((one) => one.split(":").map(Number)).filter(([of]) => of === partition);
    const first = Math.min(...offsets.map(([, offset]) => offset));
    assert.equal(offsets.length, end - first, `partition ${partition}: from ${first} to ${end}`);
  }
  await eventually("each counted once", async () => (await number(page, "trades")) === seen.size);
  assert.equal(await number(page, "missing"), 0);
});
