/** Instants as they come on the wire, in microseconds since 1970: whole numbers that JavaScript holds exactly. */

const SHAPE = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)$/;
const EARLIEST = Date.UTC(2000, 0, 1) * 1000;
const LATEST = Date.UTC(2100, 0, 1) * 1000;

/** Reads RFC 3339; nothing when it is another text or a time before 2000 or after 2099. */
export function parseInstant(text: string): number | undefined {
  const parts = SHAPE.exec(text);
  if (parts === null) return undefined;
  const [, day, time, fraction = "", zone = ""] = parts;
  const whole = Date.parse(`${day}T${time}${zone.toUpperCase()}`);
  if (Number.isNaN(whole)) return undefined;
  return plausible(whole * 1000 + Number(fraction.padEnd(6, "0").slice(0, 6)));
}

/** Milliseconds of a time in nanoseconds; nothing when there is none or it cannot be. */
export function fromNanos(nanos: unknown): number | undefined {
  if (typeof nanos !== "number") return undefined;
  const micros = plausible(nanos / 1000);
  return micros === undefined ? undefined : micros / 1000;
}

function plausible(micros: number): number | undefined {
  return micros >= EARLIEST && micros < LATEST ? micros : undefined;
}
