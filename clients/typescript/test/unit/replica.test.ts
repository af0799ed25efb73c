import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryStorage } from "../../src/index.js";
import { Replica } from "../../src/replica.js";

test("a write is stored whenever it is made, also while an earlier save ends", async () => {
  for (let turns = 0; turns < 40; turns++) {
    const storage = await memoryStorage().open("ann", () => undefined);
    const replica = new Replica(storage, { changed() {}, written() {}, stored() {}, failed() {} });
    const write = (id: string) => replica.write({ op: "delete", id }, new Date().toISOString(), {});
    write("first");
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    write("second");
    await replica.saved();
    assert.deepEqual((await storage.read()).outbox.map((entry) => entry.operation.id), ["first", "second"], `${turns} turns`);
  }
});
