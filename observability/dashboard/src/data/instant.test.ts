import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fromNanos, parseInstant } from "./instant.ts";

test("microseconds are kept", () => {
  assert.equal(parseInstant("2024-09-10T00:16:17.174003Z"), 1725927377174003);
  assert.equal(parseInstant("2024-09-10T09:16:17.174003+09:00"), 1725927377174003);
  assert.equal(parseInstant("2024-09-10T00:16:17Z"), 1725927377000000);
});

test("impossible times are none", () => {
  const texts = [
    "",
    "yesterday",
    "2024-13-10T00:00:00Z",
    "2024-01-01T25:00:00Z",
    "1970-01-01T00:00:00Z",
    "9999-01-01T00:00:00Z",
  ];
  for (const text of [...texts, "2024-01-01T00:00:00", "2024-01-01"]) assert.equal(parseInstant(text), undefined, text);
});

test("every time of this century is read as it is written", () => {
  const time = fc.date({ min: new Date("2000-01-01"), max: new Date("2099-12-31"), noInvalidDate: true });
  fc.assert(fc.property(time, (date) => assert.equal(parseInstant(date.toISOString()), date.getTime() * 1000)));
});

test("nanoseconds become milliseconds, and what cannot be a time none", () => {
  assert.equal(fromNanos(1700000000123456000), 1700000000123.456);
  for (const value of [0, -1, Number.POSITIVE_INFINITY, Number.NaN, "1700000000123456000", null, undefined]) {
    assert.equal(fromNanos(value), undefined);
  }
});
