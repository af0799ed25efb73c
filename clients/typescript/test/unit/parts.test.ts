import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { newId } from "../../src/ids.js";
import { between } from "../../src/positions.js";
import { readEvents } from "../../src/stream.js";

const position = fc.stringMatching(/^[b-y][0-9a-f]{13}([0-9a-f]{0,49}[1-9a-f])?$/);

test("a position between two others is between them", () => {
  fc.assert(
    fc.property(position, position, (one, other) => {
      fc.pre(one !== other);
      const [low, high] = [one, other].sort() as [string, string];
      const middle = between(low, high);
      assert.ok(low < middle && middle < high);
      assert.ok(between(undefined, low) < low && high < between(high, undefined));
    }),
  );
});

test("ids are UUIDs of version 7, and each is greater than the one before", () => {
  const ids = Array.from({ length: 10_000 }, newId);
  assert.ok(ids.every((id) => /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id)));
  assert.deepEqual(ids, [...new Set(ids)].sort());
  assert.ok(Math.abs(parseInt(ids[0]!.replace(/-/g, "").slice(0, 12), 16) - Date.now()) < 5000);
});

test("events are read however the bytes are cut", async () => {
  const text = 'retry: 2000\nid: a\ndata: {"é": 1}\n\n: keep-alive\n\nid: b\ndata: 2\n\nretry: 1500\n\n';
  const bytes = new TextEncoder().encode(text);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(bytes.length), { maxLength: 20 }), async (cuts) => {
      const ends = [...cuts, bytes.length].sort((a, b) => a - b);
      const body = new ReadableStream<Uint8Array>({
        start(controller) {
          ends.forEach((end, index) => controller.enqueue(bytes.slice(ends[index - 1] ?? 0, end)));
          controller.close();
        },
      });
      const events: unknown[] = [];
      const retry = await readEvents(body, { onLife() {}, onEvent: async (event) => void events.push(event) });
      assert.deepEqual([events, retry], [[{ id: "a", data: '{"é": 1}' }, { id: "b", data: "2" }], 1500]);
    }),
  );
});

test("a stream is cancelled when the signal aborts, and when it has", async () => {
  for (const isBefore of [true, false]) {
    let isCancelled = false;
    const body = new ReadableStream<Uint8Array>({ cancel: () => void (isCancelled = true) });
    const abort = new AbortController();
    if (isBefore) abort.abort();
    const read = readEvents(body, { onLife() {}, onEvent: async () => undefined }, abort.signal);
    abort.abort();
    await read;
    assert.ok(isCancelled);
  }
});
