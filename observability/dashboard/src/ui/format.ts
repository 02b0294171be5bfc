/** Numbers and times as a person of this language reads them. Prices keep every digit that the exchange sent. */

import type { Language, Zone } from "./settings.ts";

const LOCALES: Record<Language, string> = { en: "en-GB", ko: "ko-KR" };

/** Units of time, with the space before them where the language has one. */
const UNITS: Record<Language, readonly [string, string, string, string, string]> = {
  en: [" ms", " s", " min", " h", " d"],
  ko: ["ms", "초", "분", "시간", "일"],
};

export class Format {
  readonly #whole: Intl.NumberFormat;
  readonly #one: Intl.NumberFormat;
  readonly #two: Intl.NumberFormat;
  readonly #time: Intl.DateTimeFormat;
  readonly #minute: Intl.DateTimeFormat;
  readonly #date: Intl.DateTimeFormat;
  readonly #group: string;
  readonly #point: string;
  readonly #units: (typeof UNITS)[Language];

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
    this.#units = UNITS[locale.startsWith("ko") ? "ko" : "en"];
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
    const [milli, second, minute, hour, day] = this.#units;
    if (size < 10) return this.#two.format(ms) + milli;
    if (size < 1000) return this.#whole.format(ms) + milli;
    if (size < 60_000) return this.#one.format(ms / 1000) + second;
    if (size < 3_600_000) return this.#one.format(ms / 60_000) + minute;
    if (size < 86_400_000) return this.#one.format(ms / 3_600_000) + hour;
    return this.#one.format(ms / 86_400_000) + day;
  }

  /** Whole seconds, while there are less than a minute: what stands in a sentence should not flicker. */
  calm(ms: number): string {
    return ms < 60_000 ? this.#whole.format(Math.floor(ms / 1000)) + this.#units[1] : this.duration(ms);
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
