// What the page does when something breaks: each trade exactly once, a banner while it is broken, no reload.

import assert from "node:assert/strict";
import { test } from "node:test";
import { inSocketThread, level, levels, number, open, shoot } from "./browser.mjs";
import { startNetwork } from "./network.mjs";
import { eventually, repository, startAll, tradesGoOn } from "./system.mjs";

const { system, browser, page } = await startAll({ isRecorded: true });

const banner = () => page.locator(".banner").textContent();

async function allOk() {
  const now = await levels(page);
  return (
    Object.values(now).every((one) => one === "ok") ||
    Promise.reject(new Error(`${JSON.stringify(now)} ${await banner()}`))
  );
}

/** The offsets that a page was given of each partition, each of them once. */
async function heardBy(shown) {
  const partitions = new Map();
  for (const position of await inSocketThread(shown, () => self.heard)) {
    const [partition, offset] = position.split(":").map(Number);
    partitions.set(partition, (partitions.get(partition) ?? new Set()).add(offset));
  }
  return partitions;
}

/** Nothing is missing between the first and the last offset that a page was given of each partition. */
async function hasNoHole(shown) {
  for (const [partition, offsets] of await heardBy(shown)) {
    const [first, last] = [Math.min(...offsets), Math.max(...offsets)];
    assert.equal(offsets.size, last - first + 1, `partition ${partition}: ${first} to ${last}`);
  }
}

/** Trades go on, and the banner has gone. */
async function recovers() {
  await tradesGoOn(page);
  // Both at once: what one member has heard of the brokers, the next may not have heard yet.
  await eventually("all parts ok and no banner", async () => (await allOk()) && (await banner()) === "");
}

await eventually("all parts ok", allOk);

test("a dashboard server that is killed and started again", async () => {
  await system.tell("kill dashboard");
  await eventually("the banner", async () => (await banner()).includes("no connection"));
  await shoot(page, "outage", {});
  await system.tell("start dashboard");
  await recovers();
});

test("a connection that is cut", async () => {
  await inSocketThread(page, () => self.sockets.at(-1).close());
  await recovers();
});

test("a network that is cut between a page and its server", async () => {
  const network = await startNetwork(system.page);
  const { page: far } = await open(browser, network.url, { isRecorded: true });
  await tradesGoOn(far);
  network.cut();
  const said = () => far.locator(".banner").textContent();
  await eventually("the banner", async () => (await said()).includes("no connection"));
  network.mend();
  await eventually("no banner", async () => (await said()) === "");
  await tradesGoOn(far);
  await hasNoHole(far);
  await far.context().close();
  network.stop();
});

test("a page that is hidden lets go after a minute, and has everything when it is shown again", async () => {
  const { page: other } = await open(browser, system.page, { isRecorded: true });
  await tradesGoOn(other);
  await other.clock.install(); // goes on by itself, and on command
  const turn = (state) =>
    other.evaluate((now) => {
      Object.defineProperty(document, "visibilityState", { value: now, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }, state);
  const is = (state) => inSocketThread(other, (name) => self.sockets.at(-1).readyState === WebSocket[name], state);
  await turn("hidden");
  await other.clock.fastForward(55_000);
  assert.ok(await is("OPEN"));
  await other.clock.fastForward(5_000);
  await eventually("no connection", () => is("CLOSED"));
  const before = await number(other, "trades");
  await turn("visible");
  await eventually("what it missed", async () => (await number(other, "trades")) > before + 100);
  await tradesGoOn(other);
  await hasNoHole(other);
  await other.context().close();
});

test("a page of a WebSocket server that is killed moves to a peer", async () => {
  // Consumer VMs serve no pages: the files come from the repository, the messages from the server.
  const { page: guest } = await open(browser, "about:blank", { isRecorded: true });
  const place = system.sockets[0].replace("ws:", "http:").replace("/ws", "/");
  const site = `${repository}stages/ws-broadcast/web/site/`;
  await guest.route(`${place}**`, (route) =>
    route.fulfill({ path: site + (route.request().url().slice(place.length) || "index.html") }),
  );
  await guest.goto(place);
  const count = async () => Number(await guest.locator("#count").textContent());
  await eventually("messages", async () => (await count()) > 100);
  await system.tell("kill vm1");
  await eventually("another server", async () => {
    const state = await guest.locator("#state").textContent();
    return (
      (state.startsWith("live") && !state.includes(new URL(system.sockets[0]).host)) || Promise.reject(new Error(state))
    );
  });
  const before = await count();
  await eventually("messages go on", async () => (await count()) > before + 100);
  await system.tell("start vm1");
  await recovers();
  await hasNoHole(guest);
  assert.equal(await guest.locator("#gaps").textContent(), "0");
  await guest.context().close();
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

test("consumers that are killed while the WebSocket server of their VM lives on", async () => {
  await system.tell("kill vm3");
  await system.tell("start vm3/websocket-server");
  await system.tell("start vm3/consumer");
  await recovers();
  await system.tell("kill vm3/consumer");
  await eventually("the banner", async () => (await level(page, "consumers")) !== "ok" && (await banner()) !== "");
  assert.equal(await level(page, "servers"), "ok");
  await system.tell("start vm3/consumer");
  await recovers();
});

test("a WebSocket server that is killed while the consumers of its VM live on", async () => {
  await system.tell("kill vm3/websocket-server");
  await eventually("the banner", async () => (await level(page, "servers")) !== "ok" && (await banner()) !== "");
  await system.tell("start vm3/websocket-server");
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
  await eventually("the last trade of each partition", async () => {
    const heard = await heardBy(page);
    return ends.every((end, partition) => heard.get(partition)?.has(end - 1));
  });
  await hasNoHole(page);
  const heard = [...(await heardBy(page)).values()].reduce((sum, { size }) => sum + size, 0);
  await eventually("each counted once", async () => (await number(page, "trades")) === heard);
  assert.equal(await number(page, "missing"), 0);
});
