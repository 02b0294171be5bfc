/**
 * Words of the page in its languages. Each panel keeps its own beside it:
 *
 *     export const WORDS = words({ title: "Tape", rows: (n: string) => `${n} rows` }, { title: "체결", rows: (n) => `${n}행` });
 *     const w = useWords(WORDS);
 */

import { type Language, useSettings } from "./settings.ts";

type Word = string | ((...values: never[]) => string);
type Table = Record<string, Word>;
type Same<T extends Table> = { readonly [K in keyof T]: T[K] extends string ? string : T[K] };

export type Words<T extends Table> = Readonly<Record<Language, Same<T>>>;

/** The same keys in English and Korean; the compiler finds what is missing. */
export function words<T extends Table>(en: T, ko: Same<T>): Words<T> {
  return { en: en as Same<T>, ko };
}

export function useWords<T extends Table>(table: Words<T>): Same<T> {
  return table[useSettings().language];
}
