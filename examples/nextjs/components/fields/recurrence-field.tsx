"use client";

import { useEffect, useId, useState } from "react";
import type { Recurrence, Task, TaskChanges } from "todo-api-client";
import { DraftInput } from "@/components/fields/draft-input";
import { useToast } from "@/components/toasts";
import { dueText, timeZone } from "@/lib/due";
import { RULES } from "@/lib/recurrence";
import { useOpened, usePending, useStatus } from "@/lib/store";

const NEVER = "";
const OTHER = "other";

/** How a task repeats, and the dates that follow. */
export function RecurrenceField({ task, save }: { task: Task; save: (changes: TaskChanges) => void }) {
  const id = useId();
  const { store } = useOpened();
  const toast = useToast();
  const [wantsOther, setWantsOther] = useState(false);
  const { recurrence } = task;
  const rule = recurrence?.rule ?? NEVER;
  const choice = wantsOther || (rule && !RULES[rule]) ? OTHER : rule;

  function saveRule(next: string, from: Recurrence["from"] = recurrence?.from ?? "due") {
    save({ recurrence: next ? { rule: next, from, time_zone: recurrence?.time_zone ?? timeZone() } : null });
  }

  function choose(next: string) {
    setWantsOther(next === OTHER);
    if (next !== OTHER) saveRule(next);
  }

  function skip() {
    store.skipTask(task.id);
    toast({ text: `This date of “${task.title}” is in the trash, and the next one comes from the server.` });
  }

  if (task.due_date === null) return <p className="hint">Give the task a due date to let it repeat.</p>;
  return (
    <fieldset>
      <legend>Repeat</legend>
      <div className="field">
        <label htmlFor={`${id}-rule`}>How often</label>
        <select id={`${id}-rule`} value={choice} onChange={(event) => choose(event.target.value)}>
          <option value={NEVER}>Never</option>
          {Object.entries(RULES).map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
          <option value={OTHER}>Another rule</option>
        </select>
      </div>
      {choice === OTHER && (
        <div className="field">
          <label htmlFor={`${id}-text`}>Rule</label>
          <DraftInput
            id={`${id}-text`}
            value={rule}
            isWhole
            maxLength={500}
            placeholder="FREQ=MONTHLY;BYDAY=-1FR"
            aria-describedby={`${id}-hint`}
            onCommit={(text) => text.trim() && saveRule(text.trim())}
          />
          <p id={`${id}-hint`} className="hint">
            A rule of iCalendar (RFC 5545), such as FREQ=MONTHLY;BYDAY=-1FR for the last Friday of each month
          </p>
        </div>
      )}
      {recurrence && (
        <>
          <div className="field">
            <label htmlFor={`${id}-from`}>Count from</label>
            <select
              id={`${id}-from`}
              value={recurrence.from}
              onChange={(event) => saveRule(rule, event.target.value as Recurrence["from"])}
            >
              <option value="due">the due date</option>
              <option value="completion">the day it is completed</option>
            </select>
          </div>
          <NextDates task={task} />
          <button onClick={skip}>Skip this date</button>
        </>
      )}
    </fieldset>
  );
}

/** The server computes the dates, so they show when the task has arrived there. */
function NextDates({ task }: { task: Task }) {
  const { client } = useOpened();
  const { connected } = useStatus();
  const isPending = usePending(task.id);
  const [dates, setDates] = useState<readonly string[]>();
  const isKnown = connected && !isPending;

  useEffect(() => {
    setDates(undefined);
    if (!isKnown) return;
    const abort = new AbortController();
    const params = { path: { task_id: task.id }, query: { count: 4 } };
    client.GET("/api/tasks/{task_id}/occurrences", { params, signal: abort.signal }).then(
      ({ data }) => setDates(data),
      () => undefined, // the hint stays
    );
    return () => abort.abort();
  }, [client, isKnown, task.id, task.revision]);

  return (
    <div className="next-dates" role="status">
      {dates ? `Then: ${dates.map(dueText).join("; ")}` : "The next dates show when the task is saved on the server."}
    </div>
  );
}
