import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { Pulse } from "../store/pulse.ts";
import { Store } from "../store/store.ts";
import { follow } from "./live.ts";

test("panels that draw seldom take turns, and each has its turn, with news and without", () => {
  let now = 1000;
  mock.method(performance, "now", () => now);
  mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  const store = new Store(() => now, new Pulse((callback) => setTimeout(callback, 4)));
  const drawn: { panel: number; at: number }[] = [];
  const ends = [0, 1, 2, 3].map((panel) => follow(store, 500, () => drawn.push({ panel, at: now })));
  for (let ms = 0; ms < 4000; ms += 1) {
    now += 1;
    if (ms < 2000) store.pulse.changed();
    mock.timers.tick(1);
  }
  for (const end of ends) end();
  const apart = drawn.slice(1).map(({ at }, index) => at - (drawn[index]?.at ?? 0));
  assert.ok(Math.min(...apart) >= 16, `${apart}`);
  // Twice a second with news, once a second without.
  for (const panel of [0, 1, 2, 3]) {
    const times = drawn.filter((one) => one.panel === panel).length;
    assert.ok(times >= 5 && times <= 6, `panel ${panel} was drawn ${times} times`);
  }
  mock.timers.reset();
  mock.restoreAll();
});
