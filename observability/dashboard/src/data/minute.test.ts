import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Minute } from "./minute.ts";

const NOW = 1_700_000_000_000;

test("quantiles are right to the width of a bucket", () => {
  const values = fc.array(fc.double({ min: 0.2, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(values, fc.constantFrom(0.5, 0.9, 0.99), (all, share) => {
      const minute = new Minute();
      for (const value of all) minute.record(NOW, value);
      const exact = [...all].sort((a, b) => a - b)[Math.max(1, Math.ceil(all.length * share)) - 1] as number;
      const told = minute.quantile(NOW, share) as number;
      assert.ok(told >= exact * 0.999 && told <= exact * 1.051, `${told} for ${exact}`);
    }),
  );
});

test("what is older than a minute is forgotten", () => {
  const minute = new Minute();
  minute.record(NOW, 5);
  assert.ok(minute.quantile(NOW + 59_000, 0.5) !== undefined);
  assert.equal(minute.quantile(NOW + 60_000, 0.5), undefined);
  assert.equal(minute.least(NOW + 60_000), undefined);
});

test("a rate is over seconds that are over", () => {
  const minute = new Minute();
  for (let second = 0; second < 5; second += 1) {
    for (let index = 0; index < 10; index += 1) minute.record(NOW + second * 1000 + index, 0);
  }
  assert.equal(minute.rate(NOW + 5000, 5), 10);
  assert.equal(minute.rate(NOW + 4000, 5), 8);
});

test("values below zero are kept apart: they tell of clocks", () => {
  const minute = new Minute();
  minute.record(NOW, -3_600_000);
  minute.record(NOW, 4);
  assert.equal(minute.least(NOW), -3_600_000);
  assert.ok((minute.quantile(NOW, 0.5) as number) <= 0.1);
});
