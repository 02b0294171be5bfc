import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import fc from "fast-check";
import { APART_MS, BATCH, type Frame, Frames, MOST_WAITING } from "./frames.ts";

let now: number;
let batches: Frame[][];
let frames: Frames;

beforeEach(() => {
  mock.reset();
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
  mock.method(performance, "now", () => now);
  now = 1000;
  batches = [];
  frames = new Frames((batch) => batches.push(batch));
});

const pass = (ms: number) => {
  now += ms;
  mock.timers.tick(ms);
};

const add = (count: number, first = 0) => {
  for (let index = first; index < first + count; index += 1) frames.add({ data: String(index), at: index });
};
const sizes = () => batches.map((batch) => batch.length);

test("the first frame does not wait, and what comes within a while after it is one batch", () => {
  add(1);
  pass(0);
  frames.taken();
  add(2, 1);
  pass(APART_MS - 1);
  assert.deepEqual(sizes(), [1]);
  pass(1);
  assert.deepEqual(batches, [
    [{ data: "0", at: 0 }],
    [
      { data: "1", at: 1 },
      { data: "2", at: 2 },
    ],
  ]);
});

test("a full batch does not wait, and the next one waits until it is taken", () => {
  add(2 * BATCH + 1);
  assert.deepEqual(sizes(), [BATCH]);
  frames.taken();
  assert.deepEqual(sizes(), [BATCH, BATCH]);
  pass(APART_MS);
  assert.deepEqual(sizes(), [BATCH, BATCH]);
  frames.taken();
  assert.deepEqual(sizes(), [BATCH, BATCH, 1]);
});

test("a batch that is taken soon is followed by no smaller one", () => {
  add(BATCH);
  add(1, BATCH);
  frames.taken();
  assert.deepEqual(sizes(), [BATCH]);
  pass(APART_MS);
  assert.deepEqual(sizes(), [BATCH, 1]);
});

test("no more waits than may, and what waits comes before the end", () => {
  const data = "x".repeat(MOST_WAITING / 4);
  const added = Array.from({ length: 6 }, (_, at) => frames.add({ data, at }));
  assert.deepEqual(added, [true, true, true, true, false, false]);
  frames.end();
  assert.deepEqual(
    batches.flat().map(({ at }) => at),
    [0, 1, 2, 3, 4, 5],
  );
  pass(APART_MS);
  assert.deepEqual(sizes(), [6]);
});

test("whatever the pace of both sides, each frame comes once and in order, and one batch at most is not yet taken", () => {
  const step = fc.oneof(
    fc.record({ add: fc.integer({ min: 1, max: 2 * BATCH }) }),
    fc.record({ tick: fc.integer({ min: 1, max: 2 * APART_MS }) }),
    fc.constant("take" as const),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      batches = [];
      frames = new Frames((batch) => batches.push(batch));
      let added = 0;
      let taken = 0;
      for (const one of steps) {
        if (one === "take") {
          if (taken < batches.length) {
            taken += 1;
            frames.taken();
          }
        } else if ("tick" in one) pass(one.tick);
        else {
          add(one.add, added);
          added += one.add;
        }
        assert.ok(batches.length - taken <= 1);
      }
      frames.end();
      pass(APART_MS);
      const came = batches.flat().map(({ at }) => at);
      assert.deepEqual(came, [...Array(added).keys()]);
      assert.ok(batches.every((batch) => batch.length <= BATCH));
    }),
  );
});
