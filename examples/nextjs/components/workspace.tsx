"use client";

import { useEffect, useRef, useState } from "react";
import { Account } from "@/components/account";
import { Details } from "@/components/details";
import { Sidebar } from "@/components/sidebar";
import { SyncStatus } from "@/components/sync-status";
import { TasksScreen } from "@/components/tasks-screen";
import { Trash } from "@/components/trash";
import { useReports } from "@/components/use-reports";
import { keepPage } from "@/lib/keep-page";
import { useRoute } from "@/lib/route";
import { useTask } from "@/lib/store";

export function Workspace() {
  const { route, go } = useRoute();
  const [isMenuOpen, setMenuOpen] = useState(false);
  useReports();
  useEffect(() => void keepPage(), []);
  useEffect(() => setMenuOpen(false), [route.screen, route.list]);

  const task = useTask(route.task);
  useFocusOnRow(task?.id);
  return (
    <div className={task ? "workspace with-details" : "workspace"}>
      <header className="bar">
        <button className="menu" aria-expanded={isMenuOpen} aria-controls="menu" onClick={() => setMenuOpen(!isMenuOpen)}>
          Lists
        </button>
        <SyncStatus />
      </header>
      <div id="menu" className={isMenuOpen ? "side open" : "side"}>
        <Sidebar />
      </div>
      <main>
        <div className="pane">
          {route.screen === "trash" && <Trash />}
          {route.screen === "account" && <Account />}
          {route.screen !== "trash" && route.screen !== "account" && (
            <TasksScreen key={route.list ?? route.screen} route={route} go={go} />
          )}
        </div>
        {task && <Details key={task.id} task={task} close={() => go({ ...route, task: undefined })} />}
      </main>
    </div>
  );
}

/** When the details close, the focus goes back to the row that they were opened from. */
function useFocusOnRow(open: string | undefined): void {
  const last = useRef<string>(undefined);
  useEffect(() => {
    const closed = open ? undefined : last.current;
    last.current = open;
    if (closed) document.querySelector<HTMLElement>(`li[data-id="${closed}"] .open`)?.focus();
  }, [open]);
}
