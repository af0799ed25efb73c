import "fake-indexeddb/auto";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, afterEach, before, test } from "node:test";
import { createClient, type StoreEvent, TodoStore } from "../../src/index.js";
import { indexedDBStorage } from "../../src/indexeddb.js";
import type { Locks } from "../../src/tabs.js";
import { QUICK } from "../support/device.js";
import { OneProcessLocks } from "../support/locks.js";
import { FlakyNetwork } from "../support/network.js";
import { Service, tokenOf } from "../support/service.js";

let service: Service;
const opened: TodoStore[] = [];
before(async () => void (service = await Service.start()));
after(() => service.stop());
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
});

/** Those of Node from version 24 on. */
const newLocks = (): Locks => (globalThis.navigator as { locks?: Locks } | undefined)?.locks ?? new OneProcessLocks();

interface Tab {
  store: TodoStore;
  events: StoreEvent[];
  requests: string[];
  network: FlakyNetwork;
}

async function openTab(user: string, locks: Locks): Promise<Tab> {
  const requests: string[] = [];
  const network = new FlakyNetwork(1, 0);
  const fetch = (request: Request) => {
    requests.push(new URL(request.url).pathname);
    return network.fetch(request);
  };
  const client = createClient({ baseUrl: service.url, token: async () => tokenOf(user), fetch, retry: QUICK });
  const store = await TodoStore.open({ client, user, storage: indexedDBStorage(), locks });
  const events: StoreEvent[] = [];
  store.subscribe((event) => void events.push(event));
  opened.push(store);
  return { store, events, requests, network };
}

async function until(condition: () => boolean): Promise<void> {
  for (const end = Date.now() + 8000; !condition(); ) {
    assert.ok(Date.now() < end, "it does not happen");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test("one tab talks to the service, and the others follow it", async () => {
  const [user, locks] = [randomUUID(), newLocks()];
  const tabs = [await openTab(user, locks), await openTab(user, locks), await openTab(user, locks)];
  const [leader, second, third] = tabs.map((tab) => tab.store);
  await until(() => tabs.every(({ store }) => store.status.connected && store.status.loaded));
  assert.deepEqual(tabs.map(({ store }) => store.status.leader), [true, false, false]);
  const mine = second!.createTask({ title: "from the second" });
  await until(() => third!.task(mine.id) !== undefined && leader!.task(mine.id) !== undefined);
  await second!.sync();
  await until(() => tabs.every(({ store }) => store.status.pending === 0 && store.task(mine.id)!.revision > 0));
  await service.response(user, `/api/tasks/${mine.id}`, { method: "PATCH", body: '{"title": "renamed"}' });
  await until(() => tabs.every(({ store }) => store.task(mine.id)?.title === "renamed"));
  assert.deepEqual(tabs.slice(1).map((tab) => tab.requests), [[], []]);
  assert.equal(tabs[0]!.requests.filter((path) => path.endsWith("/events")).length, 1);
});

test("when the leading tab is closed, another leads and sends what is left", async () => {
  const [user, locks] = [randomUUID(), newLocks()];
  const first = await openTab(user, locks);
  const second = await openTab(user, locks);
  await until(() => second.store.status.connected);
  first.network.isOffline = true;
  first.store.createTask({ title: "from the first" });
  second.store.createTask({ title: "from the second" });
  await second.store.saved();
  await first.store.close();
  await until(() => second.store.status.leader && second.store.status.pending === 0 && second.store.status.connected);
  const titles = (await (await service.response(user, "/api/tasks?sort=position")).json()) as { title: string }[];
  assert.deepEqual(titles.map((task) => task.title), ["from the first", "from the second"]);
});

test("refusals and failures are reported in all tabs", async () => {
  const [user, locks] = [randomUUID(), newLocks()];
  const leader = await openTab(user, locks);
  const follower = await openTab(user, locks);
  await until(() => follower.store.status.connected);
  const { id } = follower.store.createTask({ title: "x".repeat(501) });
  await until(() => [leader, follower].every((tab) => tab.events.some((event) => event.kind === "rejected")));
  await until(() => follower.store.task(id) === undefined);
  leader.network.isOffline = true;
  await assert.rejects(follower.store.sync(), /no answer/);
});

test("another user's sign-in closes the tabs of the former, and deletes the copy", async () => {
  const [user, other] = [randomUUID(), randomUUID()];
  const former = await openTab(user, newLocks());
  former.store.createTask({ title: "mine" });
  await former.store.sync();
  const current = await openTab(other, newLocks());
  await until(() => former.store.status.closed);
  assert.deepEqual(current.store.tasks(), []);
  const names = (await indexedDB.databases()).map((database) => database.name);
  assert.ok(!names.includes(`todo-api:${user}`) && names.includes(`todo-api:${other}`));
});

test("erase deletes the copy", async () => {
  const user = randomUUID();
  const { store } = await openTab(user, newLocks());
  store.createTask({ title: "mine" });
  await store.saved();
  await store.close();
  await TodoStore.erase(user);
  assert.ok(!(await indexedDB.databases()).some((database) => database.name === `todo-api:${user}`));
});
