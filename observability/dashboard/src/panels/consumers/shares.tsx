/** How the load is shared over the VMs, as bars over time. */

import { useMemo } from "preact/hooks";
import { type Slot, sumOf } from "../../status/shares.ts";
import { useFormat } from "../../ui/live.ts";
import { useWords } from "../../ui/words.ts";
import { TimePlot } from "../plot/time-plot.tsx";
import { WORDS } from "./words.ts";

export function ShareBars({ vms, slots }: { vms: readonly string[]; slots: readonly Slot[] }) {
  const w = useWords(WORDS);
  const format = useFormat();
  const newest = slots.at(-1)?.at;
  const names = vms.join(" ");
  // A slot that is over changes no more.
  const { times, values } = useMemo(
    () => ({
      times: slots.map((slot) => slot.at / 1000),
      values: vms.map((vm) => slots.map((slot) => percent(slot, vm))),
    }),
    [newest, names],
  );
  return (
    <div class="panel-part shares">
      <TimePlot
        title={w.shares}
        names={vms}
        times={times}
        values={values}
        text={(value) => `${format.whole(value)}%`}
        isStacked
        most={100}
      />
      <p class="shares-hint muted">{w.sharesHint}</p>
    </div>
  );
}

function percent(slot: Slot, vm: string): number | null {
  const total = sumOf(slot);
  return total === 0 ? null : ((slot.byVm.get(vm) ?? 0) * 100) / total;
}
