"use client";

import { useEffect } from "react";
import type { ConflictEvent, Recurrence, RejectedEvent, Task, TaskChanges, TodoStore } from "todo-api-client";
import { type Message, useToast } from "@/components/toasts";
import { dueText } from "@/lib/due";
import { useStore } from "@/lib/store";

/** Say what the server refused, and what another device changed at the same time. */
export function useReports(): void {
  const store = useStore();
  const toast = useToast();
  useEffect(
    () =>
      store.subscribe((event) => {
        if (event.kind === "rejected") toast(rejection(event, store));
        if (event.kind === "conflict") toast(conflict(event, store));
      }),
    [store, toast],
  );
}

const WHAT: Record<string, string> = {
  create: "was not added",
  create_list: "was not added",
  update: "was not changed",
  update_list: "was not changed",
  move: "was not moved",
  move_list: "was not moved",
  delete: "was not deleted",
  delete_list: "was not deleted",
  complete: "was not completed",
  restore: "was not restored",
  restore_list: "was not restored",
  skip: "was not skipped",
};

function rejection({ operation, problem, yours, theirs }: RejectedEvent, store: TodoStore): Message {
  const record = yours ?? theirs;
  const name = record ? ("title" in record ? record.title : record.name) : "A change";
  const text = `“${name}” ${WHAT[operation.op] ?? "was not changed"}: ${problem.detail}.`;
  const { op, id, if_match: _, ...values } = operation as Record<string, unknown> & { op: string; id?: string };
  const typed = textsIn(values).join("\n");
  const again = { label: "Try again", run: () => repeat(store, op, id, values, yours) };
  const isRepeatable = ["create", "update"].includes(op);
  return { text, typed: typed || undefined, isProblem: true, actions: isRepeatable ? [again] : [] };
}

const TYPED = ["title", "name", "description", "rule", "tags", "checklist"];

/** What a person has typed, at any depth of an operation. */
function textsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (Array.isArray(value)) return value.flatMap(textsIn);
  if (typeof value !== "object" || value === null) return [];
  const entries = Object.entries(value).filter(([key, one]) => TYPED.includes(key) || typeof one === "object");
  return entries.flatMap(([, one]) => textsIn(one));
}

function repeat(store: TodoStore, op: string, id: string | undefined, values: object, yours: RejectedEvent["yours"]): void {
  if (op === "update" && id && store.task(id)) store.updateTask(id, values as TaskChanges);
  else if (yours && "title" in yours) store.createTask(fieldsOf(yours));
}

function fieldsOf({ title, description, due_date, priority, tags, checklist }: Task) {
  return { title, description, due_date, priority, tags, checklist };
}

function conflict({ id, field, yours, theirs, winner }: ConflictEvent, store: TodoStore): Message {
  const record = store.task(id) ?? store.list(id);
  const name = record ? ("title" in record ? record.title : record.name) : "A task";
  const other = winner === "yours" ? theirs : yours;
  const whose = winner === "yours" ? "the other device’s" : "yours";
  const use = () => (store.task(id) ? store.updateTask(id, { [field]: other }) : store.updateList(id, { [field]: other }));
  return {
    text: `Another device changed the ${words(field)} of “${name}” too. The later change stays; this was ${whose}:`,
    typed: shown(field, other, store),
    isProblem: true,
    actions: record ? [{ label: "Use it instead", run: use }] : [],
  };
}

/** A value of a field, as a person knows it. */
function shown(field: string, value: unknown, store: TodoStore): string {
  if (value === null || (Array.isArray(value) && !value.length)) return "nothing";
  if (field === "list_id") return store.list(String(value))?.name ?? "a list that was deleted";
  if (field === "due_date") return dueText(String(value));
  if (field === "completed") return value ? "done" : "not done";
  if (Array.isArray(value)) return textsIn(value).join(", ");
  return typeof value === "object" ? (value as Recurrence).rule : String(value);
}

const words = (field: string) => field.replaceAll("_", " ");
