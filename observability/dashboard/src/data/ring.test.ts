import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Ring } from "./ring.ts";

test("the newest items are kept, newest first", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.array(fc.nat(), { maxLength: 60 }), (capacity, items) => {
      const ring = new Ring<number>(capacity);
      for (const item of items) ring.add(item);
      const kept = items.slice(-capacity).reverse();
      assert.equal(ring.length, kept.length);
      assert.equal(ring.added, items.length);
      assert.deepEqual(
        ring.select(capacity, () => true),
        kept,
      );
      assert.equal(ring.newest(kept.length), undefined);
      assert.equal(ring.newest(-1), undefined);
    }),
  );
});
