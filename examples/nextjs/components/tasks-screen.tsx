"use client";

import { type FormEvent, useDeferredValue, useId, useMemo, useRef, useState } from "react";
import type { Task, TaskFilter } from "todo-api-client";
import { ListHeading } from "@/components/list-heading";
import { TaskList } from "@/components/task-list";
import { dueTime, today } from "@/lib/due";
import { type Route, VIEWS, type ViewName } from "@/lib/route";
import { useList, useStore, useTasks } from "@/lib/store";

interface TasksScreenProps {
  route: Route;
  go: (next: Route) => void;
}

/** A view or a list: search, a field for a new task, and the tasks. */
export function TasksScreen({ route, go }: TasksScreenProps) {
  const [typed, setTyped] = useState("");
  const [showsCompleted, setShowsCompleted] = useState(false);
  const q = useDeferredValue(typed.trim());
  const isByDate = !q && ["today", "overdue", "upcoming"].includes(route.screen);
  const found = useTasks({ ...(q ? { q } : filterOf(route)), ...(showsCompleted ? {} : { status: "pending" }) });
  const tasks = useMemo(() => (isByDate ? byDueDate(found) : found), [found, isByDate]);
  const list = useList(route.list);
  if (route.list && !list) return <p className="empty">This list is in the trash, or on its way to this device.</p>;

  return (
    <section className="tasks-screen">
      {list ? <ListHeading list={list} onGone={() => go({ screen: "inbox" })} /> : <h1>{VIEWS[route.screen as ViewName]}</h1>}
      <Search value={typed} onChange={setTyped} />
      {route.screen !== "overdue" && <NewTask route={route} />}
      <label className="check">
        <input type="checkbox" checked={showsCompleted} onChange={(event) => setShowsCompleted(event.target.checked)} />
        Show completed tasks
      </label>
      {tasks.length ? (
        <TaskList tasks={tasks} mayMove={!isByDate && !q} selected={route.task} open={(task) => go({ ...route, task })} />
      ) : (
        <p className="empty">{q ? `No task has “${q}”.` : "Nothing to do here."}</p>
      )}
    </section>
  );
}

function filterOf({ screen, list }: Route): TaskFilter {
  if (list) return { list };
  if (screen === "inbox") return { list: "inbox" };
  return screen === "today" || screen === "overdue" || screen === "upcoming" ? { due: screen } : {};
}

function byDueDate(tasks: readonly Task[]): readonly Task[] {
  return [...tasks].sort((one, other) => dueTime(one.due_date) - dueTime(other.due_date));
}

function Search({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const id = useId();
  return (
    <div className="search">
      <label htmlFor={id}>Search all tasks</label>
      <input id={id} type="search" value={value} maxLength={200} onChange={(event) => onChange(event.target.value)} />
    </div>
  );
}

function NewTask({ route }: { route: Route }) {
  const store = useStore();
  const id = useId();
  const input = useRef<HTMLInputElement>(null);

  function add(event: FormEvent) {
    event.preventDefault();
    const title = input.current!.value.trim();
    if (!title) return;
    const dueDate = route.screen === "today" ? { due_date: today() } : {};
    store.createTask({ title, list_id: route.list ?? null, ...dueDate });
    input.current!.value = "";
  }

  return (
    <form className="new-task row" onSubmit={add}>
      <label htmlFor={id} className="hidden">
        New task
      </label>
      <input id={id} ref={input} placeholder="New task" maxLength={500} autoComplete="off" />
      <button className="primary">Add task</button>
    </form>
  );
}
