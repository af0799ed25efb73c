"use client";

import { type KeyboardEvent, useEffect, useId, useRef } from "react";
import type { Task, TaskChanges } from "todo-api-client";
import { ChecklistField } from "@/components/fields/checklist-field";
import { DraftArea, DraftInput } from "@/components/fields/draft-input";
import { DueField } from "@/components/fields/due-field";
import { RecurrenceField } from "@/components/fields/recurrence-field";
import { TagsField } from "@/components/fields/tags-field";
import { useToast } from "@/components/toasts";
import { keepIfLeaving } from "@/lib/leaving";
import { useLists, useOpened, usePending } from "@/lib/store";

/** Every field of a task. Each is saved as it is changed. */
export function Details({ task, close }: { task: Task; close: () => void }) {
  const { store, person } = useOpened();
  const toast = useToast();
  const lists = useLists();
  const isPending = usePending(task.id);
  const id = useId();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);

  function save(changes: TaskChanges) {
    if (keepIfLeaving({ user: person.id, task: task.id, changes })) return;
    if (store.task(task.id)) return void store.updateTask(task.id, changes);
    // It was deleted elsewhere while somebody typed here.
    const typed = Object.values(changes).filter((value) => typeof value === "string").join("\n");
    const restore = () => {
      store.restoreTask(task);
      store.updateTask(task.id, changes);
    };
    const actions = [{ label: "Restore it with this change", run: restore }];
    toast({ text: `“${task.title}” was deleted, so this was not saved:`, typed, isProblem: true, actions });
  }

  function remove() {
    store.deleteTask(task.id);
    const undo = { label: "Undo", run: () => store.restoreTask(task.id) };
    toast({ text: `“${task.title}” was moved to the trash.`, actions: [undo] });
    close();
  }

  function onKeyDown(event: KeyboardEvent) {
    if (event.key === "Escape") close();
  }

  return (
    <section className="details" aria-labelledby={`${id}-heading`} onKeyDown={onKeyDown}>
      <div className="row between">
        <h1 id={`${id}-heading`} ref={heading} tabIndex={-1}>
          Task
        </h1>
        <p className="hint">{isPending ? "Not saved yet" : "Saved"}</p>
        <button onClick={close}>Close</button>
      </div>
      <div className="field">
        <label htmlFor={`${id}-title`}>Title</label>
        <DraftInput
          id={`${id}-title`}
          value={task.title}
          maxLength={500}
          onCommit={(title) => title.trim() && save({ title })}
        />
      </div>
      <div className="field">
        <label htmlFor={`${id}-description`}>Description</label>
        <DraftArea
          id={`${id}-description`}
          rows={4}
          maxLength={10_000}
          value={task.description ?? ""}
          onCommit={(description) => save({ description: description || null })}
        />
      </div>
      <DueField task={task} save={save} />
      <RecurrenceField task={task} save={save} />
      <div className="field">
        <label htmlFor={`${id}-list`}>List</label>
        <select
          id={`${id}-list`}
          value={task.list_id ?? ""}
          onChange={(event) => save({ list_id: event.target.value || null })}
        >
          <option value="">Inbox</option>
          {lists.map((list) => (
            <option key={list.id} value={list.id}>
              {list.name}
            </option>
          ))}
        </select>
      </div>
      <div className="field">
        <label htmlFor={`${id}-priority`}>Priority</label>
        <select
          id={`${id}-priority`}
          value={task.priority}
          onChange={(event) => save({ priority: event.target.value as Task["priority"] })}
        >
          <option value="none">None</option>
          <option value="low">Low</option>
          <option value="medium">Medium</option>
          <option value="high">High</option>
        </select>
      </div>
      <TagsField task={task} save={save} />
      <ChecklistField task={task} save={save} />
      <button className="danger" onClick={remove}>
        Delete task
      </button>
    </section>
  );
}
