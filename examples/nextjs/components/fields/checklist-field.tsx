"use client";

import { type FormEvent, useId, useRef } from "react";
import type { ChecklistItem, Task, TaskChanges } from "todo-api-client";
import { DraftInput } from "@/components/fields/draft-input";

/** A checklist is written as a whole. */
export function ChecklistField({ task, save }: { task: Task; save: (changes: TaskChanges) => void }) {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const items = task.checklist;
  const change = (item: ChecklistItem, values: Partial<ChecklistItem>) =>
    save({ checklist: items.map((one) => (one.id === item.id ? { ...one, ...values } : one)) });

  function add(event: FormEvent) {
    event.preventDefault();
    const title = input.current!.value.trim();
    if (!title) return;
    save({ checklist: [...items, { title, completed: false }] });
    input.current!.value = "";
  }

  return (
    <fieldset>
      <legend>Checklist</legend>
      <ul className="checklist">
        {items.map((item) => (
          <li key={item.id} className="row">
            <input
              type="checkbox"
              checked={item.completed}
              aria-label={`Tick “${item.title}”`}
              onChange={(event) => change(item, { completed: event.target.checked })}
            />
            <DraftInput
              aria-label={`Text of “${item.title}”`}
              value={item.title}
              maxLength={500}
              onCommit={(title) => title.trim() && change(item, { title })}
            />
            <button
              className="quiet"
              aria-label={`Remove “${item.title}”`}
              onClick={() => save({ checklist: items.filter((one) => one.id !== item.id) })}
            >
              ×
            </button>
          </li>
        ))}
      </ul>
      <form className="row" onSubmit={add}>
        <label htmlFor={id} className="hidden">
          New checklist item
        </label>
        <input id={id} ref={input} placeholder="New item" maxLength={500} autoComplete="off" />
        <button disabled={items.length >= 100}>Add item</button>
      </form>
    </fieldset>
  );
}
