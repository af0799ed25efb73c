"use client";

import { type FormEvent, type ReactNode, useEffect, useState } from "react";
import { rememberPerson } from "@/lib/session";

export interface Answer {
  data: { user: { id: string; name: string; email: string } } | null;
  error: { code?: string; message?: string; status: number } | null;
}

interface AuthFormProps {
  title: string;
  submit: (values: Record<string, string>) => Promise<Answer>;
  children: ReactNode;
  other: ReactNode;
}

const WORDS: Record<string, string> = {
  INVALID_EMAIL_OR_PASSWORD: "No account has this e-mail and password. Check both, or sign up.",
  INVALID_EMAIL: "This is not an e-mail address. Check it for typing errors.",
  USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL: "There is an account with this e-mail already. Sign in, or use another e-mail.",
  PASSWORD_TOO_SHORT: "The password is too short. Use at least 8 characters.",
};

/** A form that keeps what was typed when it fails, and says why. */
export function AuthForm({ title, submit, children, other }: AuthFormProps) {
  const [problem, setProblem] = useState("");
  const [isReady, setReady] = useState(false);
  const [isBusy, setBusy] = useState(false);
  useEffect(() => setReady(true), []); // before that, the browser would send the form itself

  async function send(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    setBusy(true);
    setProblem("");
    const values = Object.fromEntries(new FormData(event.currentTarget)) as Record<string, string>;
    const { data, error } = await submit(values).catch(() => ({ data: null, error: { status: 0 } }) satisfies Answer);
    setBusy(false);
    if (!data) return setProblem(inWords(error));
    rememberPerson(data.user);
    window.location.replace("/"); // a new page, so that nothing of another person is left in memory
  }

  return (
    <main className="sign-in">
      <h1>{title}</h1>
      <form onSubmit={send}>
        {children}
        <p role="alert" className="problem">
          {problem}
        </p>
        <button className="primary" disabled={!isReady || isBusy}>
          {title}
        </button>
      </form>
      <p>{other}</p>
    </main>
  );
}

function inWords(error: Answer["error"]): string {
  if (error?.code && WORDS[error.code]) return WORDS[error.code]!;
  if (error?.status === 429) return "That were too many tries. Wait ten seconds, then try again.";
  if (!error?.status) return "The server cannot be reached. Check your connection, then try again.";
  return error.message ? `${error.message}.` : "The server has a problem. Try again in a minute.";
}
