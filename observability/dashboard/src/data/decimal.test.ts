import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { addDecimals, compareDecimals, decimalNumber, decimalText, parseDecimal } from "./decimal.ts";

const decimal = (text: string) => {
  const read = parseDecimal(text);
  assert.ok(read, text);
  return read;
};
const plain = fc
  .tuple(fc.bigInt({ min: -(10n ** 18n), max: 10n ** 18n }), fc.nat(12))
  .map(([units, scale]) => ({ units, scale }));

test("what exchanges send is read, and written back digit for digit", () => {
  for (const text of ["78123000.0", "0.00012800", "0", "-1.50", "123456789012345678901234567890.000000001"]) {
    assert.equal(decimalText(decimal(text)), text);
  }
});

test("a power of ten is taken along", () => {
  assert.equal(decimalText(decimal("6E-8")), "0.00000006");
  assert.equal(decimalText(decimal("1.5e3")), "1500");
});

test("what is no number, or absurd, is refused", () => {
  for (const text of ["", " 1", "1,5", "NaN", "Infinity", "0x10", "1e400", "1e-400", "1".repeat(41), "<b>1</b>"]) {
    assert.equal(parseDecimal(text), undefined, text);
  }
});

test("numbers that floats hold alike are told apart", () => {
  const [a, b] = [decimal("0.10000000000000000001"), decimal("0.1")];
  assert.equal(Number("0.10000000000000000001"), 0.1);
  assert.ok(compareDecimals(a, b) > 0);
  assert.equal(decimalText(addDecimals(a, b)), "0.20000000000000000001");
});

test("text and number are two ways to say the same", () => {
  fc.assert(
    fc.property(plain, (value) => {
      assert.equal(compareDecimals(decimal(decimalText(value)), value), 0);
    }),
  );
});

test("sums and order are those of exact arithmetic", () => {
  fc.assert(
    fc.property(plain, plain, (a, b) => {
      const sum = addDecimals(a, b);
      assert.equal(
        sum.units,
        a.units * 10n ** BigInt(sum.scale - a.scale) + b.units * 10n ** BigInt(sum.scale - b.scale),
      );
      assert.equal(Math.sign(compareDecimals(a, b)), -Math.sign(compareDecimals(b, a)) + 0);
      assert.ok(compareDecimals(sum, a) * Number(b.units > 0n ? 1 : b.units < 0n ? -1 : 0) >= 0);
    }),
  );
});

test("the number for pixels is the nearest one", () => {
  assert.equal(decimalNumber(decimal("78123000.5")), 78123000.5);
});
