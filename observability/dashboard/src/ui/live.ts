/** How panels follow the store. */

import { createContext } from "preact";
import { useContext, useEffect, useState } from "preact/hooks";
import type { Store } from "../store/store.ts";
import { type Format, formatOf } from "./format.ts";
import { useSettings } from "./settings.ts";

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
  const beat = (): void => {
    const passed = performance.now() - last;
    // Ages and silences go on without news.
    if (passed < every || (!hasNews && passed < 1000)) return;
    last += passed;
    hasNews = false;
    callback();
  };
  const end = store.pulse.listen(() => {
    hasNews = true;
    beat();
  });
  const timer = setInterval(beat, Math.max(every, 100));
  return () => {
    end();
    clearInterval(timer);
  };
}
