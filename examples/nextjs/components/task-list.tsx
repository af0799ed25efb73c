"use client";

import { closestCenter, DndContext, type DragEndEvent, PointerSensor, useSensor, useSensors } from "@dnd-kit/core";
import { SortableContext, verticalListSortingStrategy } from "@dnd-kit/sortable";
import { defaultRangeExtractor, type Range, useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, useCallback, useMemo, useRef, useState } from "react";
import type { Task } from "todo-api-client";
import { TaskRow } from "@/components/task-row";
import { useStore } from "@/lib/store";

const ROW_HEIGHT = 52;

interface TaskListProps {
  tasks: readonly Task[];
  mayMove: boolean;
  selected?: string;
  open: (id: string) => void;
}

/** Only the rows that can be seen are in the document, so that ten thousand tasks scroll as ten do. */
export function TaskList({ tasks, mayMove, selected, open }: TaskListProps) {
  const store = useStore();
  const scroller = useRef<HTMLDivElement>(null);
  const [dragged, setDragged] = useState<string>();
  const [announcement, setAnnouncement] = useState("");
  const ids = useMemo(() => tasks.map((task) => task.id), [tasks]);
  const draggedIndex = dragged ? ids.indexOf(dragged) : -1;
  const rows = useVirtualizer({
    count: tasks.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    getItemKey: (index) => ids[index]!,
    overscan: 8,
    // A row that is dragged out of sight stays in the document.
    rangeExtractor: useCallback(
      (range: Range) => {
        const visible = defaultRangeExtractor(range);
        return draggedIndex < 0 || visible.includes(draggedIndex) ? visible : [...visible, draggedIndex].sort((a, b) => a - b);
      },
      [draggedIndex],
    ),
  });
  const sensors = useSensors(useSensor(PointerSensor, { activationConstraint: { distance: 4 } }));

  function move(from: number, to: number) {
    const task = tasks[from]!;
    const neighbour = ids[to];
    if (neighbour === undefined || from === to) return;
    store.moveTask(task.id, { ...(to > from ? { after: neighbour } : { before: neighbour }), list_id: task.list_id });
    setAnnouncement(`“${task.title}” is at place ${to + 1} of ${tasks.length}.`);
  }

  function endDrag({ active, over }: DragEndEvent) {
    setDragged(undefined);
    if (over) move(ids.indexOf(String(active.id)), ids.indexOf(String(over.id)));
  }

  /** The arrow keys go from task to task; on the handle, they move the task. */
  function onKeyDown(event: KeyboardEvent<HTMLElement>) {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const target = event.target as HTMLElement;
    const index = Number(target.closest("li")?.dataset.index);
    if (!step || Number.isNaN(index)) return;
    event.preventDefault();
    const isHandle = target.matches(".handle");
    const next = Math.min(tasks.length - 1, Math.max(0, index + step));
    if (isHandle) move(index, next);
    rows.scrollToIndex(next);
    requestAnimationFrame(() => focusIn(scroller.current, isHandle ? ids[index]! : ids[next]!, isHandle ? ".handle" : ".open"));
  }

  return (
    <DndContext
      sensors={sensors}
      collisionDetection={closestCenter}
      onDragStart={({ active }) => setDragged(String(active.id))}
      onDragEnd={endDrag}
      onDragCancel={() => setDragged(undefined)}
      accessibility={{ screenReaderInstructions: { draggable: "" } }} // the handle's label says it
    >
      <SortableContext items={ids} strategy={verticalListSortingStrategy}>
        <div className="scroller" ref={scroller} onKeyDown={onKeyDown}>
          <ul aria-label="Tasks" style={{ height: rows.getTotalSize() }}>
            {rows.getVirtualItems().map(({ key, index, start }) => (
              <TaskRow
                key={key}
                task={tasks[index]!}
                index={index}
                count={tasks.length}
                top={start}
                mayMove={mayMove}
                isSelected={selected === key}
                open={open}
              />
            ))}
          </ul>
        </div>
      </SortableContext>
      <p className="hidden" role="status">
        {announcement}
      </p>
    </DndContext>
  );
}

function focusIn(scroller: HTMLElement | null, id: string, selector: string): void {
  scroller?.querySelector<HTMLElement>(`li[data-id="${id}"] ${selector}`)?.focus({ preventScroll: true });
}
