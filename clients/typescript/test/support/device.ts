import {
  type CopyStorage, createClient, memoryStorage, type Operation, type StoreEvent, type TaskChanges, type TaskPlace, TodoStore,
} from "../../src/index.js";
import { FlakyNetwork } from "./network.js";
import { type Service, tokenOf } from "./service.js";

export const QUICK = { tries: 3, firstDelay: 10, longestDelay: 100, timeout: 3000 };

export interface Step {
  device: number;
  act: Act;
  /** Chooses among the tasks, lists and places that there are. */
  pick: number;
  other: number;
}

export const ACTS = [
  "create", "create in a list", "create repeating", "change title", "change tags", "change priority", "complete", "reopen",
  "skip", "delete", "restore", "move", "move to an end", "create list", "change list", "move list", "delete list", "keep tasks",
  "restore list", "change if unchanged", "reload", "cut the network", "wait",
] as const;
export type Act = (typeof ACTS)[number];

/** A device of a user: a store that can be opened again, behind a network of its own. */
export class Device {
  readonly network: FlakyNetwork;
  readonly events: StoreEvent[] = [];
  /** All operations that were stored in the outbox, in order. */
  readonly made: Operation[] = [];
  store!: TodoStore;
  readonly #service: Service;
  readonly #user: string;
  readonly #storage: CopyStorage;
  #texts = 0;
  #deletedTask: string | undefined;
  #deletedList: string | undefined;

  constructor(service: Service, user: string, network: FlakyNetwork, storage = memoryStorage()) {
    this.#service = service;
    this.#user = user;
    this.network = network;
    this.#storage = recording(storage, this.made);
  }

  async open(): Promise<void> {
    const { url: baseUrl } = this.#service;
    const token = async () => tokenOf(this.#user);
    const client = createClient({ baseUrl, token, fetch: this.network.fetch, retry: QUICK });
    this.store = await TodoStore.open({ client, user: this.#user, storage: this.#storage });
    this.store.subscribe((event) => void this.events.push(event));
  }

  async reload(): Promise<void> {
    await this.store.close();
    await this.open();
  }

  async do({ act, pick, other }: Step): Promise<void> {
    const tasks = this.store.tasks();
    const task = tasks[pick % tasks.length];
    if (act === "create" || act === "create in a list" || act === "create repeating") return this.#create(act, pick);
    if (act === "reload") return this.reload();
    if (act === "cut the network") return void (this.network.isOffline = !this.network.isOffline);
    if (act === "wait") return new Promise((resolve) => setTimeout(resolve, pick % 120));
    if (act === "restore" && this.#deletedTask && !this.store.task(this.#deletedTask)) {
      return this.store.restoreTask(this.#deletedTask);
    }
    if (act.includes("list") || act === "keep tasks") return this.#doWithList(act, pick, other);
    if (task) this.#doWithTask(act, task.id, pick, other);
  }

  #doWithTask(act: Act, id: string, pick: number, other: number): void {
    const { store } = this;
    const change = (changes: TaskChanges) => void store.updateTask(id, changes);
    if (act === "change title") change({ title: this.#text() });
    if (act === "change tags") change({ tags: [this.#text()] });
    if (act === "change priority") change({ priority: (["none", "low", "high"] as const)[pick % 3]! });
    if (act === "complete") store.completeTask(id);
    if (act === "reopen") store.reopenTask(id);
    if (act === "skip") store.skipTask(id);
    if (act === "delete") store.deleteTask((this.#deletedTask = id));
    if (act === "change if unchanged") {
      store.updateTask(id, { description: this.#text() }, { ifRevision: store.task(id)!.revision || 1 });
    }
    if (act === "move") {
      const neighbour = store.tasks()[other % store.tasks().length]!.id;
      if (neighbour !== id) store.moveTask(id, pick % 2 ? { before: neighbour } : { after: neighbour });
    }
    if (act === "move to an end") {
      const place: TaskPlace = { to: pick % 2 ? "start" : "end" };
      store.moveTask(id, other % 2 ? place : { ...place, list_id: store.lists()[0]?.id ?? null });
    }
  }

  #doWithList(act: Act, pick: number, other: number): void {
    const { store } = this;
    const lists = store.lists();
    const list = lists[pick % lists.length];
    if (act === "create list") return void store.createList({ name: this.#text() });
    if (act === "restore list") {
      if (this.#deletedList && !store.list(this.#deletedList)) store.restoreList(this.#deletedList);
      return;
    }
    if (!list) return;
    if (act === "change list") store.updateList(list.id, pick % 2 ? { name: this.#text() } : { color: "#1e90ff" });
    if (act === "delete list") store.deleteList((this.#deletedList = list.id));
    if (act === "keep tasks") store.deleteList((this.#deletedList = list.id), { tasks: "keep" });
    if (act === "move list") {
      const neighbour = lists[other % lists.length]!.id;
      store.moveList(list.id, neighbour === list.id ? { to: "start" } : { before: neighbour });
    }
  }

  #create(act: Act, pick: number): void {
    const lists = this.store.lists();
    const fields = {
      ...(act === "create in a list" && lists.length && { list_id: lists[pick % lists.length]!.id }),
      ...(act === "create repeating" && { due_date: "2026-12-31", recurrence: { rule: "FREQ=DAILY" } }),
    };
    this.store.createTask({ title: this.#text(), ...fields });
  }

  #text(): string {
    return `text ${++this.#texts}`;
  }
}

function recording(storage: CopyStorage, made: Operation[]): CopyStorage {
  return {
    ...storage,
    async open(user, onErased) {
      const opened = await storage.open(user, onErased);
      const commit: typeof opened.commit = (change) => {
        made.push(...(change.added ?? []).map((entry) => entry.operation));
        return opened.commit(change);
      };
      return { ...opened, commit };
    },
  };
}
