import "fake-indexeddb/auto";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { memoryStorage } from "../../src/index.js";
import { indexedDBStorage } from "../../src/indexeddb.js";
import { assertEqualToService, assertOnceAndInOrder, settle } from "../support/checks.js";
import { ACTS, Device } from "../support/device.js";
import { FlakyNetwork, randomOf } from "../support/network.js";
import { Service } from "../support/service.js";

const KILLS = Number(process.env["KILLS"] ?? 2);
const STEPS = 120; // between two kills

test("two devices, a flaky network, and kill -9 of the service in between", { skip: KILLS === 0 }, async (context) => {
  const service = await Service.start({ canBeKilled: true });
  context.after(() => service.stop());
  const user = randomUUID();
  const seed = Number(process.env["SEED"] ?? Date.now());
  context.diagnostic(`SEED=${seed}`);
  const random = randomOf(seed);
  const whole = (below: number) => Math.floor(random() * below);
  const storages = [memoryStorage(), indexedDBStorage()];
  const devices = storages.map((storage) => new Device(service, user, new FlakyNetwork(whole(1e9), 0.05), storage));
  for (const device of devices) await device.open();
  const step = async () => {
    const act = random() < 0.4 ? "wait" : ACTS[whole(ACTS.length)]!;
    await devices[whole(2)]!.do({ device: 0, act, pick: whole(1000), other: whole(1000) });
  };
  for (let kill = 0; kill < KILLS; kill++) {
    for (let count = 0; count < STEPS; count++) {
      await step();
      if (count === STEPS / 2) await service.kill(); // the devices go on
    }
    for (const { network } of devices) network.isOffline = false;
    await service.restart();
  }
  await settle(devices);
  await assertEqualToService(service, user, devices);
  const tallies = devices.map(assertOnceAndInOrder);
  for (const { store } of devices) await store.close();
  assert.ok(tallies.every((tally) => tally.ran > 0));
  context.diagnostic(JSON.stringify({ kills: KILLS, tallies }));
});
