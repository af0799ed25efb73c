import type { Client } from "./client.js";
import type { ChangedIds } from "./copy.js";
import type { ConflictEvent, RejectedEvent, Status, StoreEvent } from "./events.js";
import { Exchange } from "./exchange.js";
import { conditionOf, type TaskFilter } from "./filter.js";
import { Replica } from "./replica.js";
import type { Task, TaskList } from "./schemas.js";
import { Session } from "./session.js";
import { type CopyStorage, memoryStorage, type OpenedStorage } from "./storage.js";
import { errorOf, failureOf, joinTabs, leadOneOf, type Locks, type Message, type Tabs } from "./tabs.js";
import { Writes } from "./writes.js";

export interface StoreOptions {
  client: Client;
  /** The user whose copy this is: the `sub` of the tokens. */
  user: string;
  /** Where the copy is kept: by default IndexedDB where there is one, and memory elsewhere. */
  storage?: CopyStorage;
  /** The zone of the views by due date; by default that of the device. */
  timeZone?: string;
  /** By default `navigator.locks`. */
  locks?: Locks;
}

/**
 * A local copy of a user's tasks and lists. Reads come from it at once. Writes change it at once, wait in an outbox, and
 * arrive in order and once.
 */
export class TodoStore extends Writes {
  protected override readonly replica: Replica;
  readonly #options: StoreOptions;
  readonly #listeners = new Set<(event: StoreEvent) => void>();
  readonly #closing = new AbortController();
  readonly #filtered = new Map<string, { version: number; minute: number; tasks: readonly Task[] }>();
  #tabs: Tabs = { tell() {}, close() {} };
  #session: Session | undefined;
  #syncing: { resolve: () => void; reject: (error: Error) => void }[] = [];
  #status: Status = {
    connected: false, pending: 0, leader: false, loaded: false, lastError: undefined, closed: false,
  };

  /** Open the copy of a user, also without a network. The copies of all other users are deleted. */
  static async open(options: StoreOptions): Promise<TodoStore> {
    const storage = options.storage ?? (await defaultStorage());
    let onErased = () => {};
    const store = new TodoStore(await storage.open(options.user, () => onErased()), options);
    onErased = () => store.#end();
    await store.replica.refresh();
    store.#start(storage.shared);
    return store;
  }

  /** Delete the copy of a user from this device, writes that have not arrived included. */
  static async erase(user: string, storage?: CopyStorage): Promise<void> {
    await (storage ?? (await defaultStorage())).erase(user);
  }

  private constructor(opened: OpenedStorage, options: StoreOptions) {
    super();
    this.#options = options;
    this.replica = new Replica(opened, {
      changed: (ids) => this.#changed(ids),
      written: () => this.#written(),
      stored: (ids) => this.#tabs.tell({ kind: "stored", ids }),
      failed: (lastError) => this.#setStatus({ lastError }),
    });
  }

  protected override get user(): string {
    return this.#options.user;
  }

  get status(): Status {
    return this.#status;
  }

  /** The tasks outside the trash that meet a filter, in the manual order; the same array until something changes. */
  tasks(filter?: TaskFilter): readonly Task[] {
    const { copy } = this.replica;
    if (!filter) return copy.tasks();
    const key = JSON.stringify(filter);
    const minute = filter.due ? Math.floor(Date.now() / 60_000) : 0; // what is overdue changes with the clock
    const kept = this.#filtered.get(key);
    if (kept?.version === copy.version && kept.minute === minute) return kept.tasks;
    const found = copy.tasks().filter(conditionOf(filter, this.timeZone));
    const same = kept?.tasks.length === found.length && found.every((task, index) => task === kept.tasks[index]);
    const tasks = same ? kept.tasks : found;
    if (this.#filtered.size > 100) this.#filtered.clear();
    this.#filtered.set(key, { version: copy.version, minute, tasks });
    return tasks;
  }

  task(id: string): Task | undefined {
    return this.replica.copy.task(id);
  }

  /** The lists outside the trash, in their manual order. */
  lists(): readonly TaskList[] {
    return this.replica.copy.lists();
  }

  list(id: string): TaskList | undefined {
    return this.replica.copy.list(id);
  }

  get timeZone(): string {
    return this.#options.timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
  }

  /** Whether a change of this task or list has not arrived. */
  isPending(id: string): boolean {
    return this.replica.copy.outbox.some((entry) => !entry.arrived && entry.operation.id === id);
  }

  /** Call the listener after each change, and return a function that ends it. It may be passed on without the store. */
  readonly subscribe = (listener: (event: StoreEvent) => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  /** Wait until all writes so far are stored on this device. */
  saved(): Promise<void> {
    return this.replica.saved();
  }

  /** Send the outbox and read the changes now; fails if the service cannot be reached, or refuses the token. */
  async sync(): Promise<void> {
    await this.saved();
    if (this.#session) return this.#session.sync();
    await new Promise<void>((resolve, reject) => {
      this.#syncing.push({ resolve, reject });
      this.#tabs.tell({ kind: "sync" });
    });
  }

  /** End all activity here. What is stored stays, and is sent when the copy is opened again. */
  async close(): Promise<void> {
    await this.saved();
    this.#end();
  }

  #start(shared: boolean): void {
    const name = `todo-api:${this.#options.user}`;
    const locks = shared ? (this.#options.locks ?? (globalThis.navigator as Navigator | undefined)?.locks) : undefined;
    if (locks) this.#tabs = joinTabs(name, (message) => void this.#hear(message));
    this.#tabs.tell({ kind: "hello" });
    leadOneOf(name, locks, this.#closing.signal, () => this.#lead());
  }

  async #lead(): Promise<void> {
    const { signal } = this.#closing;
    await this.replica.refresh(); // what the former leader stored last
    const client = this.#options.client.forUser(this.#options.user);
    const exchange = new Exchange(client, this.replica, (event) => this.#report(event), signal);
    this.#session = new Session(client, this.replica.copy, exchange, (state) => this.#setStatus(state), signal);
    this.#setStatus({ leader: true });
    this.#settle((one) => this.sync().then(one.resolve, one.reject)); // those that the former leader left
    await this.#session.run();
  }

  async #hear(message: Message): Promise<void> {
    if (this.#status.closed) return;
    switch (message.kind) {
      case "stored":
        return this.replica.refresh(message.ids).catch(() => undefined); // closed meanwhile
      case "written":
        await this.replica.refresh(NOTHING).catch(() => undefined);
        return this.#session?.sendSoon();
      case "report":
        return this.#emit(message.event);
      case "state":
        if (this.#session) return;
        return this.#setStatus({ connected: message.connected, lastError: errorOf(message.failure) });
      case "hello":
        return this.#tellState();
      case "sync":
        return this.#syncForOthers();
      case "synced":
        return this.#settle((one) => (message.failure ? one.reject(errorOf(message.failure)!) : one.resolve()));
    }
  }

  async #syncForOthers(): Promise<void> {
    if (!this.#session) return;
    const failed = await this.#session.sync().then(() => undefined, (error: Error) => error);
    this.#tabs.tell({ kind: "synced", failure: failureOf(failed) });
  }

  #settle(settle: (one: { resolve: () => void; reject: (error: Error) => void }) => void): void {
    this.#syncing.splice(0).forEach(settle);
  }

  /** Something was stored or is about to be: by the leader, by a write here, or by another tab. */
  #changed(ids: ChangedIds): void {
    const { outbox, token } = this.replica.copy;
    if (ids.tasks.length || ids.lists.length) this.#emit({ kind: "changed", ...ids });
    this.#setStatus({ pending: outbox.filter((entry) => !entry.arrived).length, loaded: token !== "" });
  }

  #written(): void {
    this.#tabs.tell({ kind: "written" });
    this.#session?.sendSoon();
  }

  #report(event: ConflictEvent | RejectedEvent): void {
    this.#emit(event);
    this.#tabs.tell({ kind: "report", event });
  }

  #setStatus(change: Partial<Status>): void {
    const names = Object.keys(change) as (keyof Status)[];
    if (names.every((name) => change[name] === this.#status[name])) return;
    this.#status = { ...this.#status, ...change };
    this.#emit({ kind: "status" });
    this.#tellState();
  }

  #tellState(): void {
    const { connected, lastError } = this.#status;
    if (this.#session) this.#tabs.tell({ kind: "state", connected, failure: failureOf(lastError) });
  }

  #emit(event: StoreEvent): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(event);
      } catch (error) {
        setTimeout(() => { throw error; }); // to the page's error handlers, and not into the sync
      }
    }
  }

  #end(): void {
    if (this.#status.closed) return;
    this.#closing.abort(new Error("the store was closed"));
    this.replica.close();
    this.#tabs.close();
    this.#tabs = { tell() {}, close() {} };
    this.#settle((one) => one.reject(new Error("the store was closed")));
    this.#session = undefined;
    this.#setStatus({ closed: true, connected: false, leader: false });
  }
}

const NOTHING: ChangedIds = { tasks: [], lists: [] };

async function defaultStorage(): Promise<CopyStorage> {
  if (typeof indexedDB === "undefined") return memoryStorage();
  return (await import("./indexeddb.js")).indexedDBStorage();
}
