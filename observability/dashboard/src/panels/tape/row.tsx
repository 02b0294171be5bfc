/** One trade of the tape. */

import { ownerOf } from "../../status/owners.ts";
import type { Side, Trade } from "../../store/trade.ts";
import { millisOf } from "../../ui/format.ts";
import { useFormat, useStore } from "../../ui/live.ts";
import { useWords } from "../../ui/words.ts";
import { WORDS } from "./words.ts";

interface RowProps {
  index: number;
  /** From the top of the list, in pixels. */
  offset: number;
  trade: Trade | undefined;
  /** The one that Tab leads to. */
  isActive: boolean;
  onChoose: (trade: Trade) => void;
}

export function Row({ index, offset, trade, isActive, onChoose }: RowProps) {
  const w = useWords(WORDS);
  const format = useFormat();
  const store = useStore();
  if (trade === undefined) return null;
  const { position, hops } = trade;
  const owner = position && ownerOf(store, position.topic, position.partition);
  return (
    <div
      class="tape-row"
      role="row"
      aria-rowindex={index + 2}
      data-row={index}
      data-position={position && `${position.partition}:${position.offset}`}
      tabIndex={isActive ? 0 : -1}
      style={{ transform: `translateY(${offset}px)` }}
      onClick={() => onChoose(trade)}
      onKeyDown={(event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        onChoose(trade);
      }}
    >
      <Cell name="time">
        {format.time(hops.traded)}
        <span class="tape-millis">.{millisOf(hops.traded)}</span>
      </Cell>
      <Cell name="symbol">{trade.symbol}</Cell>
      <Cell name="price">{format.decimal(trade.price)}</Cell>
      <Cell name="size">{format.decimal(trade.size)}</Cell>
      <Cell name="side">
        <SideMark side={trade.side} words={{ buy: w.buy, sell: w.sell, none: w.unknownSide }} />
      </Cell>
      <Cell name="partition">{position === undefined ? "–" : String(position.partition)}</Cell>
      <Cell name="consumer">{owner ?? trade.server}</Cell>
      <Cell name="age">{format.duration(Math.round(store.now() - hops.traded))}</Cell>
    </div>
  );
}

function Cell({ name, children }: { name: string; children: preact.ComponentChildren }) {
  return (
    <span role="gridcell" class={`tape-${name}`} tabIndex={-1}>
      {children}
    </span>
  );
}

interface SideMarkProps {
  side: Side | undefined;
  words: { buy: string; sell: string; none: string };
}

/** Buy or sell: by colour, sign and word. */
export function SideMark({ side, words }: SideMarkProps) {
  if (side === undefined) return <span class="muted">{words.none}</span>;
  const [sign, colour] = side === "buy" ? ["▲", "rise"] : ["▼", "fall"];
  return (
    <span class={colour}>
      {sign} <span class="side-word">{words[side]}</span>
    </span>
  );
}
