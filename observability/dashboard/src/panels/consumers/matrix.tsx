/** VM × consumer × partition. */

import type { Member, MemberState, Members, Reading } from "../../status/members.ts";
import type { Timeline } from "../../status/timeline.ts";
import { useFormat } from "../../ui/live.ts";
import { useWords } from "../../ui/words.ts";
import { Sign, type Tone, Unknown } from "../parts/sign.tsx";
import { type Head, Table } from "../parts/table.tsx";
import { WORDS } from "./words.ts";

/** With more partitions than this they are listed in one column. */
const MOST_COLUMNS = 12;

const TONES: Record<MemberState, Tone> = { busy: "ok", idle: "idle", joining: "warn", outside: "bad", silent: "bad" };

interface MatrixProps {
  all: Members;
  timeline: Timeline;
  /** By the polling clock. */
  now: number;
}

export function Matrix({ all, timeline, now }: MatrixProps) {
  const w = useWords(WORDS);
  const columns = all.partitions.length <= MOST_COLUMNS ? all.partitions : undefined;
  const most = Math.max(0, ...all.members.flatMap((member) => member.partitions.map((one) => one.rate ?? 0)));
  const heads: Head[] = [
    { key: "consumer", text: `${w.vm} · ${w.consumer}` },
    { key: "state", text: w.state },
    ...(columns?.map((partition) => ({ key: `p${partition}`, text: w.partition(partition) })) ?? [
      { key: "partitions", text: w.partitions },
    ]),
    { key: "rate", text: w.rate, isNumber: true },
    { key: "lag", text: w.lag, isNumber: true },
  ];
  return (
    <Table caption={w.matrix} heads={heads}>
      {all.members.map((member, index) => (
        <Row
          key={member.seat.url}
          member={member}
          columns={columns}
          most={most}
          isFirst={all.members[index - 1]?.host !== member.host}
          now={now}
        />
      ))}
      <Readers all={all} columns={columns} timeline={timeline} now={now} />
    </Table>
  );
}

interface RowProps {
  member: Member;
  columns: readonly number[] | undefined;
  /** The highest rate of a partition: the measure of the others. */
  most: number;
  isFirst: boolean;
  now: number;
}

function Row({ member, columns, most, isFirst, now }: RowProps) {
  const w = useWords(WORDS);
  const format = useFormat();
  const { seat, state, partitions } = member;
  const reading = (partition: number) => partitions.find((one) => one.partition === partition);
  const why = seat.trouble?.detail ?? member.reasons[0];
  return (
    <tr
      class={`member ${state}${isFirst ? " first" : ""}`}
      data-consumer={`${member.host}:${member.port}`}
      data-state={state}
    >
      <th scope="row" title={member.id}>
        {member.host}
        <span class="muted">:{member.port}</span>
      </th>
      <td title={state === "idle" ? w.idleHint : why}>
        <Sign tone={TONES[state]}>{w[state]}</Sign>
        {seat.troubleSince !== undefined && (
          <span class="muted"> {w.since(format.duration(Math.max(0, now - seat.troubleSince)))}</span>
        )}
        {state !== "silent" && member.reasons.length > 0 && <span class="why warn-text">{member.reasons[0]}</span>}
        {state === "silent" && <span class="why">{seat.trouble?.detail}</span>}
        {seat.notes.count > 0 && (
          <span class="why warn-text" title={seat.notes.places.join(" ")}>
            {w.notRead(format.whole(seat.notes.count))}
          </span>
        )}
      </td>
      {columns?.map((partition) => <Cell key={partition} reading={reading(partition)} most={most} />) ?? (
        <td>{partitions.map((one) => one.partition).join(", ")}</td>
      )}
      <td class="number">{member.rate === undefined ? <Unknown /> : format.rate(member.rate)}</td>
      <td class="number">{member.lag === undefined ? <Unknown /> : format.whole(member.lag)}</td>
    </tr>
  );
}

/** A partition that the member reads: the darker, the more messages. */
function Cell({ reading, most }: { reading: Reading | undefined; most: number }) {
  const w = useWords(WORDS);
  const format = useFormat();
  if (reading === undefined) return <td class="cell" />;
  const load = most > 0 ? (reading.rate ?? 0) / most : 0;
  const { lag, lagSeconds } = reading;
  return (
    <td class="cell owned" data-owned={reading.partition} style={{ "--load": `${Math.round(load * 100)}%` }}>
      <span class="cell-rate">{reading.rate === undefined ? "–" : w.perSecond(format.rate(reading.rate))}</span>
      <span class="cell-lag">
        {reading.isReplaying ? `↻ ${w.replaying}` : reading.isPaused ? `‖ ${w.paused}` : lagText(lag, lagSeconds)}
      </span>
    </td>
  );

  function lagText(messages: number | undefined, seconds: number | undefined): string {
    if (messages === undefined) return "–";
    if (messages === 0) return w.current;
    const age = seconds === undefined ? "" : ` · ${format.duration(seconds * 1000)}`;
    return w.behind(format.whole(messages)) + age;
  }
}

/** The last row: who reads each partition, or since when nobody does. */
function Readers({ all, columns, timeline, now }: Omit<RowProps & MatrixProps, "member" | "most" | "isFirst">) {
  const w = useWords(WORDS);
  const format = useFormat();
  const reader = (partition: number) =>
    all.members.find((member) => member.partitions.some((one) => one.partition === partition));
  const rates = all.members.flatMap((member) => member.rate ?? []);
  const lags = all.members.flatMap((member) => member.lag ?? []);
  const unread = all.partitions.filter((partition) => reader(partition) === undefined);
  return (
    <tr class="readers first">
      <th scope="row">{w.readers}</th>
      <td />
      {columns?.map((partition) => {
        const found = reader(partition);
        const since = timeline.owners.get(partition)?.unreadSince;
        return (
          <td class="cell" key={partition}>
            {found !== undefined ? (
              <span>{`${found.host}:${found.port}`}</span>
            ) : (
              <Sign tone="bad">
                {since === undefined ? w.unread : w.unreadFor(format.duration(Math.max(0, now - since)))}
              </Sign>
            )}
          </td>
        );
      }) ?? <td>{unread.length > 0 && <Sign tone="bad">{`${w.unread}: ${unread.join(", ")}`}</Sign>}</td>}
      <td class="number">{format.rate(rates.reduce((total, one) => total + one, 0))}</td>
      <td class="number">{format.whole(lags.reduce((total, one) => total + one, 0))}</td>
    </tr>
  );
}
