import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { paced } from "./pace.ts";

const page = { visibilityState: "visible" };
let now: number;

beforeEach(() => {
  now = 1000;
  page.visibilityState = "visible";
  mock.method(performance, "now", () => now);
  mock.timers.enable({ apis: ["setTimeout"] });
  Object.assign(globalThis, { document: page });
});

afterEach(() => {
  mock.timers.reset();
  mock.restoreAll();
  for (const name of ["document", "requestAnimationFrame"]) Reflect.deleteProperty(globalThis, name);
});

/** When drawings that take `cost` milliseconds, and so much in their frame, begin within `span`: there is always something to draw. */
function drawings(cost: number, span: number): number[] {
  globalThis.requestAnimationFrame = (callback) => {
    setTimeout(
      () => {
        now += cost;
        callback(now);
      },
      16 - (now % 16),
    );
    return 0;
  };
  const schedule = paced();
  const begun: number[] = [];
  const draw = (): void => {
    begun.push(now);
    now += cost;
    schedule(draw);
  };
  schedule(draw);
  for (const end = now + span; now < end; now += 1) mock.timers.tick(1);
  return begun;
}

test("what is quickly drawn is drawn ten times a second at most, and not much less often", () => {
  const begun = drawings(2, 1000);
  assert.ok(begun.length >= 8 && begun.length <= 10, `${begun.length}`);
});

test("a drawing takes no more than half of the time", () => {
  const begun = drawings(50, 3000);
  const apart = begun.slice(1).map((at, index) => at - (begun[index] as number));
  assert.ok(apart.length >= 10 && Math.min(...apart) >= 200, `${apart}`);
});

test("a hidden page is not drawn, and takes what comes once a second", () => {
  page.visibilityState = "hidden";
  assert.equal(drawings(0, 5000).length, 5);
});
