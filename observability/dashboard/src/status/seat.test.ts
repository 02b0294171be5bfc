import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { failure, memberReport, report, urlOf } from "./fixtures.ts";
import { Seat } from "./seat.ts";

const URL = urlOf({});
const T = 1_800_000_000_000;

test("an answer that is no status is told apart: HTML, another status, other JSON, none", () => {
  const seat = new Seat(URL);
  const kinds = [
    report(URL, T + 1, "<html><body>login</body></html>"),
    report(URL, T + 2, "not found", { status: 404 }),
    report(URL, T + 3, { hello: 1 }),
    report(URL, T + 4, [1]),
    failure(URL, T + 5),
  ].map((one) => {
    seat.take(one);
    return seat.trouble?.kind;
  });
  assert.deepEqual(kinds, ["text", "http", "shape", "shape", "unreachable"]);
  assert.equal(seat.unreadable, 4);
  assert.equal(seat.troubleSince, T + 1);
  assert.equal(seat.copy, undefined);
});

test("the last good document stays while polls fail, and the trouble ends with the next one", () => {
  const seat = new Seat(URL);
  seat.take(memberReport({ member: "0-a", at: T }));
  seat.take(failure(URL, T + 1_000));
  assert.equal(seat.isAnswering, false);
  assert.equal(seat.group?.member, "0-a");
  seat.take(memberReport({ member: "0-a", at: T + 2_000 }));
  assert.equal(seat.isAnswering, true);
  assert.equal(seat.troubleSince, undefined);
});

test("a report that comes late changes nothing, but one after the clock was set back does", () => {
  const seat = new Seat(URL);
  assert.equal(seat.take(memberReport({ member: "0-a", at: T, sent: 10 })), true);
  assert.equal(seat.take(memberReport({ member: "0-a", at: T - 1_000, sent: 5 })), false);
  assert.equal(seat.take(memberReport({ member: "0-a", at: T - 3_600_000, sent: 20 })), true);
  assert.equal(seat.lastAt, T - 3_600_000);
  seat.take(memberReport({ member: "0-a", at: T - 3_599_000, sent: 30 }));
  assert.equal(
    seat.rate((copy) => copy.stages[0]?.sent),
    10,
  );
});

test("a clock that is an hour ahead is found, one that is a moment ahead is not", () => {
  const odd = new Seat(URL);
  odd.take(memberReport({ member: "0-a", at: T, atMs: T + 3_600_000 }));
  assert.equal(odd.clock.aheadMs, 3_600_000);
  const good = new Seat(URL);
  good.take(memberReport({ member: "0-a", at: T, atMs: T - 900 }));
  assert.equal(good.clock.aheadMs, 0);
});

test("a field of the wrong type is counted, and the rest is read", () => {
  const seat = new Seat(URL);
  seat.take(memberReport({ member: "0-a", at: T, partitions: [{ partition: 1, lag: "much" }, { partition: "x" }] }));
  assert.deepEqual(
    seat.group?.partitions.map((one) => [one.partition, one.lag]),
    [[1, undefined]],
  );
  assert.equal(seat.isAnswering, true);
  assert.ok(seat.notes.count >= 2);
});

test("a URL that cannot be read is its own name", () => {
  assert.equal(new Seat("not a url").host, "not a url");
});

test("no answer whatever is thrown at, and memory is bounded", () => {
  const answer = fc.oneof(
    fc.jsonValue().map((body) => ({ body })),
    fc.string().map((error) => ({ body: undefined, error })),
    fc.record({ body: fc.string(), status: fc.nat(999) }),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(answer, fc.nat(3_000)), { maxLength: 60 }), (answers) => {
      const seat = new Seat(URL);
      let at = T;
      for (const [{ body, ...more }, later] of answers) {
        at += later;
        seat.take(report(URL, at, body, more));
      }
      assert.ok(seat.log.lines.length <= 60);
    }),
  );
});
