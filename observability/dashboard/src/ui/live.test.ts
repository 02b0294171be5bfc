import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { Pulse } from "../store/pulse.ts";
import { Store } from "../store/store.ts";
import { EACH_DRAWING, follow } from "./live.ts";

interface Call {
  panel: number;
  at: number;
}

let now: number;
let store: Store;
let calls: Call[];
let ends: (() => void)[];

beforeEach(() => {
  now = 1000;
  mock.method(performance, "now", () => now);
  mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  [calls, ends] = [[], []];
});

afterEach(() => {
  for (const end of ends) end();
  mock.timers.reset();
  mock.restoreAll();
});

/** Panels that draw at most so often, on a page that is drawn at most so often. */
function start(apart: number, everies: readonly number[]) {
  store = new Store(() => now, new Pulse((callback) => setTimeout(callback, apart)));
  ends = everies.map((every, panel) => follow(store, every, () => calls.push({ panel, at: now })));
}

function pass(ms: number, hasNews: boolean) {
  for (let passed = 0; passed < ms; passed += 1) {
    now += 1;
    if (hasNews) store.pulse.changed();
    mock.timers.tick(1);
  }
}

const timesOf = (panel: number) => calls.filter((one) => one.panel === panel).length;
/** Calls of each drawing. */
const drawings = () => [...new Set(calls.map(({ at }) => at))].map((time) => calls.filter(({ at }) => at === time));

test("what is drawn at one time is drawn with the page, and two at most of the panels that draw seldom", () => {
  start(100, [EACH_DRAWING, 500, 500, 500, 1000, 1000, 1000, 1000]);
  pass(5000, true);
  for (const drawing of drawings()) {
    assert.equal(drawing.filter(({ panel }) => panel === 0).length, 1);
    assert.ok(drawing.length <= 3, JSON.stringify(drawing));
  }
  assert.ok(timesOf(0) >= 49);
  for (const panel of [1, 2, 3]) assert.ok(timesOf(panel) >= 7, `panel ${panel} was drawn ${timesOf(panel)} times`);
  for (const panel of [4, 5, 6, 7]) assert.ok(timesOf(panel) >= 3, `panel ${panel} was drawn ${timesOf(panel)} times`);
});

test("on a page that is seldom drawn each panel has its turn", () => {
  start(700, [500, 500, 500, 500, 1000, 1000]);
  pass(20_000, true);
  for (const panel of [0, 1, 2, 3, 4, 5]) {
    assert.ok(timesOf(panel) >= 8, `panel ${panel} was drawn ${timesOf(panel)} times`);
  }
});

test("without news each panel is drawn once a second", () => {
  start(100, [EACH_DRAWING, 500, 500, 500, 1000]);
  pass(10_000, false);
  for (const panel of [0, 1, 2, 3, 4]) {
    assert.ok(timesOf(panel) >= 8 && timesOf(panel) <= 10, `panel ${panel} was drawn ${timesOf(panel)} times`);
  }
});
