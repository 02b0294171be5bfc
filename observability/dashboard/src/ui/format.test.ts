import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decimalText } from "../data/decimal.ts";
import { Format } from "./format.ts";

const english = new Format("en-GB", "UTC");

test("prices get separators and keep every digit", () => {
  const expected = {
    "78123000.0": "78,123,000.0",
    "0.00012800": "0.00012800",
    "-1234.5": "-1,234.5",
    "999": "999",
    "6E-8": "6E-8",
  };
  for (const [text, shown] of Object.entries(expected)) assert.equal(english.decimal(text), shown);
});

test("without its separators a number is what was sent, in every locale", () => {
  const text = fc
    .tuple(fc.bigInt({ min: 0n, max: 10n ** 24n }), fc.nat(10))
    .map(([units, scale]) => decimalText({ units, scale }));
  for (const locale of ["en-GB", "ko-KR", "de-DE", "fr-FR"]) {
    const format = new Format(locale, "UTC");
    fc.assert(
      fc.property(text, (sent) => {
        assert.equal(format.decimal(sent).replace(/[^\d]/g, ""), sent.replace(".", ""));
      }),
    );
  }
  assert.equal(new Format("de-DE", "UTC").decimal("1234567.80"), "1.234.567,80");
});

test("text that is no number is shown as it is: never as markup, never changed", () => {
  for (const text of ["<b>1</b>", "", "1e400", "NaN"]) assert.equal(english.decimal(text), text);
});

test("times are in the zone that was chosen", () => {
  const at = Date.UTC(2026, 10, 23, 9, 33, 9, 275);
  assert.equal(english.millis(at), "09:33:09.275");
  assert.equal(new Format("ko-KR", "Asia/Seoul").millis(at), "18:33:09.275");
  assert.equal(english.minute(at), "09:33");
});

test("durations have a unit that fits", () => {
  const expected: [number, string][] = [
    [0.0757, "0.08 ms"],
    [2.884, "2.88 ms"],
    [45.2, "45 ms"],
    [1300, "1.3 s"],
    [90_000, "1.5 min"],
    [-3_600_000, "-1.0 h"],
    [172_800_000, "2.0 d"],
  ];
  for (const [ms, shown] of expected) assert.equal(english.duration(ms), shown);
  const korean = new Format("ko-KR", "UTC");
  assert.deepEqual([korean.duration(45), korean.duration(1300), korean.calm(36_700)], ["45ms", "1.3초", "36초"]);
});

test("rates and sizes are short", () => {
  assert.deepEqual(
    [english.rate(49.96), english.rate(1234.5), english.bytes(0), english.bytes(64 * 1024 * 1024)],
    ["50.0", "1,235", "0 B", "64 MiB"],
  );
});
