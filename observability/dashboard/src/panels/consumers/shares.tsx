/** How the load is shared over the VMs, as bars over time: one bar a slot, one pattern a VM. */

import { SLOT_MS, type Slot } from "../../status/shares.ts";
import { useFormat } from "../../ui/live.ts";
import { useWords } from "../../ui/words.ts";
import { WORDS } from "./words.ts";

const WIDTH = 600;
const HEIGHT = 120;
/** Patterns that can be told apart without their colour. */
const PATTERNS = 6;

export function ShareBars({ vms, slots }: { vms: readonly string[]; slots: readonly Slot[] }) {
  const w = useWords(WORDS);
  const format = useFormat();
  const last = [...slots].reverse().find((slot) => slot.byVm.size > 0);
  const total = sumOf(last);
  const first = slots[0];
  const end = slots.at(-1);
  const now = vms.map((vm) => `${vm} ${share(last, vm, total)} %`).join(", ");
  return (
    <div class="panel-part shares">
      <h3>{w.shares}</h3>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${w.shares}: ${now || w.noLoad}`}
      >
        <Patterns />
        {slots.map((slot, index) => (
          <Bar
            key={slot.at}
            slot={slot}
            vms={vms}
            x={(index * WIDTH) / slots.length}
            width={WIDTH / slots.length - 1}
          />
        ))}
      </svg>
      <div class="shares-axis muted">
        <span>{first !== undefined && format.time(first.at)}</span>
        <span>{w.sharesHint}</span>
        <span>{end !== undefined && format.time(end.at + SLOT_MS)}</span>
      </div>
      <ul class="shares-legend">
        {vms.map((vm, index) => (
          <li key={vm}>
            <svg width="14" height="14" aria-hidden="true">
              <rect
                width="14"
                height="14"
                class={`share-${index % PATTERNS}`}
                fill={`url(#share-${index % PATTERNS})`}
              />
            </svg>
            {vm} <strong>{share(last, vm, total)} %</strong>
          </li>
        ))}
      </ul>
    </div>
  );
}

function Bar({ slot, vms, x, width }: { slot: Slot; vms: readonly string[]; x: number; width: number }) {
  const total = sumOf(slot);
  if (total === 0) return null;
  let y = HEIGHT;
  return (
    <g>
      {vms.map((vm, index) => {
        const height = ((slot.byVm.get(vm) ?? 0) * HEIGHT) / total;
        if (height === 0) return null;
        y -= height;
        const pattern = index % PATTERNS;
        return (
          <rect
            key={vm}
            x={x}
            y={y}
            width={width}
            height={height}
            class={`share-${pattern}`}
            fill={`url(#share-${pattern})`}
          />
        );
      })}
    </g>
  );
}

function Patterns() {
  return (
    <defs>
      {Array.from({ length: PATTERNS }, (_, index) => (
        <pattern key={index} id={`share-${index}`} width="8" height="8" patternUnits="userSpaceOnUse">
          <rect width="8" height="8" class={`share-fill-${index}`} />
          <path class="share-mark" d={MARKS[index]} />
        </pattern>
      ))}
    </defs>
  );
}

const MARKS = [
  "",
  "M-2,2 l4,-4 M0,8 l8,-8 M6,10 l4,-4",
  "M2,2 h2 v2 h-2 z M6,6 h2 v2 h-2 z",
  "M0,4 h8",
  "M4,0 v8",
  "M0,0 l8,8",
];

function sumOf(slot: Slot | undefined): number {
  return [...(slot?.byVm.values() ?? [])].reduce((total, one) => total + one, 0);
}

function share(slot: Slot | undefined, vm: string, total: number): number {
  return total === 0 ? 0 : Math.round(((slot?.byVm.get(vm) ?? 0) * 100) / total);
}
