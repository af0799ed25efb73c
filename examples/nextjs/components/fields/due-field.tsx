"use client";

import { useId } from "react";
import type { Task, TaskChanges } from "todo-api-client";
import { DraftInput } from "@/components/fields/draft-input";
import { DUE_KINDS, type DueKind, dueOf, inputValue, kindOf, timeZone, today } from "@/lib/due";

/** A due date in one of its three kinds. */
export function DueField({ task, save }: { task: Task; save: (changes: TaskChanges) => void }) {
  const id = useId();
  const due = task.due_date;
  const kind = kindOf(due);

  function setKind(next: DueKind) {
    if (next === "none") save({ due_date: null, ...(task.recurrence && { recurrence: null }) });
    else save({ due_date: dueOf(next, due === null ? today() : inputValue(due)) });
  }

  return (
    <fieldset>
      <legend>Due</legend>
      <div className="field">
        <label htmlFor={`${id}-kind`}>Kind</label>
        <select id={`${id}-kind`} value={kind} onChange={(event) => setKind(event.target.value as DueKind)}>
          {(Object.keys(DUE_KINDS) as DueKind[]).map((one) => (
            <option key={one} value={one}>
              {DUE_KINDS[one]}
            </option>
          ))}
        </select>
      </div>
      {due !== null && (
        <div className="field">
          <label htmlFor={`${id}-date`}>{kind === "day" ? "Date" : "Date and time"}</label>
          <DraftInput
            id={`${id}-date`}
            type={kind === "day" ? "date" : "datetime-local"}
            value={inputValue(due)}
            isWhole
            aria-describedby={`${id}-hint`}
            onCommit={(value) => value && save({ due_date: dueOf(kind, value) })}
          />
        </div>
      )}
      <p id={`${id}-hint`} className="hint">
        {kind === "none" && task.recurrence && "Without a date, a task cannot repeat."}
        {kind === "local" && "The same time on the clock in every time zone."}
        {kind === "instant" && `Shown in your time zone, ${timeZone()}.`}
      </p>
    </fieldset>
  );
}
