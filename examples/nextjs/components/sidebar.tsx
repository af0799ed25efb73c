"use client";

import { type FormEvent, type MouseEvent, type ReactNode, useId, useRef } from "react";
import { addressOf, type Route, useRoute, VIEWS, type ViewName } from "@/lib/route";
import { useLists, useOpened, useTasks } from "@/lib/store";

/** The views, the lists, the trash and the account. */
export function Sidebar() {
  const { person, store } = useOpened();
  const { go } = useRoute();
  const lists = useLists();
  const input = useRef<HTMLInputElement>(null);
  const id = useId();

  function addList(event: FormEvent) {
    event.preventDefault();
    const name = input.current!.value.trim();
    if (!name) return;
    const { id: list } = store.createList({ name });
    input.current!.value = "";
    go({ screen: "list", list });
  }

  return (
    <>
      <nav aria-label="Views">
        <ul>
          {(Object.keys(VIEWS) as ViewName[]).map((view) => (
            <li key={view}>
              <Go to={{ screen: view }}>
                {VIEWS[view]}
                {view !== "all" && <Count view={view} />}
              </Go>
            </li>
          ))}
        </ul>
      </nav>
      <nav aria-labelledby={`${id}-lists`}>
        <h2 id={`${id}-lists`}>Lists</h2>
        <ul>
          {lists.map((list) => (
            <li key={list.id}>
              <Go to={{ screen: "list", list: list.id }}>
                <span className="dot" style={{ background: list.color ?? "var(--line)" }} />
                <span className="name">{list.name}</span>
              </Go>
            </li>
          ))}
        </ul>
        <form className="row" onSubmit={addList}>
          <label htmlFor={id} className="hidden">
            New list
          </label>
          <input id={id} ref={input} placeholder="New list" maxLength={100} autoComplete="off" />
          <button>Add list</button>
        </form>
      </nav>
      <nav aria-label="More" className="more">
        <ul>
          <li>
            <Go to={{ screen: "trash" }}>Trash</Go>
          </li>
          <li>
            <Go to={{ screen: "account" }}>{person.name || person.email}</Go>
          </li>
        </ul>
      </nav>
    </>
  );
}

function Count({ view }: { view: Exclude<ViewName, "all"> }) {
  const filter = view === "inbox" ? { list: "inbox" } : { due: view };
  const { length } = useTasks({ ...filter, status: "pending" });
  return length ? (
    <span className="count">
      {length.toLocaleString("en")}
      <span className="hidden"> open</span>
    </span>
  ) : null;
}

/** A link that changes what is shown without a request; with a key it opens a new tab, as links do. */
function Go({ to, children }: { to: Route; children: ReactNode }) {
  const { route, go } = useRoute();
  const isHere = route.screen === to.screen && route.list === to.list;
  function follow(event: MouseEvent) {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    go(to);
  }
  return (
    <a href={addressOf(to)} aria-current={isHere ? "page" : undefined} onClick={follow}>
      {children}
    </a>
  );
}
