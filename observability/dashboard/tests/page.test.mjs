// The page as a person meets it: from the real `pipeline`, with trades from real Kafka.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { levels, number, open, shoot } from "./browser.mjs";
import { eventually, start, trade, tradesGoOn } from "./system.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** Most that the page's files may weigh as they are sent. */
const MOST_BYTES = 150_000;
/** Cumulative layout shift up to which web.dev/articles/cls calls a page good. */
const STEADY = 0.1;

const { system, browser } = await start();
/** The page that most tests look at. It opens after the tests that open pages of their own: the machine draws one at a time. */
let page;
let complaints;

test("the files are small and are sent compressed, with a strict policy", async () => {
  let bytes = 0;
  for (const file of ["", "dashboard.js", "socket.js", "dashboard.css", "page.json"]) {
    const answer = await fetch(system.page + file, { headers: { "accept-encoding": "gzip" } });
    assert.match(answer.headers.get("content-security-policy"), /default-src 'none'.*script-src 'self'/);
    const body = Buffer.from(await answer.arrayBuffer());
    if (body.length > 1000) assert.equal(answer.headers.get("content-encoding"), "gzip", file);
    bytes += gzipSync(body).length;
  }
  console.log(`the page's files: ${bytes} bytes compressed`);
  assert.ok(bytes < MOST_BYTES, `${bytes} bytes`);
});

test("a page that opens has a first candle, and how soon is printed", async () => {
  const { page: other } = await open(browser, "about:blank");
  const started = performance.now();
  await other.goto(system.page);
  await other.locator(".legend-candle").waitFor();
  console.log(`first candle after ${Math.round(performance.now() - started)} ms`);
  await other.context().close();
});

for (const [name, width, height] of [
  ["desk", 1440, 900],
  ["phone", 360, 740],
]) {
  test(`nothing on a page for a ${name} moves while data comes in`, async () => {
    const { page: other } = await open(browser, "about:blank", { viewport: { width, height } });
    await other.addInitScript(() => {
      window.shifts = [];
      new PerformanceObserver((list) => {
        for (const { value, sources } of list.getEntries()) {
          const moved = sources.map(({ node }) => node?.outerHTML?.slice(0, 80) ?? node?.nodeName);
          window.shifts.push({ value, moved });
        }
      }).observe({ type: "layout-shift", buffered: true });
    });
    await other.goto(system.page);
    await other.locator("[data-owned]").first().waitFor();
    await tradesGoOn(other, 500);
    const shifts = await other.evaluate(() => window.shifts);
    const sum = shifts.reduce((total, { value }) => total + value, 0);
    assert.ok(sum < STEADY, `${sum} of ${JSON.stringify(shifts, null, 1)}`);
    await other.context().close();
  });
}

/** Pictures a page; axe finds nothing on it, and nothing is wider than the screen. */
async function looksWell(shown, name) {
  await shoot(shown, name);
  const width = await shown.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.equal(width, 0, "the page can be moved sideways");
  await shown.evaluate(AXE);
  const { violations } = await shown.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 150)).join(" ; ")}`);
  assert.deepEqual(found, []);
}

for (const [names, options] of [
  [["light", "dark"], {}],
  [["phone"], { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true }],
  [["korean"], { locale: "ko-KR", timezoneId: "Asia/Seoul" }],
]) {
  test(`${names.join(" and ")}: axe finds nothing, nothing is wider than the screen, and it is pictured`, async () => {
    const { page: shown, complaints: said } = await open(browser, system.page, { colorScheme: "light", ...options });
    await eventually("a full tape", async () => (await shown.locator(".tape-scroller .tape-row").count()) > 10);
    await eventually("every part ok", async () => Object.values(await levels(shown)).every((level) => level === "ok"));
    await eventually("rates", async () => /[1-9]\d\.\d/.test(await shown.locator("#consumers .readers").textContent()));
    for (const name of names) {
      await shown.emulateMedia({ colorScheme: name === "dark" ? "dark" : "light" });
      await looksWell(shown, name);
    }
    assert.deepEqual(said, []);
    await shown.context().close();
  });
}

test("language, theme, colours and zone can be chosen and are kept", async () => {
  const { page: shown } = await open(browser, system.page, { locale: "en-GB", timezoneId: "Asia/Seoul" });
  const selects = shown.locator(".settings select");
  await selects.nth(0).selectOption("ko");
  await selects.nth(1).selectOption("dark");
  await selects.nth(2).selectOption("korea");
  await selects.nth(3).selectOption("utc");
  await shown.reload();
  await shown.locator("h1", { hasText: "실시간 체결" }).waitFor();
  const root = await shown.evaluate(() => [document.documentElement.lang, { ...document.documentElement.dataset }]);
  assert.deepEqual(root, ["ko", { theme: "dark", colours: "korea" }]);
  const hour = await eventually("a trade's time in UTC", async () => {
    const time = await shown.locator(".tape-scroller .tape-time").first().textContent();
    return time.slice(0, 5) === new Date().toISOString().slice(11, 16);
  });
  assert.ok(hour);
  await shown.context().close();
});

test("trades, candles and every part of the system are there", async () => {
  ({ page, complaints } = await open(browser, system.page));
  await eventually("all parts ok", async () => {
    const now = await levels(page);
    return Object.values(now).every((level) => level === "ok") || Promise.reject(new Error(JSON.stringify(now)));
  });
  await page.locator("[data-last]").waitFor();
  await eventually("rows of the tape", async () => (await page.locator(".tape-scroller .tape-row").count()) > 10);
  assert.equal(await number(page, "missing"), 0);
  assert.equal(await number(page, "unreadable"), 0);
});

test("prices stand as they were sent", async () => {
  await page.locator(".tape-scroller .tape-row").first().click();
  const raw = JSON.parse(await page.locator("dialog pre").textContent());
  const price = await page.locator("dialog dd").nth(1).textContent();
  assert.equal(price.replaceAll(",", ""), raw.data.price);
  const position = await page.locator("dialog dd").nth(6).textContent();
  assert.equal(position, `${raw.topic}/${raw.partition}:${raw.offset}`);
  assert.ok((await page.locator(".waterfall li").count()) >= 5);
  await shoot(page, "detail", {});
  await page.keyboard.press("Escape");
  await page.locator("dialog").waitFor({ state: "detached" });
});

test("the keyboard leads through the tape and back", async () => {
  await page.locator("#tape select").last().focus();
  await page.keyboard.press("Tab");
  await eventually("a row is focused and the rows stay", async () => {
    const [row, focused] = await page.evaluate(() => [
      document.activeElement?.dataset.row,
      document.activeElement?.outerHTML.slice(0, 200),
    ]);
    const button = await page.locator("#tape button[aria-pressed]").textContent();
    return (row !== undefined && button !== "Pause") || Promise.reject(new Error(`${focused}; ${button}`));
  });
  const start = Number(await page.evaluate(() => document.activeElement.dataset.row));
  for (let index = 0; index < 3; index += 1) await page.keyboard.press("ArrowDown");
  const third = String(start + 3);
  await eventually("the third row from there is focused", async () => {
    const row = await page.evaluate(() => document.activeElement?.dataset.row);
    return row === third || Promise.reject(new Error(`row ${row}, expected ${third}`));
  });
  await page.keyboard.press("Enter");
  await page.locator("dialog[open]").waitFor();
  await page.keyboard.press("Escape");
  await page.locator("dialog").waitFor({ state: "detached" });
  await page.keyboard.press("End");
  await eventually("older rows", () => page.evaluate(() => Number(document.activeElement?.dataset.row) > 50));
  await page.locator("#tape button[aria-pressed]").click();
  await eventually(
    "the tape follows again",
    async () => (await page.locator("#tape button[aria-pressed=false]").count()) === 1,
  );
});

test("filters and a pause hold", async () => {
  await page.locator('#tape input[type="search"]').fill("xrp");
  await eventually("only one market", async () => {
    const symbols = await page.locator(".tape-scroller .tape-symbol").allTextContents();
    return symbols.length > 0 && symbols.every((symbol) => symbol === "KRW-XRP");
  });
  await page.locator('#tape input[type="search"]').fill("");
  await page.locator("#tape button[aria-pressed]").click();
  const first = () => page.locator('.tape-scroller [data-row="0"]').getAttribute("data-position");
  const held = await first();
  const before = await number(page, "trades");
  await eventually("more trades", async () => (await number(page, "trades")) > before + 20);
  assert.equal(await first(), held);
  await page.locator("#tape button[aria-pressed]").click();
  await eventually("the newest trade", async () => (await first()) !== held);
});

test("a sampled trade leads to its trace, and a clock that is an hour off is told", async () => {
  const [now, hour] = [BigInt(Date.now()) * 1_000_000n, 3_600_000_000_000n];
  const data = JSON.stringify(trade({ symbol: "TRACED" }));
  const times = `{"received":${now},"produced":${now},"consumed":${now - hour},"posted":${now - hour}}`;
  const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const line = `{"topic":"by-hand","partition":0,"offset":1,"timestamp":${now},"times":${times},"traceparent":"${trace}","data":${data}}`;
  assert.equal((await system.post(line, "application/x-ndjson")).status, 200);
  await page.locator('#tape input[type="search"]').fill("TRACED");
  await page.locator(".tape-scroller .tape-row", { hasText: "TRACED" }).click();
  const link = page.locator("dialog a", { hasText: "Jaeger" });
  assert.equal(await link.getAttribute("href"), "http://jaeger.test:16686/trace/0af7651916cd43dd8448eb211c80319c");
  const told = await page.locator(".waterfall-note").allTextContents();
  assert.deepEqual(told, ["⚠ The clock of the consumer is at least 1.0 h behind the clock of the producer."]);
  await shoot(page, "skew", {});
  await page.keyboard.press("Escape");
  await page.locator('#tape input[type="search"]').fill("");
});

test("the panels tell what Kafka and the status servers tell", async () => {
  const owners = await eventually("an owner of each partition", async () => {
    const found = new Map();
    for (const vm of [1, 2, 3]) {
      const members = await system.tell(`partitions ${vm}`);
      const host = new URL(system.sockets[vm - 1]).hostname;
      members.forEach((partitions, instance) => {
        for (const partition of partitions) found.set(partition, `${host}:${8081 + instance}`);
      });
    }
    return found.size === 3 && found;
  });
  for (const [partition, owner] of owners) {
    await eventually(`the owner of partition ${partition}`, async () =>
      (await page.locator("#consumers").textContent()).includes(owner),
    );
  }
  await system.tell("kill exchange");
  const ends = await eventually("all is committed", async () => {
    const [end, committed] = [await system.tell("ends"), await system.tell("committed")];
    return JSON.stringify(end) === JSON.stringify(committed) && end;
  });
  for (const [partition, end] of ends.entries()) {
    await eventually(`high and committed offset of partition ${partition}`, async () => {
      const cells = await page.locator(`#kafka [data-partition="${partition}"]`).locator("td, th").allTextContents();
      const told = cells.map((cell) => cell.replaceAll(",", ""));
      return told.filter((cell) => cell === String(end)).length >= 2 || Promise.reject(new Error(told.join(" | ")));
    });
  }
  await eventually("a silent feed is said", async () =>
    (await page.locator(".banner").textContent()).includes("no trade for"),
  );
  await system.tell("start exchange");
  await eventually("trades again", async () => !(await page.locator(".banner").textContent()).includes("no trade for"));
});

test("the console has nothing to complain about", () => {
  assert.deepEqual(complaints, []);
});
