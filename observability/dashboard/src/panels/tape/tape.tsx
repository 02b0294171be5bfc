/** The latest trades, newest first: only the rows in sight are in the document. */

import { useMemo, useRef, useState } from "preact/hooks";
import type { Trade } from "../../store/trade.ts";
import { EACH_DRAWING, useFormat, useLive } from "../../ui/live.ts";
import { Panel } from "../../ui/panel.tsx";
import { useWords } from "../../ui/words.ts";
import { TradeDetail } from "../detail/detail.tsx";
import { Filters } from "./filters.tsx";
import { Row } from "./row.tsx";
import { EVERYTHING, type Filter, TapeView } from "./view.ts";
import { WORDS } from "./words.ts";
import "./tape.css";

/** As in the style sheet. */
const ROW_PX = 26;
/** Rows beyond the edges, so that a fast scroll does not show holes. */
const MORE_ROWS = 4;

export function TapePanel() {
  const w = useWords(WORDS);
  const format = useFormat();
  const store = useLive(EACH_DRAWING);
  const [filter, setFilter] = useState<Filter>(EVERYTHING);
  const [isPaused, setPaused] = useState(false);
  const [isWalked, setWalked] = useState(false);
  const [top, setTop] = useState(0);
  const [chosen, setChosen] = useState<Trade>();
  const scroller = useRef<HTMLDivElement>(null);
  const pause = useRef<HTMLButtonElement>(null);
  const view = useMemo(() => new TapeView(store.trades, filter), [store, filter]);
  // Who scrolled down, or walks through the rows by the keyboard, reads: the rows under the eyes stay where they are.
  const isHeld = isPaused || isWalked || top > 0 || chosen !== undefined;
  if (!isHeld) view.follow();

  const resume = (): void => {
    setPaused(false);
    setWalked(false);
    setTop(0);
    scroller.current?.scrollTo({ top: 0 });
  };
  return (
    <Panel
      id="tape"
      title={w.title}
      half
      tools={
        <button ref={pause} type="button" aria-pressed={isHeld} onClick={() => (isHeld ? resume() : setPaused(true))}>
          {isHeld ? `${w.paused} · ${w.newer(format.whole(view.newer))}` : w.pause}
        </button>
      }
    >
      <Filters onChange={setFilter} />
      <Rows
        view={view}
        top={top}
        scroller={scroller}
        onScroll={setTop}
        onChoose={setChosen}
        onEnter={() => setWalked(true)}
        onLeave={(to) => {
          // The button itself decides whether the tape goes on.
          if (to !== pause.current) setWalked(false);
        }}
      />
      {chosen !== undefined && <TradeDetail trade={chosen} onClose={() => setChosen(undefined)} />}
    </Panel>
  );
}

interface RowsProps {
  view: TapeView;
  top: number;
  scroller: { current: HTMLDivElement | null };
  onScroll: (top: number) => void;
  onChoose: (trade: Trade) => void;
  /** A row was reached by the keyboard; the rows were left. */
  onEnter: () => void;
  onLeave: (to: EventTarget | null) => void;
}

function Rows({ view, top, scroller, onScroll, onChoose, onEnter, onLeave }: RowsProps) {
  const w = useWords(WORDS);
  const [active, setActive] = useState(0);
  const inSight = Math.ceil((scroller.current?.clientHeight ?? 480) / ROW_PX);
  const first = Math.max(0, Math.floor(top / ROW_PX) - MORE_ROWS);
  const end = Math.min(view.length, first + inSight + 2 * MORE_ROWS);
  const indexes = range(first, end);
  // Tab always leads to a row: to the last one that was walked to, or the nearest one that is drawn.
  const reachable = Math.max(first, Math.min(end - 1, active));

  // Keys may come faster than the page is drawn: each goes on from where the one before leads.
  const goal = useRef(0);
  const move = (event: KeyboardEvent): void => {
    const to = destination(event.key, goal.current, view.length, inSight);
    if (to === undefined) return;
    event.preventDefault();
    goal.current = to;
    setActive(to);
    keepInSight(scroller.current, to);
    // The row may only come into the document by the scrolling.
    requestAnimationFrame(() => scroller.current?.querySelector<HTMLElement>(`[data-row="${goal.current}"]`)?.focus());
  };
  const enter = ({ target }: FocusEvent): void => {
    if (!(target instanceof HTMLElement) || !target.matches("[data-row]:focus-visible")) return;
    goal.current = Number(target.dataset["row"]);
    setActive(goal.current);
    onEnter();
  };
  return (
    <div class="tape" role="grid" aria-label={w.title} aria-rowcount={view.length + 1} aria-colcount={8}>
      <div class="tape-row tape-names" role="row" aria-rowindex={1}>
        {(["time", "symbol", "price", "size", "side", "partition", "consumer", "age"] as const).map((name) => (
          <span key={name} role="columnheader" class={`tape-${name}`} title={w[name]}>
            {name === "partition" ? w.partitionShort : w[name]}
          </span>
        ))}
      </div>
      <div
        class="tape-scroller"
        role="rowgroup"
        ref={scroller}
        onScroll={(event) => onScroll(event.currentTarget.scrollTop)}
        onKeyDown={move}
        onFocusIn={enter}
        onFocusOut={({ relatedTarget }) => {
          if (!(relatedTarget instanceof Node && scroller.current?.contains(relatedTarget))) onLeave(relatedTarget);
        }}
      >
        <div class="tape-space" role="presentation" style={{ height: `${view.length * ROW_PX}px` }}>
          {indexes.map((index) => (
            <Row
              key={view.at(index)?.sequence}
              index={index}
              offset={index * ROW_PX}
              trade={view.at(index)}
              isActive={index === reachable}
              onChoose={onChoose}
            />
          ))}
        </div>
      </div>
      {view.length === 0 && <p class="tape-empty muted">{view.source.length === 0 ? w.empty : w.nothing}</p>}
    </div>
  );
}

function destination(key: string, from: number, rows: number, page: number): number | undefined {
  const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page };
  const to = key === "Home" ? 0 : key === "End" ? rows - 1 : from + (steps[key] ?? Number.NaN);
  return Number.isNaN(to) ? undefined : Math.max(0, Math.min(rows - 1, to));
}

function keepInSight(scroller: HTMLDivElement | null, row: number): void {
  if (scroller === null) return;
  const [above, below] = [row * ROW_PX, (row + 1) * ROW_PX - scroller.clientHeight];
  if (scroller.scrollTop > above) scroller.scrollTop = above;
  else if (scroller.scrollTop < below) scroller.scrollTop = below;
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, index) => from + index);
}
