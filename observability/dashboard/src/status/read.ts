/**
 * Reads what another program wrote, field by field.
 *
 * Nothing here throws. A field that is missing is `undefined`; one of another type is `undefined` too, and its place is
 * noted, so that the page can say what it could not read.
 */

/** Places that are remembered of one document. */
const MOST_NOTED = 20;
/** Items of one list that are read. */
const MOST_ITEMS = 1_000;
/** Characters of one text that are kept. */
const MOST_CHARACTERS = 500;

/** Where a document is not what was expected. */
export class Notes {
  readonly places: string[] = [];
  /** All of them, also those whose place is not kept. */
  count = 0;

  add(place: string): void {
    this.count += 1;
    if (this.places.length < MOST_NOTED) this.places.push(place);
  }
}

type Json = Readonly<Record<string, unknown>>;

/** The fields of one object of a document. */
export class Fields {
  readonly #json: Json;
  readonly #notes: Notes;
  readonly #place: string;

  private constructor(json: Json, notes: Notes, place: string) {
    this.#json = json;
    this.#notes = notes;
    this.#place = place;
  }

  /** The fields of `value`; noted and nothing when it is no object. */
  static of(value: unknown, notes: Notes, place = ""): Fields | undefined {
    if (isObject(value)) return new Fields(value, notes, place);
    notes.add(place === "" ? "/" : place);
    return undefined;
  }

  /** A finite number. */
  number(key: string): number | undefined {
    return this.#read(key, (value) => (typeof value === "number" && Number.isFinite(value) ? value : undefined));
  }

  /** A number that is not below zero. */
  count(key: string): number | undefined {
    return this.#read(key, (value) =>
      typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : undefined,
    );
  }

  text(key: string): string | undefined {
    return this.#read(key, (value) => (typeof value === "string" ? value.slice(0, MOST_CHARACTERS) : undefined));
  }

  flag(key: string): boolean | undefined {
    return this.#read(key, (value) => (typeof value === "boolean" ? value : undefined));
  }

  object(key: string): Fields | undefined {
    const value = this.#read(key, (value) => (isObject(value) ? value : undefined));
    return value === undefined ? undefined : new Fields(value, this.#notes, `${this.#place}/${key}`);
  }

  has(key: string): boolean {
    return this.#json[key] !== undefined && this.#json[key] !== null;
  }

  /** Numbers by name; empty when missing. */
  counts(key: string): ReadonlyMap<string, number> {
    const object = this.object(key);
    const counts = new Map<string, number>();
    if (object === undefined) return counts;
    for (const name of Object.keys(object.#json).slice(0, MOST_ITEMS)) {
      const count = object.count(name);
      if (count !== undefined) counts.set(name, count);
    }
    return counts;
  }

  /** What `read` makes of each item that is an object; empty when missing. What it makes nothing of is noted. */
  list<T>(key: string, read: (item: Fields) => T | undefined): T[] {
    return this.#items(key).flatMap((item, index) => {
      const place = `${this.#place}/${key}/${index}`;
      const fields = Fields.of(item, this.#notes, place);
      const made = fields === undefined ? undefined : read(fields);
      if (fields !== undefined && made === undefined) this.#notes.add(place);
      return made === undefined ? [] : [made];
    });
  }

  /** The items that are finite numbers. */
  numbers(key: string): number[] {
    return this.#plain(key, (item): item is number => typeof item === "number" && Number.isFinite(item));
  }

  /** The items that are texts. */
  texts(key: string): string[] {
    return this.#plain(key, (item): item is string => typeof item === "string").map((text) =>
      text.slice(0, MOST_CHARACTERS),
    );
  }

  #plain<T>(key: string, passes: (item: unknown) => item is T): T[] {
    return this.#items(key).filter((item, index): item is T => {
      if (passes(item)) return true;
      this.#notes.add(`${this.#place}/${key}/${index}`);
      return false;
    });
  }

  #items(key: string): unknown[] {
    const items = this.#read(key, (value) => (Array.isArray(value) ? (value as unknown[]) : undefined)) ?? [];
    return items.slice(0, MOST_ITEMS);
  }

  #read<T>(key: string, read: (value: unknown) => T | undefined): T | undefined {
    const value = this.#json[key];
    if (value === undefined || value === null) return undefined;
    const made = read(value);
    if (made === undefined) this.#notes.add(`${this.#place}/${key}`);
    return made;
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
