// What nobody should send: it is said or counted, the page goes on, and the console stays clean.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, test } from "node:test";
import { inSocketThread, number, open } from "./browser.mjs";
import { eventually, startAll, trade, tradesGoOn } from "./system.mjs";

/** A little more than an hour, so that the age of a document does not matter. */
const HOUR_MS = 3_660_000;
const MARKUP = '<img src="x" onerror="window.hurt=1">';

const { system, browser, page, complaints } = await startAll();

const banner = () => page.locator(".banner").textContent();
const host = (vm) => new URL(system.sockets[vm - 1]).hostname;

/** Answers at the place of a status server of the third VM, which is gone. */
async function serve(port, answerWith) {
  const server = createServer((_request, answer) => answerWith(answer)).listen(port, host(3));
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise((resolve, reject) => server.once("listening", resolve).once("error", reject));
}

/** The status at a URL, as one tells it whose clock is an hour ahead. */
async function anHourAhead(url) {
  const text = await (await fetch(url)).text();
  return text.replace(/"at_ms":(\d+)/g, (_, ms) => `"at_ms":${Number(ms) + HOUR_MS}`);
}

/** What a member of the group on the first VM that reads nothing tells. */
async function idleMember() {
  const members = await system.tell("partitions 1");
  const instance = members.findIndex((partitions) => partitions.length === 0);
  return instance >= 0 && `http://${host(1)}:${8081 + instance}/status`;
}

/** A message of `by-hand`, a partition that nobody else writes to. */
function line(offset, data) {
  return JSON.stringify({ topic: "by-hand", partition: 0, offset, timestamp: Date.now() * 1_000_000, data });
}

/** Every panel is there, trades go on, and nothing that was sent became a part of the page. */
async function isWell(shown = page) {
  await tradesGoOn(shown);
  assert.equal(await shown.locator("section.panel").count(), 6);
  assert.ok((await shown.locator(".tape-scroller .tape-row").count()) > 5);
  assert.equal(await shown.evaluate(() => window.hurt), undefined);
}

test("status servers that answer HTML, 404, or never are named, and the others are shown", async () => {
  await eventually("a partition's owner", async () => (await page.locator("[data-owned]").count()) >= 3);
  await system.tell("kill vm3");
  await serve(8081, (answer) => answer.setHeader("content-type", "text/html").end(`<h1>${MARKUP}</h1>`));
  await serve(8082, (answer) => answer.writeHead(404).end("not here"));
  await serve(8083, () => {});
  // One page knows them from before, one has never heard a status of theirs.
  const { page: late, complaints: said } = await open(browser, system.page);
  const broken = [8081, 8082, 8083].map((port) => `${host(3)}:${port}`);
  for (const shown of [page, late]) {
    await eventually("the banner names them", async () => {
      const told = await shown.locator(".banner").textContent();
      return broken.every((one) => told.includes(one)) || Promise.reject(new Error(told));
    });
    await isWell(shown);
  }
  const why = () => page.locator('[data-state="silent"] .why').allTextContents();
  await eventually("why, in words", async () => {
    const told = (await why()).join(" ");
    return (told.includes("<h1>") && told.includes("HTTP 404")) || Promise.reject(new Error(told));
  });
  assert.deepEqual(said, []);
  await late.context().close();
});

test("a clock that is an hour ahead is told", async () => {
  const idle = await eventually("an idle member", idleMember);
  await serve(8084, async (answer) => answer.end(await anHourAhead(idle)));
  await eventually("the clock that is off", async () =>
    (await page.locator("#consumers").textContent()).includes(`The clock of ${host(3)} is 1.0 h off`),
  );
  await isWell();
});

test("trades with impossible prices, times, sizes and symbols are counted", async () => {
  const bad = [
    trade({ price: "1e400" }),
    trade({ price: 1 }),
    trade({ size: "NaN" }),
    trade({ traded_at: "2026-13-45T99:99:99Z" }),
    trade({ traded_at: "+275760-09-13T00:00:00Z" }),
    trade({ symbol: "" }),
    trade({ symbol: "S".repeat(100_000) }),
    { hello: MARKUP },
    "text",
    [[[]]],
    null,
  ];
  const before = await number(page, "unreadable");
  const lines = bad.map((data, offset) => line(offset, data)).join("\n");
  assert.equal((await system.post(lines, "application/x-ndjson")).status, 200);
  await eventually("each is counted once", async () => (await number(page, "unreadable")) === before + bad.length);
  await eventually("it is said", async () => (await banner()).includes("cannot be read"));
  await isWell();
});

test("markup is text, wherever it comes", async () => {
  const wide = trade({ symbol: MARKUP, venue: MARKUP, trade_id: MARKUP });
  assert.equal((await system.post(line(100, wide), "application/x-ndjson")).status, 200);
  await page.locator('#tape input[type="search"]').fill("onerror");
  await eventually("the symbol", async () =>
    (await page.locator(".tape-scroller .tape-symbol").allTextContents()).includes(MARKUP),
  );
  await page.locator(".tape-scroller .tape-row").first().click();
  assert.ok((await page.locator("dialog").textContent()).includes(MARKUP));
  await page.keyboard.press("Escape");
  await page.locator('#tape input[type="search"]').fill("");
  await isWell();
});

test("a trade without a position that comes by two servers is one trade", async () => {
  const before = await number(page, "duplicates");
  await page.locator('#tape input[type="search"]').fill("NOWHERE");
  // A server that was started again is not read by all others at once.
  let sent = 0;
  await eventually("the other is dropped", async () => {
    sent += 1;
    const one = trade({ symbol: "NOWHERE", size: `${sent}`, trade_id: `${sent}` });
    assert.equal((await system.post(JSON.stringify(one), "application/json")).status, 200);
    return (await number(page, "duplicates")) > before;
  });
  const sizes = await page.locator(".tape-scroller .tape-size").allTextContents();
  assert.ok(sizes.length > 0 && new Set(sizes).size === sizes.length, String(sizes));
  await page.locator('#tape input[type="search"]').fill("");
});

test("five thousand symbols can be searched", async () => {
  const symbols = Array.from({ length: 5_000 }, (_, index) => `SYM-${index}`);
  for (let first = 0; first < symbols.length; first += 500) {
    const part = symbols
      .slice(first, first + 500)
      .map((symbol, index) => line(1000 + first + index, trade({ symbol })));
    assert.equal((await system.post(part.join("\n"), "application/x-ndjson")).status, 200);
  }
  const search = page.locator('#chart input[type="search"]');
  await search.fill("SYM-499");
  await page.locator('#chart-symbols option[value="SYM-4999"]').waitFor({ state: "attached" });
  await search.fill("SYM-4999");
  await page.locator('#chart [data-last="SYM-4999"]').waitFor();
  assert.ok((await page.locator("#chart-symbols option").count()) <= 60);
  await isWell();
});

test("frames that are no frames of ours are counted, and unknown ones are left out", async () => {
  const { page: other, complaints: said } = await open(browser, system.page, { isRecorded: true });
  await isWell(other);
  const unreadable = await number(other, "unreadable");
  const bad = [
    "not JSON",
    "",
    "null",
    "[]",
    "{",
    '{"type":7}',
    '{"type":"message"}',
    '{"type":"hello","peers":["no address"]}',
    '{"type":"message","from":"x","topic":"t","partition":-1,"offset":1e400}',
    '{"type":"gap","topic":"t"}',
    `${"[".repeat(50_000)}`,
  ];
  const send = (frame) =>
    inSocketThread(other, (data) => self.sockets.at(-1).dispatchEvent(new MessageEvent("message", { data })), frame);
  for (const frame of bad) await send(frame);
  await send('{"type":"of-version-2","version":2}');
  const times = '{"received":1e300,"produced":-1,"consumed":"soon","posted":null}';
  await send(`{"type":"message","from":"x","times":${times},"data":${JSON.stringify(trade({ symbol: "TIMELESS" }))}}`);
  await eventually("the bad ones", async () => (await number(other, "unreadable")) === unreadable + bad.length);
  await other.locator('#tape input[type="search"]').fill("TIMELESS");
  await other.locator(".tape-scroller .tape-row").first().click();
  await other.locator("dialog[open]").waitFor();
  await other.keyboard.press("Escape");
  await other.locator('#tape input[type="search"]').fill("");
  await isWell(other);
  assert.deepEqual(said, []);
  await other.context().close();
});

test("the console has nothing to complain about", () => {
  assert.deepEqual(complaints, []);
});
