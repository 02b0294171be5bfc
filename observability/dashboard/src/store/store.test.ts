import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { feedHealth, pageHealth } from "./health.ts";
import { MOST_CHARTED } from "./markets.ts";
import { Pulse } from "./pulse.ts";
import { message, type Sample, SECOND } from "./samples.ts";
import { SETTLING_MS, Store } from "./store.ts";

let now: number;
let due: (() => void)[];
let store: Store;

beforeEach(() => {
  now = SECOND;
  due = [];
  store = new Store(() => now, new Pulse((callback) => due.push(callback)));
});

const frame = () => {
  for (const callback of due.splice(0)) callback();
};
const send = (sample: Sample = {}, more = {}) => {
  const made = { ...message(sample), ...more };
  store.message(made, JSON.stringify(made), now);
};
const greet = (head = "") => {
  store.state("connecting", "ws://dashboard:3000/ws");
  store.hello({ type: "hello", server: "dashboard:3000", epoch: "1", peers: [], head });
  store.state("live", "ws://dashboard:3000/ws");
};
const poll = (more = {}) =>
  store.message(
    { type: "message", from: "d", data: { url: "http://vm:8081/status", at: now * 1e6, took_ms: 1, ...more } },
    "",
    now,
  );

test("what comes between two frames is taken at once, and told once", () => {
  let beats = 0;
  store.pulse.listen(() => (beats += 1));
  for (let offset = 0; offset < 100; offset += 1) send({ offset });
  assert.equal(due.length, 1);
  assert.equal(store.counters.trades, 0);
  frame();
  assert.deepEqual([beats, store.counters.trades, store.trades.length], [1, 100, 100]);
});

test("a page that is not drawn takes what comes all the same", () => {
  for (let offset = 0; offset < 5000; offset += 1) send({ offset });
  assert.ok(store.counters.trades >= 4000);
});

test("a trade without a position is told by the exchange's id, and counted as often as it comes without one", () => {
  const nowhere = { topic: undefined, partition: undefined, offset: undefined } as object;
  for (const id of ["1", "1", "2", null, null]) send({ id }, nowhere);
  send({ id: "1", symbol: "KRW-XRP" }, nowhere);
  send({ id: "1" });
  frame();
  assert.deepEqual([store.counters.trades, store.counters.duplicates], [6, 1]);
});

test("messages that are no trades are counted by reason and disturb nothing", () => {
  send({ price: "1e400" });
  send({}, { data: "<script>alert(1)</script>" });
  send({ at: 1 });
  store.unreadable("notJson");
  frame();
  assert.equal(store.counters.trades, 1);
  assert.deepEqual([...store.counters.unreadable].sort(), [
    ["noTrade", 1],
    ["notJson", 1],
    ["price", 1],
  ]);
  greet();
  assert.equal(pageHealth(store).level, "degraded");
});

test("latency is that of live messages: not of the past, not of what was read again", () => {
  greet("stock_trade/0:10");
  now = SECOND + 60_000;
  send({ offset: 10 });
  send({ offset: 11 }, { replay: true });
  frame();
  assert.equal(store.latency.quantile(now, 0.5), undefined);
  now = SECOND + 60_020;
  send({ offset: 12, at: 60_000 });
  frame();
  const p50 = store.latency.quantile(now, 0.5) as number;
  assert.ok(p50 >= 18 && p50 < 19, String(p50));
});

test("what waited behind the past when the connection began counts neither for the rate nor for the latency", () => {
  greet("stock_trade/0:10");
  assert.equal(store.rate(), undefined);
  now = SECOND + SETTLING_MS - 1;
  for (let offset = 11; offset < 111; offset += 1) send({ offset });
  frame();
  assert.deepEqual([store.counters.trades, feedHealth(store).level], [100, "ok"]);
  now = SECOND + SETTLING_MS;
  for (let offset = 111; offset < 118; offset += 1) send({ offset, at: SETTLING_MS });
  frame();
  now += 1000;
  assert.equal(store.rate(), 7);
  assert.ok((store.latency.quantile(now, 1) ?? 1000) < 100);
});

test("the newest report of each status server is kept, and listeners hear each one", () => {
  const heard: unknown[] = [];
  const end = store.onReport(({ body, error }) => heard.push(body ?? error));
  poll({ body: { lag: 1 } });
  poll({ body: "<html>" });
  poll({ error: "cannot connect" });
  frame();
  end();
  poll({ body: null });
  frame();
  assert.deepEqual(heard, [{ lag: 1 }, "<html>", "cannot connect"]);
  assert.equal(store.status.size, 1);
  assert.equal(store.status.get("http://vm:8081/status")?.error, undefined);
});

test("gaps are counted in messages", () => {
  store.gap({ type: "gap", topic: "t", partition: 0, from: 5, to: 9, reason: "evicted" });
  store.gap({ type: "gap", topic: "t", partition: 0, from: 0, reason: "reset" });
  assert.deepEqual([store.counters.missing, store.counters.resets], [5, 1]);
});

test("the feed is ok, degraded and down as it falls silent", () => {
  greet();
  assert.equal(feedHealth(store).level, "unknown");
  send();
  frame();
  assert.equal(feedHealth(store).level, "ok");
  now += 11_000;
  assert.equal(feedHealth(store).level, "degraded");
  now += 60_000;
  assert.equal(feedHealth(store).level, "down");
  assert.match(feedHealth(store).reasons[0]?.("en") ?? "", /no trade for 1\.2 min/);
});

test("an outage counts from its beginning, however many tries it takes", () => {
  greet();
  now += 1000;
  for (let attempt = 0; attempt < 5; attempt += 1) {
    store.state("waiting", "ws://dashboard:3000/ws");
    now += 1000;
    store.state("connecting", "ws://dashboard:3000/ws");
    now += 1000;
  }
  const page = pageHealth(store);
  assert.equal(page.level, "down");
  assert.equal(page.reasons[0]?.("en"), "no connection to dashboard:3000 for 10 s; trying again");
  assert.match(page.reasons[0]?.("ko") ?? "", /연결이 끊겼습니다/);
  greet();
  assert.equal(pageHealth(store).level, "ok");
});

test("a clock that is an hour off is told", () => {
  greet();
  poll({ at: (now - 3_700_000) * 1e6, body: {} });
  frame();
  assert.deepEqual(pageHealth(store).reasons, [], "what a server kept says nothing of clocks");
  now += 6_000;
  assert.match(pageHealth(store).reasons[0]?.("en") ?? "", /clock is 1\.0 h ahead/);
  now += 61_000;
  poll({ at: (now + 3_700_000) * 1e6, body: {} });
  frame();
  assert.match(pageHealth(store).reasons[0]?.("en") ?? "", /clock is 1\.0 h behind/);
});

test("5,000 symbols are known, and the candles of those that are looked at", () => {
  for (let index = 0; index < 5000; index += 1) send({ symbol: `S${index}`, offset: index });
  frame();
  assert.equal(store.markets.symbols().length, 5000);
  assert.equal([...store.markets.all()].filter((market) => market.candles !== undefined).length, MOST_CHARTED);
  store.watch("S4999");
  assert.equal(store.markets.get("S4999")?.candles?.get(1)?.all.length, 1);
  assert.equal([...store.markets.all()].filter((market) => market.candles !== undefined).length, MOST_CHARTED);
});
