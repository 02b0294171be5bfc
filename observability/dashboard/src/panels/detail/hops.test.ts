import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { barOf, legsOf, PLACES, sampledTrace } from "./hops.ts";

const AT = 1_700_000_000_000;
const HOPS = {
  traded: AT,
  received: AT + 2,
  produced: AT + 1.5,
  consumed: AT + 10,
  posted: AT + 11,
  accepted: AT + 12,
  arrived: AT + 20,
};

test("legs lie between the places that are known", () => {
  assert.deepEqual(
    legsOf(HOPS).map(({ to, ms }) => [to, ms]),
    [
      ["received", 2],
      ["produced", -0.5],
      ["consumed", 8.5],
      ["posted", 1],
      ["accepted", 1],
      ["arrived", 8],
    ],
  );
  assert.deepEqual(
    legsOf({ traded: AT, arrived: AT + 20 }).map(({ from, to, ms }) => [from, to, ms]),
    [["traded", "arrived", 20]],
  );
});

test("a clock that is behind is told, whole milliseconds of Kafka are not", () => {
  assert.deepEqual(
    legsOf(HOPS).map(({ skew }) => skew),
    Array(6).fill(undefined),
  );
  const [, , late] = legsOf({ ...HOPS, consumed: AT - 3_600_000, posted: AT - 3_600_000, accepted: AT - 3_600_000 });
  assert.deepEqual(late?.skew, { ahead: "producer", behind: "consumer", ms: 3_600_001.5 });
});

test("bars stay on the track, whatever the clocks say", () => {
  const at = fc.integer({ min: AT - 4_000_000, max: AT + 4_000_000 });
  const hops = fc.record(Object.fromEntries(PLACES.map(({ place }) => [place, at])));
  fc.assert(
    fc.property(hops, (times) => {
      const legs = legsOf(times as unknown as typeof HOPS);
      for (const { left, width } of legs.map((leg) => barOf(leg, legs))) {
        assert.ok(left >= -1e-6 && left + width <= 100 + 1e-6, `${left} ${width}`);
      }
    }),
  );
});

test("only sampled messages have a trace to look at", () => {
  const id = "0af7651916cd43dd8448eb211c80319c";
  assert.equal(sampledTrace(`00-${id}-b7ad6b7169203331-01`), id);
  assert.equal(sampledTrace(`00-${id}-b7ad6b7169203331-00`), undefined);
  for (const text of [undefined, "", "01", `00-${id}"><b>-b7ad6b7169203331-01`])
    assert.equal(sampledTrace(text), undefined);
});
