import assert from "node:assert/strict";
import { test } from "node:test";
import { Board } from "./board.ts";
import { serversOf } from "./clients.ts";
import { report } from "./fixtures.ts";

const T = 1_800_000_000_000;

/** A WebSocket server with so many clients, and the servers that its relay reads. */
function server(host: string, v1: number, reads: readonly string[]) {
  const servers = reads.map((other) => ({ url: `ws://${other}:8080/ws`, connected: true }));
  const relay = { name: "websocket-source", kind: "websocket-source", document: { connected: true, servers } };
  const own = {
    name: "ws-broadcast",
    kind: "ws-broadcast",
    document: { server: `${host}:8080`, clients: { plain: 1, v1 } },
  };
  return report(`http://${host}:8084/status`, T, { flow: "websocket-server", stages: [relay, own] });
}

test("stages that read a server are no browsers, nor is its own relay that watches it", () => {
  const board = new Board();
  board.take(server("10.0.0.1", 3, ["10.0.0.2"]));
  board.take(server("10.0.0.2", 3, ["10.0.0.1"]));
  assert.deepEqual(
    serversOf(board).map(({ relays, browsers }) => [relays, browsers]),
    [
      [2, 2],
      [2, 2],
    ],
  );
});

test("a server that is only read has its readers as relays, and never more of them than clients", () => {
  const board = new Board();
  board.take(server("10.0.0.1", 1, []));
  board.take(server("10.0.0.2", 0, ["10.0.0.1"]));
  assert.deepEqual(
    serversOf(board).map(({ relays, browsers }) => [relays, browsers]),
    [
      [1, 1],
      [0, 1],
    ],
  );
});
