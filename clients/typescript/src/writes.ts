import { valuesOf } from "./effects.js";
import { newId } from "./ids.js";
import { between } from "./positions.js";
import type { Replica } from "./replica.js";
import type {
  ChecklistItem, ListChanges, ListFields, Operation, Place, Task, TaskChanges, TaskFields, TaskList, TaskPlace,
} from "./schemas.js";
import type { LocalEffect } from "./storage.js";

export interface Precondition {
  /** Refuse the change if the record has another revision at the service; otherwise, changes are merged by field. */
  ifRevision?: number;
}

/** The writes of a store. Each shows its effect at once, and is sent later. */
export abstract class Writes {
  protected abstract readonly replica: Replica;
  protected abstract get user(): string;
  /** What was deleted here, so that it can be shown again at once. */
  readonly #deleted = new Map<string, { task?: Task; list?: TaskList; tasks?: readonly Task[] }>();

  createTask(fields: TaskFields): Task {
    const at = now();
    const operation = { op: "create", ...withItemIds(fields), id: fields.id ?? newId() } as Operation & { id: string };
    const task = this.#newTask(operation, at);
    this.#write(operation, { task }, at);
    return this.#task(operation.id);
  }

  /** Change fields; null clears one. */
  updateTask(id: string, changes: TaskChanges, condition: Precondition = {}): Task {
    this.#task(id);
    this.#write({ op: "update", id, ...withItemIds(changes), ...matchOf(condition) });
    return this.#task(id);
  }

  /** Complete a task. If it repeats, the next one comes from the service. */
  completeTask(id: string): Task {
    return this.#setCompleted(id, true);
  }

  reopenTask(id: string): Task {
    return this.#setCompleted(id, false);
  }

  /** Move this occurrence of a task that repeats to the trash; the next one comes from the service. */
  skipTask(id: string): void {
    this.#deleted.set(id, { task: this.#task(id) });
    this.#write({ op: "skip", id });
  }

  deleteTask(id: string): void {
    this.#deleted.set(id, { task: this.#task(id) });
    this.#write({ op: "delete", id });
  }

  /** Restore a task from the trash. It is shown at once if it was deleted here, or if the task itself is given. */
  restoreTask(task: string | Task): void {
    const id = typeof task === "string" ? task : task.id;
    const known = typeof task === "string" ? this.#deleted.get(id)?.task : task;
    this.#write({ op: "restore", id }, known ? { task: known } : {});
  }

  /** Move a task in the manual order. */
  moveTask(id: string, place: TaskPlace): Task {
    this.#task(id);
    const { copy } = this.replica;
    const position = positionAt(place, copy.tasks(), id);
    const list = place.list_id !== undefined ? place.list_id : this.#listBeside(place);
    const into = list !== undefined && list !== copy.task(id)?.list_id ? { list_id: list } : {};
    this.#write({ op: "move", id, ...place, ...into } as Operation, { position });
    return this.#task(id);
  }

  createList(fields: ListFields): TaskList {
    const at = now();
    const { id = newId(), ...rest } = fields;
    const operation: Operation = { op: "create_list", ...rest, id };
    const position = between(this.replica.copy.lists().at(-1)?.position, undefined);
    const times = { created_at: at, updated_at: at };
    const list = { user_id: this.user, name: "", color: null, position, ...times, revision: 0, ...valuesOf(operation), id };
    this.#write(operation, { list }, at);
    return this.#list(id);
  }

  updateList(id: string, changes: ListChanges, condition: Precondition = {}): TaskList {
    this.#list(id);
    this.#write({ op: "update_list", id, ...changes, ...matchOf(condition) });
    return this.#list(id);
  }

  /** Delete a list and its tasks, or keep the tasks: they move to the inbox. */
  deleteList(id: string, { tasks = "trash" }: { tasks?: "trash" | "keep" } = {}): void {
    const list = this.#list(id);
    const its = tasks === "trash" ? this.replica.copy.tasks().filter((task) => task.list_id === id) : [];
    this.#deleted.set(id, { list, tasks: its });
    this.#write({ op: "delete_list", id, tasks });
  }

  /** Restore a list, and the tasks that were deleted with it. */
  restoreList(list: string | TaskList): void {
    const id = typeof list === "string" ? list : list.id;
    const known = this.#deleted.get(id) ?? (typeof list === "string" ? {} : { list });
    this.#write({ op: "restore_list", id }, known);
  }

  moveList(id: string, place: Place): TaskList {
    this.#list(id);
    const position = positionAt(place, this.replica.copy.lists(), id);
    this.#write({ op: "move_list", id, ...place } as Operation, { position });
    return this.#list(id);
  }

  #setCompleted(id: string, completed: boolean): Task {
    this.#task(id);
    this.#write({ op: "complete", id, completed });
    return this.#task(id);
  }

  #newTask(operation: Operation & { id: string }, at: string): Task {
    const values = valuesOf(operation);
    const position = between(this.replica.copy.tasks().at(-1)?.position, undefined);
    return {
      user_id: this.user, title: "", description: null, completed: false, due_date: null, list_id: null,
      priority: "none", tags: [], checklist: [], position, recurrence: null, series_id: null, previous_id: null,
      next_id: null, created_at: at, updated_at: at, revision: 0, ...values, id: operation.id,
      completed_at: values.completed ? at : null,
    };
  }

  #listBeside(place: TaskPlace): string | null | undefined {
    const neighbour = neighbourOf(place);
    return neighbour === undefined ? undefined : this.replica.copy.task(neighbour)?.list_id;
  }

  #write(operation: Operation, local: LocalEffect = {}, at = now()): void {
    this.replica.write(operation, at, local);
  }

  #task(id: string): Task {
    const task = this.replica.copy.task(id);
    if (!task) throw new Error(`there is no task ${id} here`);
    return task;
  }

  #list(id: string): TaskList {
    const list = this.replica.copy.list(id);
    if (!list) throw new Error(`there is no list ${id} here`);
    return list;
  }
}

function now(): string {
  return new Date().toISOString();
}

function matchOf({ ifRevision }: Precondition): { if_match?: string } {
  return ifRevision === undefined ? {} : { if_match: `"${ifRevision}"` };
}

/** Give checklist items ids here, so that later changes can name them before the first one has arrived. */
function withItemIds<T extends { checklist?: unknown }>(fields: T): T {
  const items = fields.checklist as Partial<ChecklistItem>[] | null | undefined;
  return items ? { ...fields, checklist: items.map((item) => ({ ...item, id: item.id ?? newId() })) } : fields;
}

function neighbourOf(place: Place): string | undefined {
  return "before" in place ? place.before : "after" in place ? place.after : undefined;
}

/** Return a provisional position at a place among records in the manual order, not counting the one that moves. */
function positionAt(place: Place, all: readonly { id: string; position: string }[], moving: string): string {
  const others = all.filter((record) => record.id !== moving);
  if ("to" in place) {
    return place.to === "start" ? between(undefined, others[0]?.position) : between(others.at(-1)?.position, undefined);
  }
  const index = others.findIndex((record) => record.id === neighbourOf(place));
  if (index < 0) throw new Error(`there is no neighbour ${neighbourOf(place)} here`);
  const before = "before" in place ? index : index + 1;
  return between(others[before - 1]?.position, others[before]?.position);
}
