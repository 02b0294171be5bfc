/** The partitions: where they are, how far they reach, and who reads them. */

import type { PartitionHealth, PartitionView } from "../../status/cluster.ts";
import { useFormat } from "../../ui/live.ts";
import { useWords } from "../../ui/words.ts";
import { Sign, type Tone, Unknown } from "../parts/sign.tsx";
import { Table } from "../parts/table.tsx";
import { WORDS } from "./words.ts";

const TONES: Record<PartitionHealth, Tone> = { ok: "ok", under: "warn", offline: "bad", unknown: "idle" };

export function Partitions({ partitions }: { partitions: readonly PartitionView[] }) {
  const w = useWords(WORDS);
  return (
    <div class="panel-part">
      <h3>{w.partitions}</h3>
      <Table
        caption={w.partitions}
        heads={[
          { key: "partition", text: w.partition },
          { key: "health", text: w.health },
          { key: "leader", text: w.leader, isNumber: true },
          { key: "replicas", text: w.replicas },
          { key: "isr", text: w.isr },
          { key: "low", text: w.low, isNumber: true },
          { key: "high", text: w.high, isNumber: true },
          { key: "committed", text: w.committed, isNumber: true },
          { key: "produced", text: w.produced, isNumber: true },
          { key: "lag", text: w.lag, isNumber: true },
          { key: "reader", text: w.reader },
        ]}
      >
        {partitions.map((partition) => (
          <Row key={partition.partition} view={partition} />
        ))}
      </Table>
    </div>
  );
}

function Row({ view }: { view: PartitionView }) {
  const w = useWords(WORDS);
  const format = useFormat();
  const { partition, health, leader, replicas, isr, error, reading, owner, isRead } = view;
  const missing = replicas.filter((id) => !isr.includes(id));
  const names = { ok: w.ok, under: w.under, offline: w.offline, unknown: w.notTold };
  const whole = (value: number | undefined) => (value === undefined ? <Unknown /> : format.whole(value));
  return (
    <tr data-partition={partition}>
      <th scope="row">{partition}</th>
      <td title={error}>
        <Sign tone={TONES[health]}>{names[health]}</Sign>
      </td>
      <td class="number">{leader ?? <Unknown />}</td>
      <td>{replicas.join(", ")}</td>
      <td>
        {isr.join(", ")}
        {missing.length > 0 && <span class="warn-text"> · {w.missing(missing.join(", "))}</span>}
      </td>
      <td class="number">{whole(reading?.low)}</td>
      <td class="number">{whole(reading?.high)}</td>
      <td class="number">{whole(reading?.committed)}</td>
      <td class="number">{reading?.produceRate === undefined ? <Unknown /> : format.rate(reading.produceRate)}</td>
      <td class="number">{isRead ? whole(reading?.lag) : <Unknown />}</td>
      <td>{isRead ? owner : <Sign tone="bad">{owner === undefined ? w.nobody : w.last(owner)}</Sign>}</td>
    </tr>
  );
}
