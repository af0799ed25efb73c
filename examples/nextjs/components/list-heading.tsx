"use client";

import { useId } from "react";
import type { TaskList } from "todo-api-client";
import { DraftInput } from "@/components/fields/draft-input";
import { useToast } from "@/components/toasts";
import { useLists, useStore } from "@/lib/store";

/** The name of a list, and what can be done with it. */
export function ListHeading({ list, onGone }: { list: TaskList; onGone: () => void }) {
  const store = useStore();
  const toast = useToast();
  const lists = useLists();
  const id = useId();
  const place = lists.findIndex((one) => one.id === list.id);

  function remove(tasks: "trash" | "keep") {
    store.deleteList(list.id, { tasks });
    const where = tasks === "trash" ? "with its tasks" : "and its tasks to the inbox";
    const undo = { label: "Undo", run: () => store.restoreList(list.id) };
    toast({ text: `“${list.name}” was moved to the trash ${where}.`, actions: [undo] });
    onGone();
  }

  return (
    <div className="list-heading">
      <h1>{list.name}</h1>
      <details>
        <summary>Change list</summary>
        <div className="field">
          <label htmlFor={`${id}-name`}>Name</label>
          <DraftInput
            id={`${id}-name`}
            value={list.name}
            maxLength={100}
            onCommit={(name) => name.trim() && store.updateList(list.id, { name })}
          />
        </div>
        <div className="field">
          <label htmlFor={`${id}-color`}>Colour</label>
          <input
            id={`${id}-color`}
            type="color"
            value={list.color ?? "#808080"}
            onChange={(event) => store.updateList(list.id, { color: event.target.value })}
          />
        </div>
        <div className="row">
          <button disabled={place <= 0} onClick={() => store.moveList(list.id, { before: lists[place - 1]!.id })}>
            Move up
          </button>
          <button
            disabled={place >= lists.length - 1}
            onClick={() => store.moveList(list.id, { after: lists[place + 1]!.id })}
          >
            Move down
          </button>
          <button onClick={() => remove("keep")}>Delete list, keep its tasks</button>
          <button onClick={() => remove("trash")}>Delete list and tasks</button>
        </div>
      </details>
    </div>
  );
}
