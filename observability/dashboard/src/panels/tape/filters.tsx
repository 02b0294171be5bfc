/** What narrows the tape down. */

import { useState } from "preact/hooks";
import { parseDecimal } from "../../data/decimal.ts";
import { useStore } from "../../ui/live.ts";
import { useWords } from "../../ui/words.ts";
import type { Filter } from "./view.ts";
import { WORDS } from "./words.ts";

interface Typed {
  symbol: string;
  side: Filter["side"];
  size: string;
  partition: string;
}

export function Filters({ onChange }: { onChange: (filter: Filter) => void }) {
  const w = useWords(WORDS);
  const store = useStore();
  const [typed, setTyped] = useState<Typed>({ symbol: "", side: "", size: "", partition: "" });
  const change = (part: Partial<Typed>): void => {
    const next = { ...typed, ...part };
    setTyped(next);
    onChange({
      symbol: next.symbol.trim(),
      side: next.side,
      size: parseDecimal(next.size.trim()),
      partition: next.partition === "" ? undefined : Number(next.partition),
    });
  };
  const isBadSize = typed.size.trim() !== "" && parseDecimal(typed.size.trim()) === undefined;
  return (
    <fieldset class="tape-filters">
      <legend class="visually-hidden">{w.filters}</legend>
      <input
        type="search"
        aria-label={w.symbol}
        placeholder={w.symbol}
        value={typed.symbol}
        onInput={(event) => change({ symbol: event.currentTarget.value })}
      />
      <select
        aria-label={w.side}
        value={typed.side}
        onChange={(event) => change({ side: event.currentTarget.value as Filter["side"] })}
      >
        <option value="">{w.anySide}</option>
        <option value="buy">▲ {w.buy}</option>
        <option value="sell">▼ {w.sell}</option>
      </select>
      <input
        inputMode="decimal"
        aria-label={w.minimum}
        aria-invalid={isBadSize}
        title={isBadSize ? w.badMinimum : w.minimum}
        placeholder={`${w.size} ≥`}
        value={typed.size}
        onInput={(event) => change({ size: event.currentTarget.value })}
      />
      <select
        aria-label={w.partition}
        value={typed.partition}
        onChange={(event) => change({ partition: event.currentTarget.value })}
      >
        <option value="">{w.anyPartition}</option>
        {store.partitions().map((partition) => (
          <option key={partition} value={String(partition)}>
            {w.partitionOf(String(partition))}
          </option>
        ))}
      </select>
    </fieldset>
  );
}
