/** Chooses a market: a list while it can be overlooked, a search when there are very many. */

import { useState } from "preact/hooks";
import { useStore } from "../../ui/live.ts";
import { useWords } from "../../ui/words.ts";
import { WORDS } from "./words.ts";

/** More than that nobody reads through. */
const MOST_LISTED = 60;

interface SymbolPickerProps {
  value: string;
  onChoose: (symbol: string) => void;
}

export function SymbolPicker({ value, onChoose }: SymbolPickerProps) {
  const { markets } = useStore();
  if (markets.size < 2) return <strong>{value}</strong>;
  return markets.size <= MOST_LISTED ? (
    <Listed value={value} onChoose={onChoose} />
  ) : (
    <Searched value={value} onChoose={onChoose} />
  );
}

function Listed({ value, onChoose }: SymbolPickerProps) {
  const w = useWords(WORDS);
  const { markets } = useStore();
  return (
    <select aria-label={w.symbol} value={value} onChange={(event) => onChoose(event.currentTarget.value)}>
      {markets.symbols().map((symbol) => (
        <option key={symbol} value={symbol}>
          {symbol}
        </option>
      ))}
    </select>
  );
}

function Searched({ value, onChoose }: SymbolPickerProps) {
  const w = useWords(WORDS);
  const { markets } = useStore();
  const [typed, setTyped] = useState<string>();
  const search = (typed ?? "").toLowerCase();
  const found = markets
    .symbols()
    .filter((symbol) => symbol.toLowerCase().includes(search))
    .slice(0, MOST_LISTED);
  return (
    <>
      <input
        type="search"
        list="chart-symbols"
        aria-label={w.symbol}
        value={typed ?? value}
        onFocus={() => setTyped("")}
        onBlur={() => setTyped(undefined)}
        onInput={(event) => {
          const text = event.currentTarget.value;
          setTyped(text);
          if (markets.get(text) !== undefined) onChoose(text);
        }}
      />
      <datalist id="chart-symbols">
        {found.map((symbol) => (
          <option key={symbol} value={symbol} />
        ))}
      </datalist>
    </>
  );
}
