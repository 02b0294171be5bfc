import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseDecimal } from "../../data/decimal.ts";
import { Ring } from "../../data/ring.ts";
import { trade } from "../../store/samples.ts";
import type { Trade } from "../../store/trade.ts";
import { EVERYTHING, passes, TapeView } from "./view.ts";

const rows = (view: TapeView) => Array.from({ length: view.length }, (_, index) => view.at(index));

test("a view shows what a look at all kept trades would find, however they came", () => {
  const steps = fc.array(fc.oneof(fc.constantFrom("buy", "sell"), fc.constant("follow")), { maxLength: 80 });
  fc.assert(
    fc.property(steps, (list) => {
      const ring = new Ring<Trade>(10);
      const filter = { ...EVERYTHING, side: "buy" } as const;
      const view = new TapeView(ring, filter);
      for (const step of list) {
        if (step === "follow") view.follow();
        else ring.add(trade({ side: step }));
      }
      view.follow();
      const kept = ring.select(10, (one) => passes(one, filter));
      assert.deepEqual(rows(view).slice(0, kept.length), kept);
      assert.ok(rows(view).every((one) => one?.side === "buy"));
    }),
  );
});

test("a view that is not asked to follow stays, and knows how many came", () => {
  const ring = new Ring<Trade>(10);
  ring.add(trade({ id: "1" }));
  const view = new TapeView(ring, EVERYTHING);
  ring.add(trade({ id: "2" }));
  ring.add(trade({ id: "3" }));
  assert.deepEqual(
    rows(view).map((one) => one?.id),
    ["1"],
  );
  assert.equal(view.newer, 2);
  view.follow();
  assert.deepEqual(
    rows(view).map((one) => one?.id),
    ["3", "2", "1"],
  );
  assert.equal(view.newer, 0);
});

test("filters are for symbol, side, smallest size and partition", () => {
  const one = trade({ symbol: "KRW-BTC", side: "sell", size: "0.30", partition: 2 });
  const filter = (more: Partial<typeof EVERYTHING>) => passes(one, { ...EVERYTHING, ...more });
  assert.ok(filter({ symbol: "btc" }) && !filter({ symbol: "eth" }));
  assert.ok(filter({ side: "sell" }) && !filter({ side: "buy" }));
  assert.ok(filter({ size: parseDecimal("0.3") }) && !filter({ size: parseDecimal("0.30000001") }));
  assert.ok(filter({ partition: 2 }) && !filter({ partition: 0 }));
});
