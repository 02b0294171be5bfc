// What the client asks servers for, and what it makes of what they say. The servers are stubs; the clock is the tests'.

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { LiveClient } from "./site/client.js";

class StubSocket {
  onmessage = null;
  onclose = null;
  closed = false;

  constructor(url, protocol) {
    this.url = new URL(url);
    this.protocol = protocol;
  }

  close() {
    this.closed = true;
  }

  hear(data, timeStamp = performance.now()) {
    this.onmessage?.({ data, timeStamp });
  }

  say(frame) {
    this.hear(JSON.stringify(frame));
  }

  greet(peers = []) {
    this.say({ type: "hello", server: this.url.host, epoch: "1", peers });
  }

  send(offset, more = {}) {
    this.say({ type: "message", from: "a", topic: "t", partition: 0, offset, timestamp: offset, data: offset, ...more });
  }

  break(reason = "") {
    this.onclose?.({ code: 1006, reason });
  }
}

let sockets;
let messages;
let gaps;
let states;

function client(options = {}) {
  const made = new LiveClient({
    urls: ["ws://a/ws", "ws://b/ws"],
    onMessage: (message) => messages.push(message.data),
    onGap: (gap) => gaps.push(gap),
    onState: (state) => states.push(state),
    connect: (url, protocol) => {
      const socket = new StubSocket(url, protocol);
      sockets.push(socket);
      return socket;
    },
    ...options,
  });
  made.start();
  return made;
}

const last = () => sockets.at(-1);
const after = () => last().url.searchParams.get("after");

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
  [sockets, messages, gaps, states] = [[], [], [], []];
  delete globalThis.document;
});

test("the first connection asks for recent messages", () => {
  client({ recent: 50 });
  assert.equal(last().protocol, "pipeline.v1");
  assert.equal(last().url.href, "ws://a/ws?recent=50");
  last().greet();
  assert.deepEqual(states, ["connecting", "live"]);
});

test("a broken connection is resumed on the next server by position", () => {
  client({ recent: 50 });
  last().greet();
  last().send(5);
  last().send(9, { partition: 1 });
  last().break();
  assert.equal(sockets.length, 1);
  mock.timers.tick(500);
  assert.equal(sockets.length, 2);
  assert.equal(last().url.host, "b");
  assert.equal(after(), "t/0:5,t/1:9");
  assert.equal(last().url.searchParams.get("recent"), null);
});

test("a message that comes again is dropped, one that comes late is not", () => {
  client();
  last().greet();
  for (const offset of [5, 6, 5, 4, 6, 4, 7]) last().send(offset);
  assert.deepEqual(messages, [5, 6, 4, 7]);
});

test("a message has the time at which its frame came", () => {
  const times = [];
  client({ onMessage: (_message, _text, at) => times.push(at) });
  last().greet();
  last().hear('{"type":"message","from":"a"}', 1_000.5);
  assert.deepEqual(times, [performance.timeOrigin + 1_000.5]);
});

test("of each partition the last ten thousand are known when they come again", () => {
  client();
  last().greet();
  for (let offset = 0; offset <= 10_000; offset += 1) last().send(offset);
  messages = [];
  for (const offset of [10_000, 5_000, 1, 0]) last().send(offset);
  assert.deepEqual(messages, [0]);
  last().send(1);
  assert.deepEqual(messages, [0, 1]);
});

test("messages without a position always come through", () => {
  client();
  last().greet();
  for (let n = 0; n < 2; n += 1) last().say({ type: "message", from: "a", data: "same" });
  assert.deepEqual(messages, ["same", "same"]);
});

test("after a reset offsets begin again, and what was shown is not shown twice", () => {
  client();
  last().greet();
  last().send(0);
  last().send(1);
  last().say({ type: "gap", topic: "t", partition: 0, from: 0, reason: "reset" });
  last().send(0, { timestamp: 777, data: "new" });
  last().send(1);
  assert.deepEqual(messages, [0, 1, "new"]);
  assert.equal(gaps.length, 1);
  last().break();
  mock.timers.tick(500);
  assert.equal(after(), "t/0:0");
});

test("what one server has no longer is asked of the others, then the gap is told", () => {
  client();
  last().greet();
  last().send(5);
  const gap = { type: "gap", topic: "t", partition: 0, from: 6, to: 8, reason: "evicted" };
  const [first] = sockets;
  first.say(gap);
  assert.equal(first.closed, true);
  assert.equal(last().url.host, "b");
  assert.equal(after(), "t/0:5");
  // What the first still says is not heard any more.
  first.send(9);
  last().greet();
  last().say(gap);
  last().send(9);
  assert.deepEqual(gaps, [gap]);
  assert.deepEqual(messages, [5, 9]);
});

test("peers that a server names are servers too", () => {
  client({ urls: "ws://a/ws" });
  last().greet(["ws://peer/ws", "ws://a/ws"]);
  last().break();
  mock.timers.tick(500);
  assert.equal(last().url.host, "peer");
  last().break();
  mock.timers.tick(1000);
  assert.equal(last().url.host, "a");
});

test("a server that goes away says when to come back", () => {
  client();
  last().greet();
  last().break("drain; reconnect_ms=4000");
  mock.timers.tick(3999);
  assert.equal(sockets.length, 1);
  mock.timers.tick(1);
  assert.equal(sockets.length, 2);
});

test("waits grow, are random, and begin small again after a greeting", () => {
  mock.method(Math, "random", () => 1);
  client({ backoff: { initial: 100, max: 1000 } });
  for (const wait of [100, 200, 400, 800, 1000, 1000]) {
    const before = sockets.length;
    last().break();
    mock.timers.tick(wait - 1);
    assert.equal(sockets.length, before);
    mock.timers.tick(1);
    assert.equal(sockets.length, before + 1);
  }
  last().greet();
  last().break();
  mock.timers.tick(100);
  last().greet();
  assert.equal(states.at(-1), "live");
  mock.restoreAll();
});

test("a server that does not greet is given up", () => {
  client();
  const [silent] = sockets;
  mock.timers.tick(10_000);
  assert.equal(silent.closed, true);
  mock.timers.tick(500);
  assert.equal(last().url.host, "b");
});

test("a hidden page lets go after a while and resumes when it is shown", () => {
  let onVisibility;
  globalThis.document = {
    visibilityState: "visible",
    addEventListener: (_, listener) => (onVisibility = listener),
    removeEventListener: () => (onVisibility = undefined),
  };
  const live = client({ hiddenAfter: 1000 });
  last().greet();
  last().send(3);
  document.visibilityState = "hidden";
  onVisibility();
  mock.timers.tick(999);
  assert.equal(live.state, "live");
  mock.timers.tick(1);
  assert.equal(live.state, "paused");
  assert.equal(last().closed, true);
  document.visibilityState = "visible";
  onVisibility();
  assert.equal(live.state, "connecting");
  assert.equal(after(), "t/0:3");
  live.stop();
  assert.equal(onVisibility, undefined);
});

test("a stopped client stays stopped, and starts where it was", () => {
  const live = client();
  last().greet();
  last().send(3);
  live.stop();
  mock.timers.tick(60_000);
  assert.equal(sockets.length, 1);
  live.start();
  assert.equal(after(), "t/0:3");
});

test("a connection that falls silent is made anew, when asked for", () => {
  client({ quietAfter: 1000 });
  last().greet();
  mock.timers.tick(900);
  last().send(1);
  mock.timers.tick(100);
  mock.timers.tick(999);
  assert.equal(states.at(-1), "live");
  mock.timers.tick(1);
  assert.equal(states.at(-1), "waiting");
  assert.equal(sockets[0].closed, true);
});

test("silence alone is no fault", () => {
  client();
  last().greet();
  mock.timers.tick(3_600_000);
  assert.equal(states.at(-1), "live");
});

test("a message is told with the text that it came as, a duplicate and a greeting are told as such", () => {
  const told = [];
  client({
    onMessage: (message, text) => told.push(["message", message.offset, text]),
    onDuplicate: (message) => told.push(["duplicate", message.offset]),
    onHello: (hello) => told.push(["hello", hello.server]),
  });
  last().greet();
  const text = '{"type":"message","from":"a","topic":"t","partition":0,"offset":1,"timestamp":1732352519123456789}';
  last().hear(text);
  last().hear(text);
  assert.deepEqual(told, [
    ["hello", "a"],
    ["message", 1, text],
    ["duplicate", 1],
  ]);
});

test("frames that cannot be are told and disturb nothing", () => {
  const unreadable = [];
  client({ onUnreadable: (text) => unreadable.push(text) });
  const texts = [
    "<!doctype html>",
    "1e400",
    "[]",
    "{}",
    '{"type":1}',
    '{"type":"hello","peers":["no address"]}',
    '{"type":"message","topic":"t","partition":0,"offset":1}',
    '{"type":"message","from":"a","topic":"t","partition":0,"offset":1e400}',
    '{"type":"message","from":"a","topic":{},"partition":0,"offset":1}',
    '{"type":"gap","topic":"t","partition":-1,"from":0,"reason":"evicted"}',
  ];
  for (const text of texts) last().hear(text);
  assert.deepEqual(unreadable, texts);
  last().greet();
  last().send(1);
  assert.deepEqual(messages, [1]);
});

test("frames that cannot be read or are of another kind are ignored", () => {
  client();
  last().greet();
  last().hear("not json");
  last().hear(new ArrayBuffer(1));
  last().say({ type: "later" });
  last().say(null);
  last().send(1);
  assert.deepEqual(messages, [1]);
});
