import { applyEntry, type Records } from "./effects.js";
import type { Task, TaskList } from "./schemas.js";
import { Sorted } from "./sorted.js";
import type { Entry, StoredChange } from "./storage.js";

export interface ChangedIds {
  tasks: string[];
  lists: string[];
}

type Layer<T> = Map<string, T | undefined>;

/**
 * The copy in memory: what the service had last (`base`), and over it the effects of the writes that have not come by
 * the delta. So a write is undone by leaving it out.
 */
export class LocalCopy implements Records {
  token = "";
  readonly baseTasks = new Map<string, Task>();
  readonly baseLists = new Map<string, TaskList>();
  /** By sequence; those without one are not stored yet, and come last. */
  outbox: readonly Entry[] = [];
  #tasks: Layer<Task> = new Map();
  #lists: Layer<TaskList> = new Map();
  readonly #sortedTasks = new Sorted((id) => this.task(id), () => this.allTasks());
  readonly #sortedLists = new Sorted((id) => this.list(id), () => shown(this.baseLists, this.#lists));
  /** Changes with each change of what is shown. */
  version = 0;

  task(id: string): Task | undefined {
    return this.#tasks.has(id) ? this.#tasks.get(id) : this.baseTasks.get(id);
  }

  list(id: string): TaskList | undefined {
    return this.#lists.has(id) ? this.#lists.get(id) : this.baseLists.get(id);
  }

  allTasks(): Iterable<Task> {
    return shown(this.baseTasks, this.#tasks);
  }

  /** All tasks in the manual order. The array stays the same until something changes. */
  tasks(): readonly Task[] {
    return this.#sortedTasks.records();
  }

  lists(): readonly TaskList[] {
    return this.#sortedLists.records();
  }

  setTask(id: string, task: Task | undefined): void {
    this.#tasks.set(id, task);
  }

  setList(id: string, list: TaskList | undefined): void {
    this.#lists.set(id, list);
  }

  /** Add a write that was made here, and return what it changed. */
  add(entry: Entry): ChangedIds {
    const before = this.#layers();
    this.outbox = [...this.outbox, entry];
    applyEntry(entry, this);
    return this.#changes(before, { tasks: [], lists: [] });
  }

  /** Replace the outbox and apply a change to the base, and return what it changed. */
  update(outbox: readonly Entry[], change: StoredChange = {}): ChangedIds {
    const before = this.#layers();
    const touched = { tasks: touchedBy(change.tasks, change.goneTasks), lists: touchedBy(change.lists, change.goneLists) };
    if (change.reset) {
      touched.tasks.push(...this.baseTasks.keys());
      touched.lists.push(...this.baseLists.keys());
    }
    const earlier = {
      tasks: new Map(touched.tasks.map((id) => [id, this.task(id)])),
      lists: new Map(touched.lists.map((id) => [id, this.list(id)])),
    };
    this.#applyToBase(change);
    this.outbox = outbox;
    this.#tasks = new Map();
    this.#lists = new Map();
    for (const entry of outbox) applyEntry(entry, this);
    for (const [id, task] of earlier.tasks) before.tasks.set(id, task);
    for (const [id, list] of earlier.lists) before.lists.set(id, list);
    return this.#changes(before, touched);
  }

  #applyToBase(change: StoredChange): void {
    if (change.reset) {
      this.baseTasks.clear();
      this.baseLists.clear();
    }
    for (const task of change.tasks ?? []) this.baseTasks.set(task.id, task);
    for (const id of change.goneTasks ?? []) this.baseTasks.delete(id);
    for (const list of change.lists ?? []) this.baseLists.set(list.id, list);
    for (const id of change.goneLists ?? []) this.baseLists.delete(id);
    this.token = change.token ?? this.token;
  }

  #layers(): { tasks: Layer<Task>; lists: Layer<TaskList> } {
    return { tasks: new Map(this.#tasks), lists: new Map(this.#lists) };
  }

  /** Return which records are shown differently than before, and keep the objects of those that are equal. */
  #changes(before: { tasks: Layer<Task>; lists: Layer<TaskList> }, touched: ChangedIds): ChangedIds {
    const tasks = differing(before.tasks, this.#tasks, this.baseTasks, touched.tasks);
    const lists = differing(before.lists, this.#lists, this.baseLists, touched.lists);
    this.#sortedTasks.changed(tasks);
    this.#sortedLists.changed(lists);
    if (tasks.length || lists.length) this.version++;
    return { tasks, lists };
  }
}

function* shown<T>(base: ReadonlyMap<string, T>, layer: Layer<T>): Iterable<T> {
  for (const [id, record] of base) if (!layer.has(id)) yield record;
  for (const record of layer.values()) if (record !== undefined) yield record;
}

function touchedBy(records: readonly { id: string }[] = [], gone: readonly string[] = []): string[] {
  return [...records.map((record) => record.id), ...gone];
}

function differing<T>(before: Layer<T>, after: Layer<T>, base: Map<string, T>, touched: readonly string[]): string[] {
  const changed: string[] = [];
  for (const id of new Set([...before.keys(), ...after.keys(), ...touched])) {
    const old = before.has(id) ? before.get(id) : base.get(id);
    const current = after.has(id) ? after.get(id) : base.get(id);
    if (old === current) continue;
    if (old === undefined || current === undefined || JSON.stringify(old) !== JSON.stringify(current)) changed.push(id);
    else if (after.has(id)) after.set(id, old);
    else base.set(id, old);
  }
  return changed;
}
