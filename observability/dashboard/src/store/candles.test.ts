import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decimalText } from "../data/decimal.ts";
import { Candles } from "./candles.ts";
import { type Sample, SECOND, trade } from "./samples.ts";

function candles(samples: readonly Sample[], seconds = 1, capacity = 1000): Candles {
  const made = new Candles(seconds, capacity);
  for (const sample of samples) made.add(trade(sample));
  return made;
}

const shown = (made: Candles) =>
  made.all.map(({ time, first, last, high, low, volume, trades }) => [
    time - SECOND / 1000,
    ...[first, high, low, last].map(({ price }) => price),
    decimalText(volume),
    trades,
  ]);

test("a candle has first, highest, lowest and last price as they were sent, and the exact volume", () => {
  const made = candles([
    { price: "100.0", size: "0.1", at: 0, id: "1" },
    { price: "101.50", size: "0.2", at: 200, id: "2" },
    { price: "99", size: "0.00000001", at: 500, id: "3" },
    { price: "100.25", size: "1", at: 999, id: "4" },
    { price: "100.3", size: "2", at: 1000, id: "5" },
  ]);
  assert.deepEqual(shown(made), [
    [0, "100.0", "101.50", "99", "100.25", "1.30000001", 4],
    [1, "100.3", "100.3", "100.3", "100.3", "2", 1],
  ]);
});

test("a late trade corrects its candle and is said to have rewritten it", () => {
  const made = candles([
    { price: "2", at: 500, id: "2" },
    { price: "3", at: 1500, id: "3" },
  ]);
  const before = made.rewritten;
  made.add(trade({ price: "1", at: 100, id: "1" }));
  assert.notEqual(made.rewritten, before);
  assert.deepEqual(shown(made)[0], [0, "1", "2", "1", "2", "2", 2]);
});

test("trades of one instant are in the order of their ids", () => {
  const made = candles([
    { price: "3", id: "10" },
    { price: "1", id: "8" },
    { price: "2", id: "9" },
  ]);
  assert.deepEqual(shown(made), [[0, "1", "3", "1", "3", "3", 3]]);
});

test("the candles do not depend on the order of arrival", () => {
  const samples = fc
    .array(
      fc.record({
        price: fc.bigInt({ min: 1n, max: 10n ** 12n }).map((units) => decimalText({ units, scale: 4 })),
        size: fc.bigInt({ min: 1n, max: 10n ** 12n }).map((units) => decimalText({ units, scale: 8 })),
        at: fc.nat(8000),
      }),
      { minLength: 1, maxLength: 40 },
    )
    .map((list) => list.map((sample, index) => ({ ...sample, id: String(index) })));
  const shuffled = samples.chain((list) =>
    fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length, maxLength: list.length })),
  );
  fc.assert(
    fc.property(shuffled, fc.constantFrom(1, 5, 60), ([list, other], seconds) => {
      // The scale of a sum is that of its widest part, whatever the order.
      assert.deepEqual(shown(candles(list, seconds)), shown(candles(other, seconds)));
    }),
  );
});

test("only so many candles are kept, and what is older than all of them is left out", () => {
  const many = Array.from({ length: 500 }, (_, index) => ({ at: index * 1000, id: String(index) }));
  const made = candles(many, 1, 50);
  assert.ok(made.all.length >= 50 && made.all.length <= 150);
  assert.equal(made.add(trade({ at: 0 })), false);
  const times = made.all.map(({ time }) => time);
  assert.deepEqual(
    times,
    [...times].sort((a, b) => a - b),
  );
});
