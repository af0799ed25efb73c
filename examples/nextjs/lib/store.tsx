"use client";

import { createContext, type ReactNode, useCallback, useContext, useEffect, useState, useSyncExternalStore } from "react";
import {
  type Client, createClient, type Status, type Task, type TaskFilter, type TaskList, TodoStore,
} from "todo-api-client";
import { saveKept } from "@/lib/leaving";
import { accessToken, type Person } from "@/lib/session";

interface Opened {
  store: TodoStore;
  client: Client;
  person: Person;
}

const Context = createContext<Opened | undefined>(undefined);

/** Opens the person's copy of the tasks, which is there without a network too. */
export function StoreProvider({ apiUrl, person, children }: { apiUrl: string; person: Person; children: ReactNode }) {
  const [opened, setOpened] = useState<Opened>();
  const [error, setError] = useState<Error>();

  useEffect(() => {
    const client = createClient({ baseUrl: apiUrl, token: accessToken });
    let isLeft = false;
    let store: TodoStore | undefined;
    TodoStore.open({ client, user: person.id }).then(
      (one) => {
        store = one;
        if (isLeft) return void store.close();
        saveKept(store, person.id);
        setOpened({ store, client, person });
      },
      (reason: Error) => setError(reason),
    );
    return () => {
      isLeft = true;
      void store?.close();
      setOpened(undefined);
    };
  }, [apiUrl, person]);

  if (error) {
    return (
      <main className="sign-in" role="alert">
        <h1>Your tasks cannot be opened</h1>
        <p>This browser does not let the page store data ({error.message}). Leave private mode, or free some space.</p>
      </main>
    );
  }
  if (!opened) return null;
  return <Context value={opened}>{children}</Context>;
}

export function useOpened(): Opened {
  const opened = useContext(Context);
  if (!opened) throw new Error("outside of StoreProvider");
  return opened;
}

export function useStore(): TodoStore {
  return useOpened().store;
}

/** The tasks that meet the filter, in the manual order. The views by date follow the clock. */
export function useTasks(filter: TaskFilter): readonly Task[] {
  const store = useStore();
  const key = JSON.stringify(filter);
  const follow = useCallback(
    (listener: () => void) => {
      const end = store.subscribe(listener);
      const timer = setInterval(listener, 5_000);
      return () => {
        end();
        clearInterval(timer);
      };
    },
    [store],
  );
  const read = useCallback(() => store.tasks(JSON.parse(key) as TaskFilter), [store, key]);
  return useSyncExternalStore(follow, read);
}

export function useTask(id: string | undefined): Task | undefined {
  return useRead((store) => (id === undefined ? undefined : store.task(id)));
}

export function useList(id: string | undefined): TaskList | undefined {
  return useRead((store) => (id === undefined ? undefined : store.list(id)));
}

export function useLists(): readonly TaskList[] {
  return useRead((store) => store.lists());
}

export function useStatus(): Status {
  return useRead((store) => store.status);
}

/** Whether a change of this task or list has not arrived. */
export function usePending(id: string): boolean {
  return useRead((store) => store.isPending(id));
}

function useRead<T>(read: (store: TodoStore) => T): T {
  const store = useStore();
  const follow = useCallback((listener: () => void) => store.subscribe(listener), [store]);
  return useSyncExternalStore(follow, () => read(store));
}
