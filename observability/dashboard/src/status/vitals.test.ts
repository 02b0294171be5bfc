import assert from "node:assert/strict";
import { test } from "node:test";
import { Pulse } from "../store/pulse.ts";
import { message, SECOND } from "../store/samples.ts";
import { SETTLING_MS, Store } from "../store/store.ts";
import { SECONDS, VitalsHistory } from "./vitals.ts";

function started() {
  const clock = { now: SECOND };
  const store = new Store(() => clock.now, new Pulse(() => undefined));
  store.state("live", "ws://dashboard:3000/ws");
  clock.now += SETTLING_MS;
  return { clock, store, history: new VitalsHistory() };
}

test("each second has the rate and the latency of the seconds before it", () => {
  const { clock, store, history } = started();
  for (let index = 0; index < 100; index += 1) {
    const at = SETTLING_MS + index * 100;
    clock.now = SECOND + at;
    const made = message({ offset: index, at: at - 42 });
    store.message(made, JSON.stringify(made), clock.now);
    store.take();
    history.note(store, clock.now);
  }
  const { times, vitals } = history.last(clock.now);
  assert.deepEqual([times.length, vitals.length, times.at(-1)], [SECONDS, SECONDS, SECOND / 1000 + 14]);
  const newest = vitals.at(-1);
  assert.equal(newest?.rate, 10);
  assert.ok(Math.abs((newest?.p50 ?? 0) - 40) < 3 && Math.abs((newest?.p99 ?? 0) - 40) < 3, JSON.stringify(newest));
  assert.equal(newest?.lag, null);
});

test("what was not noted is unknown, and so is what a page without a connection cannot know", () => {
  const { clock, store, history } = started();
  clock.now += 1_000;
  history.note(store, clock.now);
  clock.now += 3_000;
  store.state("waiting", "ws://dashboard:3000/ws");
  history.note(store, clock.now);
  const rates = history.last(clock.now).vitals.map(({ rate }) => rate);
  assert.deepEqual(rates.slice(-4), [0, null, null, null]);
});

test("only five minutes are kept, and a clock that is set back leaves nothing of the future", () => {
  const { clock, store, history } = started();
  const begun = clock.now + 1000;
  const known = (at: number): number => history.last(at).vitals.filter(({ rate }) => rate !== null).length;
  for (let second = 0; second < 2 * SECONDS; second += 1) {
    clock.now = begun + second * 1000;
    history.note(store, clock.now);
  }
  assert.deepEqual([known(begun), known(clock.now)], [0, SECONDS]);
  clock.now = begun;
  history.note(store, clock.now);
  assert.deepEqual([known(begun + 2 * SECONDS * 1000), known(begun)], [0, 1]);
});
