"use client";

import { type FormEvent, useId, useRef } from "react";
import type { Task, TaskChanges } from "todo-api-client";

export function TagsField({ task, save }: { task: Task; save: (changes: TaskChanges) => void }) {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);

  function add(event: FormEvent) {
    event.preventDefault();
    const tag = input.current!.value.trim();
    if (!tag) return;
    save({ tags: [...task.tags, tag] });
    input.current!.value = "";
  }

  return (
    <fieldset>
      <legend>Tags</legend>
      {task.tags.length > 0 && (
        <ul className="tags">
          {task.tags.map((tag) => (
            <li key={tag} className="tag">
              {tag}
              <button
                className="quiet"
                aria-label={`Remove the tag “${tag}”`}
                onClick={() => save({ tags: task.tags.filter((one) => one !== tag) })}
              >
                ×
              </button>
            </li>
          ))}
        </ul>
      )}
      <form className="row" onSubmit={add}>
        <label htmlFor={id} className="hidden">
          New tag
        </label>
        <input id={id} ref={input} placeholder="New tag" maxLength={50} autoComplete="off" />
        <button disabled={task.tags.length >= 20}>Add tag</button>
      </form>
    </fieldset>
  );
}
