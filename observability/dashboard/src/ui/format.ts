/** Numbers and times as a person of this language reads them. Prices keep every digit that the exchange sent. */

import type { Language, Zone } from "./settings.ts";

const LOCALES: Record<Language, string> = { en: "en-GB", ko: "ko-KR" };

export class Format {
  readonly #whole: Intl.NumberFormat;
  readonly #one: Intl.NumberFormat;
  readonly #two: Intl.NumberFormat;
  readonly #time: Intl.DateTimeFormat;
  readonly #minute: Intl.DateTimeFormat;
  readonly #date: Intl.DateTimeFormat;
  readonly #group: string;
  readonly #point: string;

  constructor(locale: string, timeZone: string | undefined) {
    this.#whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
    this.#one = new Intl.NumberFormat(locale, { maximumFractionDigits: 1, minimumFractionDigits: 1 });
    this.#two = new Intl.NumberFormat(locale, { maximumFractionDigits: 2 });
    const zone = timeZone === undefined ? {} : { timeZone };
    const clock = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", ...zone } as const;
    this.#time = new Intl.DateTimeFormat(locale, { ...clock, second: "2-digit" });
    this.#minute = new Intl.DateTimeFormat(locale, clock);
    this.#date = new Intl.DateTimeFormat(locale, {
      dateStyle: "medium",
      timeStyle: "medium",
      hourCycle: "h23",
      ...zone,
    });
    const parts = new Intl.NumberFormat(locale, { useGrouping: true }).formatToParts(1234567.8);
    this.#group = parts.find((part) => part.type === "group")?.value ?? "";
    this.#point = parts.find((part) => part.type === "decimal")?.value ?? ".";
  }

  /** A decimal text with the locale's separators and the digits that it has; what is no plain decimal stays as it is. */
  decimal(text: string): string {
    const parts = /^([+-]?)(\d+)(?:\.(\d*))?$/.exec(text);
    if (parts === null) return text;
    const [, sign = "", whole = "", fraction] = parts;
    const grouped = whole.replace(/\B(?=(\d{3})+(?!\d))/g, this.#group);
    return sign + grouped + (fraction === undefined || fraction === "" ? "" : this.#point + fraction);
  }

  whole(value: number): string {
    return this.#whole.format(value);
  }

  /** A rate: one digit behind the point while that says something. */
  rate(value: number): string {
    return value < 100 ? this.#one.format(value) : this.#whole.format(value);
  }

  /** Milliseconds; seconds, minutes, hours and days when there are many. */
  duration(ms: number): string {
    const size = Math.abs(ms);
    if (size < 10) return `${this.#two.format(ms)} ms`;
    if (size < 1000) return `${this.#whole.format(ms)} ms`;
    if (size < 60_000) return `${this.#one.format(ms / 1000)} s`;
    if (size < 3_600_000) return `${this.#one.format(ms / 60_000)} min`;
    if (size < 86_400_000) return `${this.#one.format(ms / 3_600_000)} h`;
    return `${this.#one.format(ms / 86_400_000)} d`;
  }

  /** Bytes in the units of a storage vendor's opposite: KiB, MiB, GiB. */
  bytes(value: number): string {
    const units = ["B", "KiB", "MiB", "GiB", "TiB"];
    const power = value < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(value) / 10));
    return `${this.#two.format(value / 1024 ** power)} ${units[power]}`;
  }

  /** 14:03:27 */
  time(ms: number): string {
    return this.#time.format(ms);
  }

  /** 14:03:27.512 */
  millis(ms: number): string {
    return `${this.#time.format(ms)}.${millisOf(ms)}`;
  }

  /** 14:03 */
  minute(ms: number): string {
    return this.#minute.format(ms);
  }

  date(ms: number): string {
    return this.#date.format(ms);
  }
}

/** The three digits behind the second. */
export function millisOf(ms: number): string {
  return String(Math.floor(ms) % 1000).padStart(3, "0");
}

const made = new Map<string, Format>();

export function formatOf(language: Language, zone: Zone): Format {
  const name = `${language}/${zone}`;
  let format = made.get(name);
  if (format === undefined) {
    format = new Format(LOCALES[language], zone === "utc" ? "UTC" : undefined);
    made.set(name, format);
  }
  return format;
}
