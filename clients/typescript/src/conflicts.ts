import { valuesOf } from "./effects.js";
import type { ConflictEvent } from "./events.js";
import type { Task, TaskList } from "./schemas.js";
import type { Entry } from "./storage.js";

type Fields = Record<string, unknown>;
const SETS_FIELDS = ["update", "update_list", "complete"];

/**
 * Return the fields of a record that were changed here and, differently, elsewhere: what comes from the service is
 * neither what was there before, nor what a write from here had made of it.
 */
export function conflictsOf(
  base: Task | TaskList | undefined,
  current: Task | TaskList,
  outbox: readonly Entry[],
): ConflictEvent[] {
  const writes = outbox.filter((entry) => entry.operation.id === current.id);
  const known = [base, ...writes.map((entry) => entry.arrived?.record)] as (Fields | undefined)[];
  if (known.every((record) => record === undefined)) return [];
  const mine = new Map<string, { entry: Entry; value: unknown }>();
  for (const entry of writes.filter((one) => SETS_FIELDS.includes(one.operation.op))) {
    const made = entry.arrived?.record as Fields | undefined;
    for (const [field, value] of Object.entries(valuesOf(entry.operation))) {
      mine.set(field, { entry, value: made ? made[field] : value });
    }
  }
  const conflicts: ConflictEvent[] = [];
  for (const [field, { entry, value }] of mine) {
    const theirs = (current as unknown as Fields)[field];
    if (equal(theirs, value) || known.some((record) => record && equal(record[field], theirs))) continue;
    const winner = entry.arrived && current.revision > entry.arrived.revision ? "theirs" : "yours";
    conflicts.push({ kind: "conflict", id: current.id, field, yours: value, theirs, winner });
  }
  return conflicts;
}

function equal(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
