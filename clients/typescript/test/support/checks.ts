import assert from "node:assert/strict";
import type { Operation, RejectedEvent, Task, TaskList } from "../../src/index.js";
import type { Device } from "./device.js";
import type { Service } from "./service.js";

/** Heal the networks, and let the devices exchange everything. */
export async function settle(devices: readonly Device[]): Promise<void> {
  for (const { network } of devices) {
    network.isOffline = false;
    network.rate = 0;
    await network.settle();
  }
  for (const device of [...devices, ...devices]) await synced(device);
}

/** The service may still be busy with what was sent before. */
async function synced({ store }: Device): Promise<void> {
  for (const end = Date.now() + 20_000; ; ) {
    try {
      return await store.sync();
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** Each device shows what the service has. */
export async function assertEqualToService(service: Service, user: string, devices: readonly Device[]): Promise<void> {
  const tasks: Task[] = [];
  for (let path: string | undefined = "/api/tasks?sort=position&limit=1000"; path; ) {
    const response = await service.response(user, path);
    tasks.push(...((await response.json()) as Task[]));
    path = /<([^>]+)>; rel="next"/.exec(response.headers.get("Link") ?? "")?.[1]?.replace(service.url, "");
  }
  const lists = (await (await service.response(user, "/api/lists")).json()) as TaskList[];
  for (const { store } of devices) {
    assert.equal(store.status.pending, 0);
    assert.deepEqual(store.tasks(), tasks);
    assert.deepEqual(store.lists(), lists);
  }
}

export interface Tally {
  made: number;
  ran: number;
  rejected: number;
  conflicts: number;
  lost: number;
  twice: number;
}

// What another device has already done is not sent again: a 404 or a 409 says that it is so.
const MAY_BE_DONE = ["delete", "delete_list", "restore", "restore_list"];

/** Each write has run once and in order, or was reported as rejected. */
export function assertOnceAndInOrder({ made, events, network }: Device): Tally {
  const rejections = events.filter((event): event is RejectedEvent => event.kind === "rejected");
  const rejected = rejections.map((event) => textOf(event.operation));
  const batches = [...network.batches.values()];
  const twice = batches.filter((batch) => batch.ran > 1).length;
  const ran = batches.flatMap((batch) => batch.operations).map(textOf);
  let next = 0;
  const lost = made.filter((operation) => {
    const text = textOf(operation);
    if (ran[next] === text) return void next++;
    if (rejected.includes(text)) return void rejected.splice(rejected.indexOf(text), 1);
    return !MAY_BE_DONE.includes(operation.op);
  });
  assert.deepEqual({ lost, twice, more: ran.slice(next) }, { lost: [], twice: 0, more: [] });
  const conflicts = events.filter((event) => event.kind === "conflict").length;
  return { made: made.length, ran: ran.length, rejected: rejections.length, conflicts, lost: lost.length, twice };
}

function textOf(operation: Operation): string {
  return JSON.stringify(operation, (key, value: unknown) => (key === "if_match" ? undefined : value));
}
