import type { ChecklistItem, Operation, Task, TaskList } from "./schemas.js";
import type { Entry } from "./storage.js";

/** What an operation reads and changes. */
export interface Records {
  task(id: string): Task | undefined;
  list(id: string): TaskList | undefined;
  allTasks(): Iterable<Task>;
  setTask(id: string, task: Task | undefined): void;
  setList(id: string, list: TaskList | undefined): void;
}

/** Show what a write will do, as far as it can be known here: the rest, such as the next occurrence, comes by delta. */
export function applyEntry(entry: Entry, records: Records): void {
  const { operation, at, local } = entry;
  const change = (changes: Partial<Task>) => changeTask(records, operation.id!, changes);
  switch (operation.op) {
    case "create":
      return records.task(operation.id!) ? undefined : records.setTask(operation.id!, local.task);
    case "update":
      return change({ ...valuesOf(operation), updated_at: at });
    case "complete":
      return change({ completed: operation.completed!, completed_at: operation.completed ? at : null, updated_at: at });
    case "move":
      return change({ position: local.position!, ...(operation.list_id !== undefined && { list_id: operation.list_id }) });
    case "delete":
    case "skip":
      return records.setTask(operation.id, undefined);
    case "restore":
      if (local.task && !records.task(operation.id)) records.setTask(operation.id, inKnownList(local.task, records));
      return;
    default:
      applyListEntry(operation, entry, records);
  }
}

function applyListEntry(operation: Operation, { at, local }: Entry, records: Records): void {
  const list = records.list(operation.id!);
  switch (operation.op) {
    case "create_list":
    case "restore_list":
      if (!list && local.list) records.setList(local.list.id, local.list);
      for (const task of local.tasks ?? []) if (!records.task(task.id)) records.setTask(task.id, task);
      return;
    case "update_list":
      return list && records.setList(list.id, { ...list, ...valuesOf(operation), updated_at: at });
    case "move_list":
      return list && records.setList(list.id, { ...list, position: local.position! });
    case "delete_list":
      for (const task of [...records.allTasks()].filter((one) => one.list_id === operation.id)) {
        records.setTask(task.id, operation.tasks === "keep" ? { ...task, list_id: null } : undefined);
      }
      return records.setList(operation.id, undefined);
  }
}

function changeTask(records: Records, id: string, changes: Partial<Task>): void {
  const task = records.task(id);
  if (task) records.setTask(id, { ...task, ...changes });
}

function inKnownList(task: Task, records: Records): Task {
  return task.list_id !== null && !records.list(task.list_id) ? { ...task, list_id: null } : task;
}

const WITHOUT_VALUE: Partial<Task> = { priority: "none", tags: [], checklist: [] };

/** Return the fields that an operation sets, as the service will return them. */
export function valuesOf(operation: Operation): Partial<Task> & Partial<TaskList> {
  const { op: _op, id: _id, if_match: _match, ...given } = operation as Record<string, unknown>;
  const values: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(given)) {
    if (value === undefined) continue;
    values[field] = value === null ? (WITHOUT_VALUE[field as keyof Task] ?? null) : clean(field, value);
  }
  return values;
}

function clean(field: string, value: unknown): unknown {
  if (field === "title" || field === "name") return String(value).trim();
  if (field === "tags") return distinctTags(value as string[]);
  if (field === "checklist") return (value as ChecklistItem[]).map((item) => ({ ...item, completed: item.completed ?? false }));
  if (field === "recurrence") return { from: "due", time_zone: "UTC", ...(value as object) };
  return value;
}

function distinctTags(tags: readonly string[]): string[] {
  const distinct = new Map<string, string>();
  for (const tag of tags.map((one) => one.trim())) {
    const key = tag.normalize("NFC").toLowerCase();
    if (!distinct.has(key)) distinct.set(key, tag);
  }
  return [...distinct.values()];
}
