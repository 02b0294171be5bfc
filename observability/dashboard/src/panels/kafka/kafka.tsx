/** Kafka as the pipeline's clients see it. */

import { boardOf } from "../../status/board.ts";
import { type Cluster, clusterOf, LAYOUT_OLD_MS } from "../../status/cluster.ts";
import { useFormat, useLive } from "../../ui/live.ts";
import { Panel } from "../../ui/panel.tsx";
import { useWords } from "../../ui/words.ts";
import { Brokers } from "./brokers.tsx";
import { Partitions } from "./partitions.tsx";
import { WORDS } from "./words.ts";

const EVERY_MS = 1000;

export function KafkaPanel() {
  const w = useWords(WORDS);
  const board = boardOf(useLive(EVERY_MS));
  const cluster = clusterOf(board);
  return (
    <Panel id="kafka" title={w.title}>
      {cluster.brokers.length === 0 ? (
        <p class="muted">{w.nothing}</p>
      ) : (
        <>
          <Facts cluster={cluster} now={board.now} />
          <Brokers brokers={cluster.brokers} />
          <Partitions partitions={cluster.partitions} />
        </>
      )}
    </Panel>
  );
}

function Facts({ cluster, now }: { cluster: Cluster; now: number }) {
  const w = useWords(WORDS);
  const format = useFormat();
  const { group, topic, layoutAt } = cluster;
  const [heard, polled] = [format.whole(group.joined), format.whole(group.polled)];
  const age = layoutAt === undefined ? undefined : Math.max(0, now - layoutAt);
  return (
    <dl class="facts">
      <Fact name={w.topic}>{topic}</Fact>
      <Fact name={w.group}>{group.name}</Fact>
      <Fact name={w.groupState}>
        <span class={group.state === undefined || group.state === "Stable" ? "" : "warn-text"}>
          {group.state ?? w.noGroupState}
        </span>
      </Fact>
      <Fact name={w.members}>
        {group.members === undefined
          ? w.membersHeard(heard, polled)
          : w.membersSaid(format.whole(group.members), heard, polled)}
      </Fact>
      <Fact name={w.protocol}>{group.protocol}</Fact>
      {age !== undefined && (
        <Fact name={w.layout}>
          <span class={age > LAYOUT_OLD_MS ? "warn-text" : ""}>{w.ago(format.duration(age))}</span>
        </Fact>
      )}
    </dl>
  );
}

function Fact({ name, children }: { name: string; children: preact.ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
