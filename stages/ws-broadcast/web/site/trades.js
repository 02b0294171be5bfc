/** A plain page of live trades: the newest on top, nothing but text. */
import { LiveClient } from "./client.js";
const ROWS = 200;
const table = required("trades");
const state = required("state");
const count = required("count");
const gaps = required("gaps");
let messages = 0;
let missing = 0;
let waiting = [];
const client = new LiveClient({
    urls: new URLSearchParams(location.search).get("server") ?? "/ws",
    recent: 50,
    onMessage(message) {
        messages += 1;
        waiting.push(message);
        // A page cannot show more than its newest rows, however many come between two frames.
        if (waiting.length > 2 * ROWS)
            waiting = waiting.slice(-ROWS);
        if (waiting.length === 1)
            requestAnimationFrame(draw);
    },
    onGap(gap) {
        missing += gap.to === undefined ? 0 : gap.to - gap.from + 1;
        gaps.textContent = String(missing);
    },
    onState(now, server) {
        state.textContent = `${now} (${new URL(server).host})`;
        state.dataset["state"] = now;
    },
});
client.start();
function draw() {
    const fresh = waiting.slice(-ROWS).reverse().map(row);
    waiting = [];
    table.prepend(...fresh);
    while (table.childElementCount > ROWS)
        table.lastElementChild?.remove();
    count.textContent = String(messages);
}
function row(message) {
    const line = document.createElement("tr");
    const add = (cell) => {
        const made = line.insertCell();
        made.textContent = cell;
        return made;
    };
    add(time(message));
    const { data } = message;
    if (isRecord(data) && "price" in data) {
        for (const field of ["venue", "symbol", "price", "size", "side"])
            add(text(data[field]));
    }
    else {
        const cell = add(text(data ?? message.data_base64));
        cell.colSpan = 5;
        cell.className = "other";
    }
    add(message.partition === undefined ? "" : `${message.partition}:${message.offset}`);
    add(latency(message));
    return line;
}
function time(message) {
    const at = message.timestamp ?? message.times?.accepted;
    return at === undefined ? "" : new Date(at / 1e6).toISOString().slice(11, 23);
}
/** Milliseconds from entering the system to this server. */
function latency(message) {
    const { received, accepted } = message.times ?? {};
    return received === undefined || accepted === undefined ? "" : ((accepted - received) / 1e6).toFixed(1);
}
function text(value) {
    return value === undefined || value === null ? "" : typeof value === "string" ? value : JSON.stringify(value);
}
function isRecord(value) {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}
function required(id) {
    const element = document.getElementById(id);
    if (element === null)
        throw new Error(`the page has no element \`${id}\``);
    return element;
}
