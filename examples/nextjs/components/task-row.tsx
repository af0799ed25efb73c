"use client";

import { useSortable } from "@dnd-kit/sortable";
import type { Task } from "todo-api-client";
import { useToast } from "@/components/toasts";
import { dueText, dueTime } from "@/lib/due";
import { usePending, useStore } from "@/lib/store";

interface TaskRowProps {
  task: Task;
  index: number;
  count: number;
  top: number;
  mayMove: boolean;
  isSelected: boolean;
  open: (id: string) => void;
}

export function TaskRow({ task, index, count, top, mayMove, isSelected, open }: TaskRowProps) {
  const store = useStore();
  const toast = useToast();
  const { setNodeRef, setActivatorNodeRef, listeners, transform, transition, isDragging } = useSortable({
    id: task.id,
    disabled: !mayMove,
  });

  function complete() {
    if (task.completed) return store.reopenTask(task.id);
    store.completeTask(task.id);
    const undo = { label: "Undo", run: () => store.reopenTask(task.id) };
    toast({ text: `“${task.title}” is done.`, actions: [undo] });
  }

  return (
    <li
      ref={setNodeRef}
      data-index={index}
      data-id={task.id}
      aria-setsize={count}
      aria-posinset={index + 1}
      className={`task${isSelected ? " selected" : ""}${isDragging ? " dragging" : ""}`}
      // Not by a transform: dnd-kit measures rows without theirs.
      style={{ top, transform: transform ? `translateY(${transform.y}px)` : undefined, transition }}
    >
      {mayMove && (
        <button
          ref={setActivatorNodeRef}
          className="handle"
          aria-label={`Move “${task.title}”: drag, or press the arrow keys`}
          {...listeners}
        >
          ⠿
        </button>
      )}
      <input type="checkbox" checked={task.completed} onChange={complete} aria-label={`Complete “${task.title}”`} />
      <button className="open" onClick={() => open(task.id)} aria-current={isSelected || undefined}>
        <span className={task.completed ? "title completed" : "title"}>{task.title}</span>
        <Facts task={task} />
      </button>
    </li>
  );
}

function Facts({ task }: { task: Task }) {
  const isPending = usePending(task.id);
  const done = task.checklist.filter((item) => item.completed).length;
  const isLate = task.due_date !== null && !task.completed && endOf(task.due_date) < Date.now();
  return (
    <span className="facts">
      {isPending && <span className="pending">Not saved yet</span>}
      {task.priority !== "none" && <span className={`priority ${task.priority}`}>{task.priority} priority</span>}
      {task.due_date && <span className={isLate ? "late" : ""}>{`${isLate ? "overdue: " : ""}${dueText(task.due_date)}`}</span>}
      {task.recurrence && <span>repeats</span>}
      {task.checklist.length > 0 && <span>{`${done} of ${task.checklist.length}`}</span>}
      {task.tags.map((tag) => (
        <span key={tag} className="tag">
          {tag}
        </span>
      ))}
    </span>
  );
}

/** The time after which a task is late: a day is late when it has ended. */
function endOf(due: string): number {
  return due.length === 10 ? dueTime(`${due}T23:59:59`) : dueTime(due);
}
