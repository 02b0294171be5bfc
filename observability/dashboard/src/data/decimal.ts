/**
 * Decimal numbers without binary rounding: prices and sizes are compared and added as the exchange sent them.
 *
 * Numbers that are absurdly long or large are refused, so that one bad message cannot cost the page its memory.
 */

/** `units` / 10^`scale`. */
export interface Decimal {
  readonly units: bigint;
  readonly scale: number;
}

export const ZERO: Decimal = { units: 0n, scale: 0 };

const SHAPE = /^([+-]?)(\d{1,40})(?:\.(\d{0,40}))?(?:[eE]([+-]?\d{1,4}))?$/;
/** Largest power of ten either way. */
const MOST = 40;

export function parseDecimal(text: string): Decimal | undefined {
  const parts = SHAPE.exec(text);
  if (parts === null) return undefined;
  const [, sign, whole = "", fraction = "", power = "0"] = parts;
  const exponent = Number(power);
  if (Math.abs(exponent) > MOST) return undefined;
  const digits = BigInt(whole + fraction);
  const units = sign === "-" ? -digits : digits;
  const scale = fraction.length - exponent;
  return scale >= 0 ? { units, scale } : { units: units * ten(-scale), scale: 0 };
}

/** Below, at or above zero, as `a` is less than, equal to or more than `b`. */
export function compareDecimals(a: Decimal, b: Decimal): number {
  const scale = Math.max(a.scale, b.scale);
  const [left, right] = [scaled(a, scale), scaled(b, scale)];
  return left < right ? -1 : left > right ? 1 : 0;
}

export function addDecimals(a: Decimal, b: Decimal): Decimal {
  const scale = Math.max(a.scale, b.scale);
  return { units: scaled(a, scale) + scaled(b, scale), scale };
}

/** All digits, and as many after the point as `scale` says. */
export function decimalText({ units, scale }: Decimal): string {
  const sign = units < 0n ? "-" : "";
  const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, "0");
  if (scale === 0) return sign + digits;
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** The nearest number: for pixels, never for text. */
export function decimalNumber(decimal: Decimal): number {
  return Number(decimalText(decimal));
}

function scaled({ units, scale }: Decimal, to: number): bigint {
  return scale === to ? units : units * ten(to - scale);
}

const powers: bigint[] = [];

function ten(power: number): bigint {
  powers[power] ??= 10n ** BigInt(power);
  return powers[power];
}
