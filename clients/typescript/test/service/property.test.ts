import "fake-indexeddb/auto";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { memoryStorage } from "../../src/index.js";
import { indexedDBStorage } from "../../src/indexeddb.js";
import { assertEqualToService, assertOnceAndInOrder, settle, type Tally } from "../support/checks.js";
import { type Act, ACTS, Device, type Step } from "../support/device.js";
import { type Fault, FlakyNetwork } from "../support/network.js";
import { Service } from "../support/service.js";

const RUNS = Number(process.env["RUNS"] ?? 20);
const STEPS = 80;
const RATE = 0.12; // of each fault

let service: Service;
before(async () => void (service = await Service.start()));
after(() => service.stop());

const act = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...ACTS) },
  { weight: 2, arbitrary: fc.constantFrom<Act>("create", "create repeating", "change title", "complete") },
  { weight: 2, arbitrary: fc.constant<Act>("wait") },
);
const step = fc.record<Step>({ device: fc.nat(1), act, pick: fc.nat(1000), other: fc.nat(1000) });

test("two devices and a flaky network end equal to the service", async (context) => {
  const totals = { runs: 0, made: 0, ran: 0, rejected: 0, conflicts: 0, lost: 0, twice: 0 };
  const faults = new Map<Fault, number>();
  const add = (tally: Tally) => {
    for (const [name, value] of Object.entries(tally)) totals[name as keyof Tally] += value;
  };
  const property = fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: STEPS }), fc.integer(), async (steps, seed) => {
    const user = randomUUID();
    const storages = [memoryStorage(), indexedDBStorage()];
    const devices = storages.map((storage, index) => new Device(service, user, new FlakyNetwork(seed + index, RATE), storage));
    for (const device of devices) await device.open();
    try {
      for (const one of steps) await devices[one.device]!.do(one);
      await settle(devices);
      await assertEqualToService(service, user, devices);
      devices.map(assertOnceAndInOrder).forEach(add);
    } finally {
      for (const { store } of devices) await store.close();
    }
    totals.runs++;
    for (const [fault, count] of devices.flatMap(({ network }) => [...network.counts])) {
      faults.set(fault, (faults.get(fault) ?? 0) + count);
    }
  });
  await fc.assert(property, { numRuns: RUNS, includeErrorInReport: true, endOnFailure: !process.env["SHRINK"], ...(process.env["SEED"] && { seed: Number(process.env["SEED"]), path: process.env["CASE"] ?? "" }) });
  context.diagnostic(JSON.stringify({ ...totals, faults: Object.fromEntries(faults) }));
});
