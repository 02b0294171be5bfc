import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { message, SECOND, trade } from "./samples.ts";
import { compareTrades, readTrade } from "./trade.ts";

const read = (data: unknown) => readTrade({ ...message(), data }, "", SECOND, 0);
const fields = message().data as Record<string, unknown>;

test("prices and sizes stay as they were sent", () => {
  const { price, size } = trade({ price: "78123000.0", size: "6E-8" });
  assert.deepEqual([price, size], ["78123000.0", "6E-8"]);
});

test("a message that is no trade, or an impossible one, says why", () => {
  const expected: [unknown, string][] = [
    [undefined, "noTrade"],
    [null, "noTrade"],
    [[1], "noTrade"],
    ["text", "noTrade"],
    [{ hello: 1 }, "noTrade"],
    [{ ...fields, price: "1e400" }, "price"],
    [{ ...fields, price: Number.POSITIVE_INFINITY }, "price"],
    [{ ...fields, price: 1 }, "price"],
    [{ ...fields, size: "much" }, "size"],
    [{ ...fields, traded_at: "0000-00-00T00:00:00Z" }, "time"],
    [{ ...fields, traded_at: 1 }, "time"],
    [{ ...fields, symbol: "" }, "symbol"],
    [{ ...fields, symbol: "x".repeat(65) }, "symbol"],
  ];
  for (const [data, why] of expected) assert.equal(read(data), why, JSON.stringify(data));
});

test("whatever comes, reading it does not throw", () => {
  fc.assert(
    fc.property(
      fc.object({ key: fc.constantFrom("price", "symbol", "size", "traded_at", "side", "trade_id") }),
      (data) => {
        read(data);
      },
    ),
  );
});

test("unknown sides and missing ids are no reason to refuse a trade", () => {
  const odd = read({ ...fields, side: "both", trade_id: 7 });
  assert.ok(typeof odd !== "string");
  assert.deepEqual([odd.side, odd.id], [undefined, null]);
});

test("trades are in the order of time, then of their ids as numbers", () => {
  const [a, b, c] = [trade({ id: "9" }), trade({ id: "10" }), trade({ id: "1", at: 1 })];
  assert.ok(compareTrades(a, b) < 0 && compareTrades(b, c) < 0 && compareTrades(c, a) > 0);
});

test("the order is total", () => {
  const any = fc
    .record({ at: fc.nat(3), id: fc.oneof(fc.constant(null), fc.stringMatching(/^[0-9a-f]{0,4}$/)) })
    .map(trade);
  fc.assert(
    fc.property(any, any, any, (a, b, c) => {
      assert.equal(Math.sign(compareTrades(a, b)), -Math.sign(compareTrades(b, a)) + 0);
      if (compareTrades(a, b) <= 0 && compareTrades(b, c) <= 0) assert.ok(compareTrades(a, c) <= 0);
    }),
  );
});
