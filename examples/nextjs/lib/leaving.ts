"use client";

import type { TaskChanges, TodoStore } from "todo-api-client";

/** What was typed just before the page went away. IndexedDB may not finish then; localStorage does. */
interface Unsaved {
  user: string;
  task: string;
  changes: TaskChanges;
}

const KEY = "unsaved";
let isLeaving = false;

if (typeof window !== "undefined") {
  window.addEventListener("pagehide", () => (isLeaving = true), { capture: true });
  window.addEventListener("pageshow", () => (isLeaving = false));
}

/** If the page is going away, keep the change for the next visit, and return true. */
export function keepIfLeaving(one: Unsaved): boolean {
  if (isLeaving) localStorage.setItem(KEY, JSON.stringify([...unsaved(), one]));
  return isLeaving;
}

/** Save what was kept when the page went away. */
export function saveKept(store: TodoStore, user: string): void {
  for (const one of unsaved()) {
    if (one.user === user && store.task(one.task)) store.updateTask(one.task, one.changes);
  }
  localStorage.removeItem(KEY);
}

function unsaved(): Unsaved[] {
  return JSON.parse(localStorage.getItem(KEY) ?? "[]") as Unsaved[];
}
