/** How panels follow the store. */

import { createContext } from "preact";
import { useContext, useEffect, useState } from "preact/hooks";
import type { Store } from "../store/store.ts";
import { type Format, formatOf } from "./format.ts";
import { useSettings } from "./settings.ts";

/** For panels that draw whenever the page is drawn (pace.ts). */
export const EACH_DRAWING = 0;
/** Panels that draw no more often than this take turns: no drawing has the work of all of them. */
const SELDOM_MS = 500;
/** Turns of one drawing: enough that each panel has its own when the page is drawn ten times a second. */
const TURNS = 2;
/** Without news so long, what is told by ages and silences is drawn all the same, and so often. */
const QUIET_MS = 1_000;
/** How often is looked whether there is no news. */
const LOOK_MS = 100;

export const StoreContext = createContext<Store | undefined>(undefined);

/** The store, without following it. */
export function useStore(): Store {
  const store = useContext(StoreContext);
  if (store === undefined) throw new Error("a panel stands outside of the page: expected a store around it");
  return store;
}

/** The store; draws again as `follow` calls back. */
export function useLive(every: number): Store {
  const store = useStore();
  const [, draw] = useState({});
  useEffect(() => follow(store, every, () => draw({})), [store, every]);
  return store;
}

export function useFormat(): Format {
  const { language, zone } = useSettings();
  return formatOf(language, zone);
}

/** Calls back when the page is drawn with news, at most every `every` milliseconds, and once a second without. */
export function follow(store: Store, every: number, callback: () => void): () => void {
  let all = followers.get(store);
  if (all === undefined) {
    all = new Followers(store);
    followers.set(store, all);
  }
  // Due from the start: what is there already is drawn next.
  return all.add({ every, last: performance.now() - every - QUIET_MS, callback });
}

interface Follower {
  readonly every: number;
  /** When it was called last. */
  last: number;
  readonly callback: () => void;
}

/** Those who follow a store: what they do in one drawing makes one frame. */
class Followers {
  readonly #all = new Set<Follower>();
  readonly #store: Store;
  #newsAt = performance.now();
  #end: (() => void) | undefined;

  constructor(store: Store) {
    this.#store = store;
  }

  add(follower: Follower): () => void {
    this.#all.add(follower);
    this.#end ??= this.#begin();
    return () => {
      this.#all.delete(follower);
      if (this.#all.size > 0) return;
      this.#end?.();
      this.#end = undefined;
    };
  }

  #begin(): () => void {
    const end = this.#store.pulse.listen(() => {
      this.#newsAt = performance.now();
      this.#call(0);
    });
    const timer = setInterval(() => {
      if (performance.now() - this.#newsAt >= QUIET_MS) this.#call(QUIET_MS);
    }, LOOK_MS);
    return () => {
      end();
      clearInterval(timer);
    };
  }

  /** Calls those whose last call is long enough ago, of those that draw seldom the ones that have waited longest. */
  #call(least: number): void {
    const now = performance.now();
    const waits = ({ last, every }: Follower): number => now - last - Math.max(every, least);
    const due = [...this.#all].filter((one) => waits(one) >= 0).sort((one, other) => waits(other) - waits(one));
    let turns = TURNS;
    for (const one of due) {
      if (one.every >= SELDOM_MS && turns-- <= 0) continue;
      one.last = now;
      one.callback();
    }
  }
}

const followers = new WeakMap<Store, Followers>();
