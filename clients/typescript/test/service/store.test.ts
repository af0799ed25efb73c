import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, afterEach, before, test } from "node:test";
import {
  AnotherUserError, ApiError, type ConflictEvent, createClient, memoryStorage, type RejectedEvent, type StoreEvent,
  type StoreOptions, type Task, type TaskList, TodoStore,
} from "../../src/index.js";
import { QUICK } from "../support/device.js";
import { FlakyNetwork } from "../support/network.js";
import { Service, tokenOf } from "../support/service.js";

let service: Service;
const opened: TodoStore[] = [];
before(async () => void (service = await Service.start()));
after(() => service.stop());
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
});

interface Opened {
  store: TodoStore;
  events: StoreEvent[];
  network: FlakyNetwork;
}

async function open(user: string, options: Partial<StoreOptions> = {}, token = async () => tokenOf(user)): Promise<Opened> {
  const network = new FlakyNetwork(1, 0);
  const client = createClient({ baseUrl: service.url, token, fetch: network.fetch, retry: QUICK });
  const store = await TodoStore.open({ client, user, storage: memoryStorage(), ...options });
  const events: StoreEvent[] = [];
  store.subscribe((event) => void events.push(event));
  opened.push(store);
  return { store, events, network };
}

async function until(condition: () => boolean, message = "it does not happen"): Promise<void> {
  for (const end = Date.now() + 8000; !condition(); ) {
    assert.ok(Date.now() < end, message);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function change(user: string, id: string, body: object): Promise<void> {
  await service.response(user, `/api/tasks/${id}`, { method: "PATCH", body: JSON.stringify(body) });
}

const conflictsIn = (events: StoreEvent[]) => events.filter((event): event is ConflictEvent => event.kind === "conflict");
const rejectionsIn = (events: StoreEvent[]) => events.filter((event): event is RejectedEvent => event.kind === "rejected");

/** Read a task of the service, or undefined. */
async function taskThere(user: string, id: string): Promise<Task | undefined> {
  const all = (await (await service.response(user, "/api/tasks?limit=1000")).json()) as Task[];
  return all.find((task) => task.id === id);
}

test("what one device writes, another shows within two seconds", async () => {
  const user = randomUUID();
  const [one, two] = [await open(user), await open(user)];
  await until(() => one.store.status.connected && two.store.status.connected);
  const start = Date.now();
  const task = one.store.createTask({ title: "Milk" });
  assert.equal(one.store.task(task.id)?.title, "Milk");
  assert.ok(one.store.isPending(task.id));
  await until(() => two.store.task(task.id) !== undefined);
  assert.ok(Date.now() - start < 2000);
  await until(() => !one.store.isPending(task.id));
  assert.ok(two.events.some((event) => event.kind === "changed" && event.tasks.includes(task.id)));
});

test("it works without a network, and resumes after a reload", async () => {
  const user = randomUUID();
  const storage = memoryStorage();
  const first = await open(user, { storage });
  first.network.isOffline = true;
  const list = first.store.createList({ name: "Food" });
  const task = first.store.createTask({ title: "Bread", list_id: list.id });
  first.store.updateTask(task.id, { priority: "high", tags: ["shop"] });
  first.store.completeTask(task.id);
  assert.equal(first.store.status.pending, 4);
  await first.store.close();

  const offline = await open(user, { storage });
  offline.network.isOffline = true;
  assert.deepEqual(offline.store.tasks(), first.store.tasks());
  assert.deepEqual(offline.store.lists(), [list]);
  assert.equal(offline.store.status.pending, 4);
  offline.network.isOffline = false;
  await offline.store.sync();
  const there = await taskThere(user, task.id);
  assert.deepEqual(offline.store.task(task.id), there);
  assert.deepEqual([there?.completed, there?.priority, there?.tags, there?.list_id], [true, "high", ["shop"], list.id]);
});

test("changes of different fields are merged", async () => {
  const user = randomUUID();
  const { store, events, network } = await open(user);
  const { id } = store.createTask({ title: "Milk" });
  await store.sync();
  network.isOffline = true;
  store.updateTask(id, { title: "Oat milk" });
  await change(user, id, { description: "Two litres" });
  network.isOffline = false;
  await store.sync();
  assert.deepEqual(store.task(id), await taskThere(user, id));
  assert.deepEqual([store.task(id)?.title, store.task(id)?.description], ["Oat milk", "Two litres"]);
  assert.deepEqual(conflictsIn(events), []);
});

test("of two changes of a field the later one stays, and the other is reported", async () => {
  const user = randomUUID();
  const { store, events, network } = await open(user);
  const { id } = store.createTask({ title: "Milk" });
  await store.sync();
  network.isOffline = true;
  store.updateTask(id, { title: "Oat milk" });
  await change(user, id, { title: "Soy milk" });
  network.isOffline = false;
  await store.sync();
  assert.equal((await taskThere(user, id))?.title, "Oat milk");
  assert.deepEqual(conflictsIn(events), [
    { kind: "conflict", id, field: "title", yours: "Oat milk", theirs: "Soy milk", winner: "yours" },
  ]);
});

test("a change that was overwritten before it came back is reported", async () => {
  const user = randomUUID();
  const { store, events, network } = await open(user);
  const { id } = store.createTask({ title: "Milk" });
  await store.sync();
  network.delayReads = async () => change(user, id, { title: "Soy milk" }); // between the write and the delta
  store.updateTask(id, { title: "Oat milk" });
  await store.sync();
  assert.equal(store.task(id)?.title, "Soy milk");
  assert.deepEqual(conflictsIn(events), [
    { kind: "conflict", id, field: "title", yours: "Oat milk", theirs: "Soy milk", winner: "theirs" },
  ]);
});

test("own changes and later ones of others are no conflicts", async () => {
  const user = randomUUID();
  const { store, events } = await open(user);
  const { id } = store.createTask({ title: " Milk ", due_date: "2026-12-31T17:00:00+01:00", tags: ["a", "A"] });
  store.updateTask(id, { title: "Oat milk", recurrence: { rule: "RRULE:FREQ=DAILY" } });
  store.updateTask(id, { title: "Soy milk" });
  await store.sync();
  await change(user, id, { title: "Rice milk" });
  await until(() => store.task(id)?.title === "Rice milk");
  store.updateTask(id, { title: "Milk" });
  await store.sync();
  assert.deepEqual(conflictsIn(events), []);
  assert.deepEqual(store.task(id), await taskThere(user, id));
});

test("a write that is refused is undone, and reported with both versions", async () => {
  const user = randomUUID();
  const { store, events, network } = await open(user);
  const { id, revision } = store.createTask({ title: "Milk" });
  assert.equal(revision, 0);
  await store.sync();
  network.isOffline = true;
  store.updateTask(id, { title: "x".repeat(501) });
  store.updateTask(id, { description: "kept" });
  network.isOffline = false;
  await store.sync();
  assert.deepEqual([store.task(id)?.title, store.task(id)?.description], ["Milk", "kept"]);
  const [event] = rejectionsIn(events);
  assert.deepEqual([event?.problem.status, event?.operation.op], [400, "update"]);
  assert.equal((event?.yours as Task).title.length, 501);
  assert.equal((event?.theirs as Task).title, "Milk");
  assert.equal(store.status.pending, 0);
});

test("a change of a task that was deleted elsewhere is reported", async () => {
  const user = randomUUID();
  const { store, events, network } = await open(user);
  const { id } = store.createTask({ title: "Milk" });
  await store.sync();
  network.isOffline = true;
  store.updateTask(id, { title: "Oat milk" });
  await service.response(user, `/api/tasks/${id}`, { method: "DELETE" });
  network.isOffline = false;
  await store.sync();
  const [event] = rejectionsIn(events);
  assert.deepEqual([event?.problem.code, (event?.yours as Task).title, event?.theirs], ["task-not-found", "Oat milk", undefined]);
  assert.equal(store.task(id), undefined);
});

test("with a precondition, a change of what has changed meanwhile is refused", async () => {
  const user = randomUUID();
  const { store, events, network } = await open(user);
  const { id } = store.createTask({ title: "Milk" });
  await store.sync();
  network.isOffline = true;
  store.updateTask(id, { title: "Oat milk" }, { ifRevision: store.task(id)!.revision });
  await change(user, id, { description: "Two litres" });
  network.isOffline = false;
  await store.sync();
  const [event] = rejectionsIn(events);
  assert.equal(event?.problem.code, "revision-mismatch");
  assert.deepEqual([(event?.yours as Task).title, (event?.theirs as Task).description], ["Oat milk", "Two litres"]);
  assert.equal(store.task(id)?.title, "Milk");
});

test("a late copy of a batch that was refused does nothing", async () => {
  const user = randomUUID();
  const { store, events, network } = await open(user);
  const [a, b] = [store.createTask({ title: "a" }), store.createTask({ title: "b" })];
  await store.sync();
  network.isOffline = true;
  store.updateTask(a.id, { title: "mine" });
  store.moveTask(a.id, { after: b.id });
  await service.response(user, `/api/tasks/${b.id}`, { method: "DELETE" });
  network.isOffline = false;
  network.writes.length = 0;
  await store.sync();
  assert.deepEqual(rejectionsIn(events).map((event) => event.problem.code), ["neighbour-not-found"]);
  await service.response(user, `/api/tasks/${b.id}/restore`, { method: "POST" });
  await change(user, a.id, { title: "later" });
  const body = JSON.parse(await network.writes[0]!.clone().text()) as { operations: { if_match?: string }[] };
  const copy = await fetch(network.writes[0]!);
  assert.deepEqual([body.operations.length, copy.status], [2, 422]);
  assert.equal((await taskThere(user, a.id))?.title, "later");
});

test("an answer of a proxy is no refusal", async () => {
  const user = randomUUID();
  const { store, events, network } = await open(user);
  network.instead = () => new Response("<html>", { status: 404 });
  const { id } = store.createTask({ title: "Milk" });
  await until(() => network.instead === undefined);
  await store.sync();
  assert.ok(await taskThere(user, id));
  assert.deepEqual(rejectionsIn(events), []);
});

test("a write that is made while the store connects is sent then", async () => {
  const user = randomUUID();
  const { store, network } = await open(user);
  network.delayReads = async () => {
    store.createTask({ title: "Milk" });
    await store.saved();
  };
  await until(() => network.delayReads === undefined);
  await until(() => store.status.pending === 0 && store.tasks()[0]!.revision > 0);
});

test("it goes offline and online with the browser", async (context) => {
  const page = new EventTarget();
  const names = ["addEventListener", "removeEventListener"] as const;
  for (const name of names) Object.assign(globalThis, { [name]: page[name].bind(page) });
  context.after(() => names.forEach((name) => Object.assign(globalThis, { [name]: undefined })));
  const slow = { retry: { ...QUICK, firstDelay: 60_000, longestDelay: 60_000 } };
  const user = randomUUID();
  const network = new FlakyNetwork(1, 0);
  const client = createClient({ baseUrl: service.url, token: async () => tokenOf(user), fetch: network.fetch, ...slow });
  const store = await TodoStore.open({ client, user, storage: memoryStorage() });
  opened.push(store);
  await until(() => store.status.connected);
  await new Promise((resolve) => setTimeout(resolve, 300)); // until the stream is open
  page.dispatchEvent(new Event("offline"));
  await until(() => !store.status.connected);
  page.dispatchEvent(new Event("online"));
  await until(() => store.status.connected);
});

test("a long outbox is sent in batches and in order", async () => {
  const user = randomUUID();
  const { store, network } = await open(user);
  await store.sync();
  network.isOffline = true;
  for (let count = 0; count < 260; count++) store.createTask({ title: `task ${count}`, description: "x".repeat(2000) });
  const shown = store.tasks().map((task) => task.title);
  network.isOffline = false;
  network.writes.length = 0;
  await store.sync();
  assert.deepEqual(shown, Array.from({ length: 260 }, (_, count) => `task ${count}`));
  assert.deepEqual(store.tasks().map((task) => task.title), shown);
  const there = (await (await service.response(user, "/api/tasks?sort=position&limit=1000")).json()) as Task[];
  assert.deepEqual(store.tasks(), there);
  assert.equal(network.writes.length, 6);
});

test("a first load of several pages is shown when it is complete", async () => {
  const user = randomUUID();
  const times = { created_at: "2026-01-01T00:00:00Z", updated_at: "2026-01-01T00:00:00Z" };
  const tasks = Array.from({ length: 2500 }, (_, count) => ({ id: randomUUID(), title: `task ${count}`, ...times }));
  const document = { format: "todo-api-export", version: 1, lists: [], tasks };
  await service.response(user, "/api/me/import", { method: "POST", body: JSON.stringify(document) });
  const { store } = await open(user);
  const counts = new Set([store.tasks().length]);
  store.subscribe(() => counts.add(store.tasks().length));
  await store.sync();
  assert.deepEqual([...counts], [0, 2500]);
});

test("a listener that throws does not disturb the store", async () => {
  const user = randomUUID();
  const { store } = await open(user);
  const thrown: Error[] = [];
  const catcher = (error: Error) => void thrown.push(error);
  const listeners = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  process.on("uncaughtException", catcher);
  const unsubscribe = store.subscribe(() => {
    throw new Error("of the listener");
  });
  const { id } = store.createTask({ title: "Milk" });
  await store.sync();
  unsubscribe();
  await new Promise((resolve) => setTimeout(resolve, 10));
  process.off("uncaughtException", catcher);
  for (const listener of listeners) process.on("uncaughtException", listener);
  assert.ok((await taskThere(user, id)) && thrown.some((error) => error.message === "of the listener"));
});

test("a token that is refused pauses the outbox and is reported; nothing is dropped", async () => {
  const user = randomUUID();
  let token = tokenOf(user, -600);
  const { store } = await open(user, {}, async () => token);
  const { id } = store.createTask({ title: "Milk" });
  await assert.rejects(store.sync(), (error) => error instanceof ApiError && error.code === "expired-token");
  await until(() => (store.status.lastError as ApiError | undefined)?.status === 401);
  assert.deepEqual([store.status.connected, store.status.pending], [false, 1]);
  token = tokenOf(user);
  await store.sync();
  assert.ok(await taskThere(user, id));
  assert.equal(store.status.lastError, undefined);
});

test("nothing is sent with the token of another user", async () => {
  const [user, other] = [randomUUID(), randomUUID()];
  const { store } = await open(user, {}, async () => tokenOf(other));
  store.createTask({ title: "Milk" });
  await assert.rejects(store.sync(), AnotherUserError);
  assert.equal(store.status.pending, 1);
  assert.deepEqual(await (await service.response(other, "/api/tasks")).json(), []);
});

test("everything is loaded again when the token of the delta is not valid any more", async () => {
  const user = randomUUID();
  const { store, network } = await open(user);
  const old = store.createTask({ title: "old" });
  store.createList({ name: "old" });
  await store.sync();
  network.isOffline = true;
  await service.response(user, "/api/me", { method: "DELETE" });
  await service.response(user, "/api/tasks", { method: "POST", body: JSON.stringify({ title: "new" }) });
  store.createTask({ title: "mine" });
  network.isOffline = false;
  await store.sync();
  assert.deepEqual(store.tasks().map((task) => task.title).sort(), ["mine", "new"]);
  assert.deepEqual([store.lists(), store.task(old.id)], [[], undefined]);
});

test("a task that repeats is shown completed at once, and its next one comes", async () => {
  const user = randomUUID();
  const { store, network } = await open(user);
  const { id } = store.createTask({ title: "Water", due_date: "2030-01-01", recurrence: { rule: "FREQ=DAILY" } });
  await store.sync();
  network.isOffline = true;
  store.completeTask(id);
  assert.deepEqual(store.tasks().map((task) => task.completed), [true]);
  network.isOffline = false;
  await store.sync();
  const next = store.tasks().find((task) => task.id === store.task(id)?.next_id);
  assert.deepEqual([next?.due_date, next?.completed], ["2030-01-02", false]);
  store.skipTask(next!.id);
  assert.equal(store.task(next!.id), undefined);
  await store.sync();
  assert.deepEqual(store.tasks().map((task) => task.due_date).sort(), ["2030-01-01", "2030-01-03"]);
});

test("moves and restores are shown at once as the service will do them", async () => {
  const user = randomUUID();
  const { store, network } = await open(user);
  const [a, b, c] = ["a", "b", "c"].map((title) => store.createTask({ title }));
  const list = store.createList({ name: "Food" });
  await store.sync();
  network.isOffline = true;
  store.moveTask(c!.id, { before: b!.id });
  store.moveTask(a!.id, { to: "end", list_id: list.id });
  const titles = () => store.tasks().map((task) => task.title).join("");
  assert.equal(titles(), "cba");
  store.deleteTask(b!.id);
  store.deleteList(list.id);
  assert.equal(titles(), "c");
  store.restoreList(list.id);
  store.restoreTask(b!.id);
  assert.equal(titles(), "cba");
  const shown = store.tasks().map((task) => [task.id, task.list_id]);
  network.isOffline = false;
  await store.sync();
  assert.deepEqual(store.tasks().map((task) => [task.id, task.list_id]), shown);
  const there = (await (await service.response(user, "/api/tasks?sort=position")).json()) as Task[];
  assert.deepEqual(store.tasks(), there);
});

test("a list that is deleted with its tasks kept leaves them in the inbox", async () => {
  const user = randomUUID();
  const { store } = await open(user);
  const list = store.createList({ name: "Food" });
  const { id } = store.createTask({ title: "Bread", list_id: list.id });
  await store.sync();
  store.deleteList(list.id, { tasks: "keep" });
  assert.equal(store.task(id)?.list_id, null);
  await store.sync();
  assert.equal((await taskThere(user, id))?.list_id, null);
  assert.deepEqual((await (await service.response(user, "/api/lists")).json()) as TaskList[], []);
});

test("another user's sign-in starts an empty copy, and deletes the former's", async () => {
  const [user, other] = [randomUUID(), randomUUID()];
  const storage = memoryStorage();
  const first = await open(user, { storage });
  first.store.createTask({ title: "mine" });
  await first.store.sync();
  await first.store.close();
  const second = await open(other, { storage });
  assert.deepEqual(second.store.tasks(), []);
  await second.store.close();
  const again = await open(user, { storage });
  again.network.isOffline = true;
  assert.deepEqual([again.store.tasks(), again.store.status.loaded], [[], false]);
});

test("the same arrays and objects are returned until something changes", async () => {
  const { store } = await open(randomUUID());
  const { id } = store.createTask({ title: "Milk" });
  store.createTask({ title: "Bread", completed: true });
  await store.sync();
  const [all, pending, task] = [store.tasks(), store.tasks({ status: "pending" }), store.task(id)];
  assert.deepEqual(pending.map((one) => one.title), ["Milk"]);
  await store.sync();
  assert.ok(all === store.tasks() && pending === store.tasks({ status: "pending" }) && task === store.task(id));
  store.createTask({ title: "Eggs", completed: true });
  assert.ok(all !== store.tasks() && pending === store.tasks({ status: "pending" }) && task === store.task(id));
});
