import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readCopy } from "./document.ts";
import { Fields, Notes } from "./read.ts";

test("a field of another type is undefined, and its place is noted", () => {
  const notes = new Notes();
  const fields = Fields.of({ lag: "7", name: "a", ready: 1, list: [{ a: 1 }, 3] }, notes);
  assert.equal(fields?.count("lag"), undefined);
  assert.equal(fields?.text("name"), "a");
  assert.equal(fields?.flag("ready"), undefined);
  assert.deepEqual(
    fields?.list("list", (item) => item.count("a")),
    [1],
  );
  assert.deepEqual(notes.places, ["/lag", "/ready", "/list/1"]);
});

test("a missing field and null are undefined and no mistake", () => {
  const notes = new Notes();
  const fields = Fields.of({ high: null }, notes);
  assert.equal(fields?.count("high"), undefined);
  assert.equal(fields?.count("low"), undefined);
  assert.equal(notes.count, 0);
});

test("numbers that cannot be are not read", () => {
  const notes = new Notes();
  const fields = Fields.of({ endless: Number.POSITIVE_INFINITY, below: -1, none: Number.NaN }, notes);
  assert.deepEqual(
    [fields?.number("endless"), fields?.count("below"), fields?.number("none")],
    [undefined, undefined, undefined],
  );
  assert.equal(fields?.number("below"), -1);
});

test("any JSON is read without an exception, and a document only of what looks like one", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const copy = readCopy(value, new Notes());
      assert.ok(copy === undefined || (typeof copy.flow === "string" && Array.isArray(copy.stages)));
    }),
  );
});

test("a document whose parts are of any type is read without an exception", () => {
  const stage = fc.record({
    name: fc.string(),
    kind: fc.constantFrom("kafka-group-source", "kafka-sink", "ws-broadcast", "websocket-source", "http-post"),
    inputs: fc.jsonValue(),
    filtered: fc.jsonValue(),
    document: fc.jsonValue() as fc.Arbitrary<unknown>,
  });
  fc.assert(
    fc.property(fc.array(stage), fc.jsonValue(), (stages, reasons) => {
      const copy = readCopy({ flow: "f", stages, reasons }, new Notes());
      assert.equal(copy?.stages.length, stages.length);
    }),
  );
});
