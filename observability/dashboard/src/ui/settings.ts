/** What a person chose, kept in the browser. */

import { useEffect, useState } from "preact/hooks";

export type Language = "en" | "ko";
export type Theme = "system" | "light" | "dark";
/** Rise and fall: red and blue as in Korea, or green and red. */
export type Colours = "korea" | "west";
export type Zone = "local" | "utc";

export interface Settings {
  readonly language: Language;
  readonly theme: Theme;
  readonly colours: Colours;
  readonly zone: Zone;
}

const CHOICES: { readonly [K in keyof Settings]: readonly Settings[K][] } = {
  language: ["en", "ko"],
  theme: ["system", "light", "dark"],
  colours: ["korea", "west"],
  zone: ["local", "utc"],
};

const KEY = "pipeline-dashboard";

let current = read();
const listeners = new Set<() => void>();

export function settings(): Settings {
  return current;
}

export function choose(change: Partial<Settings>): void {
  current = { ...current, ...change };
  try {
    localStorage.setItem(KEY, JSON.stringify(current));
  } catch {
    // A browser that keeps nothing still shows what was chosen.
  }
  apply();
  for (const listener of [...listeners]) listener();
}

export function useSettings(): Settings {
  const [, draw] = useState({});
  useEffect(() => {
    const listener = (): void => draw({});
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }, []);
  return current;
}

/** Lets the style sheet know. */
export function apply(): void {
  const root = globalThis.document?.documentElement;
  if (root === undefined) return;
  root.lang = current.language;
  root.dataset["theme"] = current.theme;
  root.dataset["colours"] = current.colours;
}

function read(): Settings {
  const kept = stored();
  const korean = (globalThis.navigator?.language ?? "en").toLowerCase().startsWith("ko");
  return {
    language: known("language", kept) ?? (korean ? "ko" : "en"),
    theme: known("theme", kept) ?? "system",
    colours: known("colours", kept) ?? (korean ? "korea" : "west"),
    zone: known("zone", kept) ?? "local",
  };
}

function stored(): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function known<K extends keyof Settings>(name: K, kept: Record<string, unknown>): Settings[K] | undefined {
  return CHOICES[name].find((choice) => choice === kept[name]);
}
