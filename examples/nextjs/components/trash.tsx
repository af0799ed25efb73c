"use client";

import { useCallback, useEffect, useState } from "react";
import type { components } from "todo-api-client";
import { useToast } from "@/components/toasts";
import { useOpened, useStatus } from "@/lib/store";
import { inWords } from "@/lib/words";

type TrashedTask = components["schemas"]["TrashedTask"];
type TrashedList = components["schemas"]["TrashedList"];

/** What was deleted. The server keeps it, so it shows when there is a connection. */
export function Trash() {
  const { client, store } = useOpened();
  const { pending, connected } = useStatus();
  const toast = useToast();
  const [tasks, setTasks] = useState<readonly TrashedTask[]>();
  const [lists, setLists] = useState<readonly TrashedList[]>([]);
  const [problem, setProblem] = useState("");

  const load = useCallback(async () => {
    try {
      const [ofTasks, ofLists] = await Promise.all([client.GET("/api/tasks/trash"), client.GET("/api/lists/trash")]);
      setTasks(ofTasks.data);
      setLists(ofLists.data ?? []);
      setProblem("");
    } catch (error) {
      setProblem(inWords(error));
    }
  }, [client]);
  useEffect(() => {
    if (pending === 0 && connected) void load();
  }, [load, pending, connected]);

  async function purge(run: () => Promise<unknown>, text: string) {
    try {
      await run();
      toast({ text });
      await load();
    } catch (error) {
      toast({ text: inWords(error), isProblem: true });
    }
  }

  const isEmpty = tasks?.length === 0 && lists.length === 0;
  return (
    <section className="page">
      <h1>Trash</h1>
      <p>Tasks and lists stay here for 30 days.</p>
      {!connected && <p className="hint">Offline: the trash shows when the connection is back.</p>}
      {problem && (
        <p role="alert" className="problem">
          {problem} <button onClick={() => void load()}>Try again</button>
        </p>
      )}
      {isEmpty && <p className="empty">The trash is empty.</p>}
      <ul className="plain">
        {lists.map((list) => (
          <li key={list.id} className="row between">
            <span className="name">{list.name} (list)</span>
            <button aria-label={`Restore the list “${list.name}” and its tasks`} onClick={() => store.restoreList(list)}>
              Restore
            </button>
          </li>
        ))}
        {tasks?.map((task) => (
          <li key={task.id} className="row between">
            <span className="name">{task.title}</span>
            <button aria-label={`Restore “${task.title}”`} onClick={() => store.restoreTask(task)}>
              Restore
            </button>
            <button
              aria-label={`Delete “${task.title}” for good`}
              onClick={() =>
                void purge(
                  () => client.DELETE("/api/tasks/trash/{task_id}", { params: { path: { task_id: task.id } } }),
                  `“${task.title}” is deleted for good.`,
                )
              }
            >
              Delete for good
            </button>
          </li>
        ))}
      </ul>
      {tasks && tasks.length > 0 && (
        <button
          className="danger"
          onClick={() => void purge(() => client.DELETE("/api/tasks/trash"), "All deleted tasks are gone for good.")}
        >
          Empty the trash of tasks
        </button>
      )}
    </section>
  );
}
