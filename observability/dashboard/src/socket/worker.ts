/**
 * The thread that holds the page's WebSocket. A frame is a task of the thread that its socket belongs to: thousands of them a
 * second leave the main thread no time to draw.
 *
 * One connection a port; messages.ts says what passes through it.
 */

import { Frames } from "./frames.ts";
import type { FromWorker, Open, ToWorker } from "./messages.ts";

/** Of those that an application may use (RFC 6455, section 7.4.2). */
const TOO_SLOW = 4000;

self.onmessage = ({ data, ports: [port] }: MessageEvent<Open>) => {
  if (port !== undefined) hold(data, port);
};

function hold({ url, protocol }: Open, port: MessagePort): void {
  const tell = (message: FromWorker): void => port.postMessage(message);
  const frames = new Frames((batch) => tell({ batch }));
  let socket: WebSocket;
  try {
    socket = new WebSocket(url, protocol);
  } catch {
    tell({ closed: { code: 1006, reason: "" } });
    return;
  }
  socket.onmessage = ({ data, timeStamp }: MessageEvent<unknown>) => {
    if (typeof data !== "string") return;
    const hasRoom = frames.add({ data, at: performance.timeOrigin + timeStamp });
    if (!hasRoom) socket.close(TOO_SLOW);
  };
  socket.onclose = ({ code, reason }) => {
    frames.end();
    tell({ closed: { code, reason } });
  };
  port.onmessage = ({ data }: MessageEvent<ToWorker>) => {
    if (data === "taken") frames.taken();
    else socket.close(data.close);
  };
}
