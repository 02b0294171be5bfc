import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { growth, type Reading, rate } from "./rates.ts";

test("a rate is the growth over the time between the documents", () => {
  const readings = [
    { at: 1_000, count: 10 },
    { at: 2_000, count: 30 },
    { at: 5_000, count: 90 },
  ];
  assert.equal(rate(readings), 20);
});

test("what a process counted before it began again says nothing", () => {
  const readings = [
    { at: 0, count: 1_000 },
    { at: 1_000, count: 5 },
    { at: 2_000, count: 25 },
  ];
  assert.deepEqual(growth(readings), { count: 20, ms: 1_000 });
});

test("one document has no rate, and neither have two of one moment", () => {
  assert.equal(rate([{ at: 0, count: 5 }]), undefined);
  assert.equal(
    rate([
      { at: 0, count: 5 },
      { at: 100, count: 9 },
    ]),
    undefined,
  );
  assert.equal(rate([]), undefined);
});

test("a rate is never below zero and never endless, whatever the readings", () => {
  const reading: fc.Arbitrary<Reading> = fc.record({
    at: fc.double({ noNaN: true, min: -1e15, max: 1e15 }),
    count: fc.option(fc.nat(), { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.array(reading), (readings) => {
      const found = rate(readings);
      assert.ok(found === undefined || (found >= 0 && Number.isFinite(found)), String(found));
    }),
  );
});

test("growth never exceeds the newest count", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(), { minLength: 1 }), (counts) => {
      const grown = growth(counts.map((count, index) => ({ at: index * 1_000, count })));
      assert.ok(grown !== undefined && grown.count <= (counts.at(-1) ?? 0));
    }),
  );
});
