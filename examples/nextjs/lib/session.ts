"use client";

import { ApiError } from "todo-api-client";
import { authClient } from "@/lib/auth-client";

/** Who is signed in. It is kept in the browser, so that the app opens without a network. */
export interface Person {
  id: string;
  name: string;
  email: string;
}

const SIGNED_OUT = { type: "about:blank", title: "Signed out", status: 401, detail: "Your session has ended", code: "signed-out" };

const KEY = "person";
const RENEW_BEFORE = 60_000; // milliseconds before a token expires

const listeners = new Set<() => void>();
let stored: string | null = null;
let person: Person | undefined;

export function currentPerson(): Person | undefined {
  const text = localStorage.getItem(KEY);
  if (text !== stored) {
    stored = text;
    person = text ? (JSON.parse(text) as Person) : undefined;
  }
  return person;
}

export function rememberPerson(next: Person | undefined): void {
  if (next) localStorage.setItem(KEY, JSON.stringify({ id: next.id, name: next.name, email: next.email }));
  else localStorage.removeItem(KEY);
  kept = undefined;
  for (const listener of listeners) listener();
}

/** Call the listener when somebody signs in or out, also in another tab. */
export function onPersonChange(listener: () => void): () => void {
  listeners.add(listener);
  window.addEventListener("storage", listener);
  return () => {
    listeners.delete(listener);
    window.removeEventListener("storage", listener);
  };
}

let kept: { token: string; expires: number } | undefined;
let asked: Promise<string> | undefined;

/** Return an access token of the API, the same one until a minute before it expires. */
export async function accessToken(refused?: string): Promise<string> {
  if (kept && kept.token !== refused && Date.now() < kept.expires - RENEW_BEFORE) return kept.token;
  return (asked ??= requestToken().finally(() => (asked = undefined)));
}

async function requestToken(): Promise<string> {
  const { data, error } = await authClient.token();
  if (error?.status === 401) throw new ApiError(SIGNED_OUT); // which tells the other tabs too
  if (error) throw new TypeError(error.message ?? "The front end cannot be reached.");
  kept = { token: data.token, expires: expiryOf(data.token) };
  return data.token;
}

function expiryOf(token: string): number {
  const payload = token.split(".")[1]!.replace(/-/g, "+").replace(/_/g, "/");
  return 1000 * (JSON.parse(atob(payload)) as { exp: number }).exp;
}
