/** How panels follow the store. */

import { createContext } from "preact";
import { useContext, useEffect, useState } from "preact/hooks";
import type { Store } from "../store/store.ts";
import { type Format, formatOf } from "./format.ts";
import { useSettings } from "./settings.ts";

/** For panels that draw whenever the page is drawn (pace.ts). */
export const EACH_DRAWING = 0;
/** Panels that draw no more often than this take turns, this far apart: no frame has the work of all of them. */
const SELDOM_MS = 500;
const APART_MS = 16;
/** How often is looked whether something is due while there is no news. */
const QUIET_BEAT_MS = 100;
let turnAt = 0;

export const StoreContext = createContext<Store | undefined>(undefined);

/** The store, without following it. */
export function useStore(): Store {
  const store = useContext(StoreContext);
  if (store === undefined) throw new Error("a panel stands outside of the page: expected a store around it");
  return store;
}

/** The store; draws again when there is news, at most every `every` milliseconds, and once a second in any case. */
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

/** Calls back when there is news, at most every `every` milliseconds, and once a second in any case. */
export function follow(store: Store, every: number, callback: () => void): () => void {
  let last = performance.now();
  let hasNews = false;
  let turn: ReturnType<typeof setTimeout> | undefined;
  const beat = (): void => {
    const now = performance.now();
    const passed = now - last;
    // Ages and silences go on without news.
    if (passed < every || (!hasNews && passed < 1000)) return;
    clearTimeout(turn);
    if (every >= SELDOM_MS) {
      if (now - turnAt < APART_MS) {
        turn = setTimeout(beat, APART_MS);
        return;
      }
      turnAt = now;
    }
    last = now;
    hasNews = false;
    callback();
  };
  const end = store.pulse.listen(() => {
    hasNews = true;
    beat();
  });
  const timer = setInterval(beat, QUIET_BEAT_MS);
  return () => {
    end();
    clearInterval(timer);
    clearTimeout(turn);
  };
}
