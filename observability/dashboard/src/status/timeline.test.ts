import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Board } from "./board.ts";
import { failure, type MemberSketch, memberReport, urlOf } from "./fixtures.ts";
import { MemberLog } from "./log.ts";
import { tell } from "./timeline.ts";

const T = 1_800_000_000_000;
const HOUR = 3_600_000;

function boardWith(...sketches: MemberSketch[]): Board {
  const board = new Board();
  for (const sketch of sketches) board.take(memberReport(sketch));
  return board;
}

function kinds(board: Board): string[] {
  return board.timeline.events.map((event) => `${event.kind} ${event.member} ${event.partitions.join()}`.trim());
}

const assign = (at: number, ...partitions: number[]) => ({ at, kind: "assign", partitions });
const revoke = (at: number, ...partitions: number[]) => ({ at, kind: "revoke", partitions });

test("a partition that is given up and taken moved, and was unread in between", () => {
  const board = boardWith(
    { member: "0-a", port: 8081, at: T, recent: [assign(T - 9_000, 0)] },
    // The new owner is heard of before the old one tells that it gave up.
    { member: "1-a", port: 8082, at: T + 4_000, recent: [assign(T + 3_400, 0)] },
    { member: "0-a", port: 8081, at: T + 4_500, recent: [assign(T - 9_000, 0), revoke(T + 3_000, 0)] },
  );
  assert.deepEqual(kinds(board), ["moved 1-a 0", "released 0-a 0", "assigned 0-a 0"]);
  assert.deepEqual([board.timeline.events[0]?.from, board.timeline.events[0]?.unreadMs], ["0-a", 400]);
  assert.equal(board.timeline.owners.get(0)?.member, "1-a");
});

test("a member that was killed: its partitions are unread from when it was heard last", () => {
  const board = boardWith(
    { member: "0-a", port: 8081, at: T, recent: [assign(T - 9_000, 2)] },
    { member: "1-b", port: 8082, at: T },
  );
  board.take(failure(urlOf({ port: 8081 }), T + 1_000));
  assert.equal(board.timeline.owners.get(2)?.unreadSince, T);
  board.take(memberReport({ member: "1-b", port: 8082, at: T + 7_000, recent: [assign(T + 6_500, 2)] }));
  assert.deepEqual(kinds(board), ["moved 1-b 2", "lost 0-a 2", "assigned 0-a 2"]);
  assert.equal(board.timeline.events[0]?.unreadMs, 6_500);
  assert.equal(board.timeline.owners.get(2)?.unreadSince, undefined);
});

test("a member whose status alone was away read all the time", () => {
  const board = boardWith({ member: "0-a", at: T, recent: [assign(T - 9_000, 2)] });
  board.take(failure(urlOf({}), T + 1_000));
  board.take(memberReport({ member: "0-a", at: T + 5_000, recent: [assign(T - 9_000, 2)] }));
  assert.deepEqual(kinds(board), ["back 0-a", "lost 0-a 2", "assigned 0-a 2"]);
  assert.equal(board.timeline.owners.get(2)?.unreadSince, undefined);
});

test("a process that was started anew between two polls has its partition again", () => {
  const board = boardWith(
    { member: "0-a", at: T, recent: [assign(T - 9_000, 2), assign(T - 8_000)] },
    { member: "0-a", at: T + 1_000, joined: false, recent: [] },
    { member: "0-a", at: T + 3_000, recent: [assign(T + 2_500, 2)] },
  );
  assert.deepEqual(kinds(board), ["resumed 0-a 2", "joined 0-a", "restarted 0-a", "assigned 0-a 2"]);
  assert.equal(board.timeline.events[0]?.unreadMs, 2_500);
});

test("a member's clock that is an hour ahead does not bend the order", () => {
  const board = boardWith(
    { member: "0-a", port: 8081, at: T, atMs: T + HOUR, recent: [assign(T + HOUR - 9_000, 0)] },
    {
      member: "0-a",
      port: 8081,
      at: T + 4_000,
      atMs: T + HOUR + 4_000,
      recent: [assign(T + HOUR - 9_000, 0), revoke(T + HOUR + 3_000, 0)],
    },
    { member: "1-b", port: 8082, at: T + 5_000, recent: [assign(T + 3_500, 0)] },
  );
  assert.deepEqual(kinds(board), ["moved 1-b 0", "released 0-a 0", "assigned 0-a 0"]);
  assert.equal(board.timeline.events[0]?.unreadMs, 500);
});

test("what a member still remembers is told once", () => {
  const recent = [assign(T - 9_000, 0)];
  const board = boardWith(...[0, 1, 2, 3].map((second) => ({ member: "0-a", at: T + second * 1_000, recent })));
  assert.deepEqual(kinds(board), ["assigned 0-a 0"]);
});

test("whatever members say, every partition has one owner at most and no time is below zero", () => {
  const line = fc.record({
    at: fc.integer({ min: T, max: T + 60_000 }),
    kind: fc.constantFrom("assign", "revoke", "lose", "nonsense"),
    partitions: fc.array(fc.nat(4), { maxLength: 3 }),
  });
  const member = fc.array(fc.array(line, { maxLength: 6 }), { maxLength: 5 });
  fc.assert(
    fc.property(fc.array(member, { maxLength: 4 }), (members) => {
      const logs = members.map((documents, index) => {
        const log = new MemberLog();
        documents.forEach((recent, poll) => {
          const sketch = { member: `m${index}`, at: T + poll * 1_000, recent };
          const body = memberReport(sketch);
          const board = new Board();
          board.take(body);
          const group = [...board.seats.values()][0]?.group;
          if (group !== undefined) log.take(group, { at: sketch.at, lastAt: undefined, aheadMs: 0 });
        });
        return log;
      });
      const { events, owners } = tell(logs);
      assert.ok(events.every((event) => event.unreadMs === undefined || event.unreadMs >= 0));
      assert.ok(events.every((event, index) => index === 0 || event.at <= (events[index - 1]?.at ?? 0)));
      for (const owner of owners.values()) assert.ok(logs.some((log) => log.member === owner.member));
    }),
  );
});

test("a member in a rebalance has not left, one that is outside has", () => {
  const recent = [assign(T - 9_000, 0)];
  const board = boardWith(
    { member: "0-a", at: T, recent },
    { member: "0-a", at: T + 1_000, recent, joined: false, state: "up/wait-join" },
    { member: "0-a", at: T + 2_000, recent },
  );
  assert.deepEqual(kinds(board), ["assigned 0-a 0"]);
  board.take(memberReport({ member: "0-a", at: T + 3_000, recent, joined: false, state: "up/init" }));
  assert.deepEqual(kinds(board), ["left 0-a", "assigned 0-a 0"]);
});
