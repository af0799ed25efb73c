"use client";

import { type ChangeEvent, type FormEvent, useId, useState } from "react";
import { type components, type Problem, TodoStore } from "todo-api-client";
import { Field } from "@/components/field";
import { useToast } from "@/components/toasts";
import { authClient } from "@/lib/auth-client";
import { rememberPerson } from "@/lib/session";
import { useOpened, useStatus } from "@/lib/store";
import { inWords } from "@/lib/words";

export function Account() {
  const { person } = useOpened();
  return (
    <section className="page">
      <h1>Account</h1>
      <p>
        {person.name}, {person.email}
      </p>
      <SignOut />
      <Transfer />
      <Erasure />
    </section>
  );
}

/** Sign-out deletes the copy on this device, so it warns if changes would be lost with it. */
function SignOut() {
  const { store, person } = useOpened();
  const { pending } = useStatus();
  const [problem, setProblem] = useState("");
  const [asks, setAsks] = useState(false);

  async function signOut() {
    if (pending && !asks) return setAsks(true);
    const { error } = await authClient.signOut().catch(() => ({ error: { status: 0 } }));
    if (error) return setProblem("The server cannot be reached, so you are still signed in. Connect, then try again.");
    await store.close();
    await TodoStore.erase(person.id);
    rememberPerson(undefined); // the page goes to the sign-in
  }

  return (
    <div>
      {asks && pending > 0 && (
        <p role="alert" className="problem">
          {pending === 1 ? "1 change has" : `${pending} changes have`} not arrived at the server, and would be lost. Connect
          first, or sign out all the same.
        </p>
      )}
      <p role="alert" className="problem">
        {problem}
      </p>
      <button onClick={() => void signOut()}>{asks && pending > 0 ? "Sign out and lose them" : "Sign out"}</button>
    </div>
  );
}

function Transfer() {
  const { client, store } = useOpened();
  const toast = useToast();
  const id = useId();

  async function save() {
    try {
      const response = await client.fetch("/api/me/export");
      if (!response.ok) throw new TypeError(`status ${response.status}`);
      const link = document.createElement("a");
      link.href = URL.createObjectURL(await response.blob());
      link.download = `tasks-${new Date().toISOString().slice(0, 10)}.json`;
      link.click();
      URL.revokeObjectURL(link.href);
    } catch (error) {
      toast({ text: inWords(error), isProblem: true });
    }
  }

  async function load({ target }: ChangeEvent<HTMLInputElement>) {
    const file = target.files?.[0];
    if (!file) return;
    try {
      const headers = { "Content-Type": "application/json" };
      const response = await client.fetch("/api/me/import", { method: "POST", headers, body: await file.text() });
      if (!response.ok) {
        const { detail } = (await response.json()) as Problem;
        return toast({ text: `“${file.name}” was not imported: ${detail}.`, isProblem: true });
      }
      const { imported, skipped } = (await response.json()) as components["schemas"]["ImportResult"];
      toast({ text: `“${file.name}”: ${imported} imported, ${skipped} were there already.` });
      await store.sync();
    } catch (error) {
      toast({ text: inWords(error), isProblem: true });
    } finally {
      target.value = "";
    }
  }

  return (
    <div>
      <h2>Export and import</h2>
      <button onClick={() => void save()}>Export all tasks as a file</button>
      <div className="field">
        <label htmlFor={id}>Import a file that was exported</label>
        <input id={id} type="file" accept="application/json,.json" onChange={(event) => void load(event)} />
      </div>
    </div>
  );
}

/** Better Auth calls the API before it deletes the user: see lib/auth.ts. */
function Erasure() {
  const { person } = useOpened();
  const [problem, setProblem] = useState("");

  async function erase(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const password = String(new FormData(event.currentTarget).get("password"));
    const { error } = await authClient.deleteUser({ password }).catch(() => ({ error: { status: 0 } }));
    if (error) {
      const isWrong = error.status === 400 || error.status === 401;
      return setProblem(
        isWrong
          ? "This is not your password. Nothing was deleted."
          : "The account was not deleted, because the server has a problem or cannot be reached. Try again in a minute.",
      );
    }
    await TodoStore.erase(person.id);
    rememberPerson(undefined); // the page goes to the sign-in
  }

  return (
    <form onSubmit={(event) => void erase(event)}>
      <h2>Delete the account</h2>
      <p>This deletes the account, all its tasks and lists, on the server and on this device. It cannot be undone.</p>
      <Field label="Your password" name="password" type="password" autoComplete="current-password" required />
      <p role="alert" className="problem">
        {problem}
      </p>
      <button className="danger">Delete the account and all tasks</button>
    </form>
  );
}
