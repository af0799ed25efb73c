import type { Priority, Task } from "./schemas.js";
import { searchCondition } from "./search.js";

/** Which tasks to read, as in `GET /api/tasks`: a task must meet all conditions. */
export interface TaskFilter {
  status?: "all" | "pending" | "completed";
  /** A list's id, or "inbox" for the tasks without a list. */
  list?: string;
  tag?: string | readonly string[];
  priority?: Priority | readonly Priority[];
  due?: "overdue" | "today" | "upcoming" | "any" | "none";
  /** The beginnings of words in the title, the description, the tags or the checklist. */
  q?: string;
}

type Condition = (task: Task) => boolean;

/** Return whether a task meets the filter at a time in a zone. */
export function conditionOf(filter: TaskFilter, timeZone: string, now = new Date()): Condition {
  const conditions: Condition[] = [];
  const { status, list, due, q } = filter;
  if (status && status !== "all") conditions.push((task) => task.completed === (status === "completed"));
  if (list !== undefined) conditions.push((task) => (task.list_id ?? "inbox") === list);
  const tags = listOf(filter.tag).map(tagKey);
  if (tags.length) conditions.push((task) => tags.every((tag) => task.tags.some((one) => tagKey(one) === tag)));
  const priorities = listOf(filter.priority);
  if (priorities.length) conditions.push((task) => priorities.includes(task.priority));
  if (due) conditions.push(dueCondition(due, timeZone, now));
  if (q !== undefined) conditions.push(searchCondition(q));
  return (task) => conditions.every((condition) => condition(task));
}

function listOf<T>(value: T | readonly T[] | undefined): readonly T[] {
  return value === undefined ? [] : Array.isArray(value) ? value : [value as T];
}

function tagKey(tag: string): string {
  return tag.trim().normalize("NFC").toLowerCase();
}

/** Compare each kind of due date in its own way: a day, a local time, an instant. */
function dueCondition(view: NonNullable<TaskFilter["due"]>, timeZone: string, now: Date): Condition {
  if (view === "any") return (task) => task.due_date !== null;
  if (view === "none") return (task) => task.due_date === null;
  const clock = wallClock(timeZone);
  const time = clock(now);
  const today = time.slice(0, 10);
  return ({ due_date: due, completed }) => {
    if (due === null) return false;
    const instant = due.endsWith("Z") ? new Date(due) : undefined;
    const day = (instant ? clock(instant) : due).slice(0, 10);
    if (view === "today") return day === today;
    if (view === "upcoming") return day > today;
    if (completed) return false;
    if (instant) return instant <= now;
    return due.length === 10 ? due < today : due <= time;
  };
}

/** Return a function that tells what the clocks of a zone show at an instant, as `2026-12-31T17:00:00`. */
function wallClock(timeZone: string): (instant: Date) => string {
  const format = new Intl.DateTimeFormat("sv", {
    timeZone, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
  });
  return (instant) => format.format(instant).replace(" ", "T");
}
