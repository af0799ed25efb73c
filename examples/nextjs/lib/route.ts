"use client";

import { useSearchParams } from "next/navigation";
import { useCallback, useMemo } from "react";

export const VIEWS = { inbox: "Inbox", today: "Today", overdue: "Overdue", upcoming: "Upcoming", all: "All tasks" } as const;
export type ViewName = keyof typeof VIEWS;
export type Screen = ViewName | "list" | "trash" | "account";

export interface Route {
  screen: Screen;
  /** The list that is shown. */
  list?: string;
  /** The task whose details are open. */
  task?: string;
}

/** What is shown is in the address, so that the back button and bookmarks work, without a request to the server. */
export function useRoute(): { route: Route; go: (next: Route) => void } {
  const parameters = useSearchParams();
  const route = useMemo<Route>(() => {
    const list = parameters.get("list") ?? undefined;
    const screen = (list ? "list" : (parameters.get("view") ?? "inbox")) as Screen;
    return { screen, list, task: parameters.get("task") ?? undefined };
  }, [parameters]);
  const go = useCallback((next: Route) => window.history.pushState(null, "", addressOf(next)), []);
  return { route, go };
}

export function addressOf({ screen, list, task }: Route): string {
  const parameters = new URLSearchParams(list ? { list } : { view: screen });
  if (task) parameters.set("task", task);
  return `/?${parameters}`;
}
