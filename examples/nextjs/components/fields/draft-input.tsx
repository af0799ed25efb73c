"use client";

import { type InputHTMLAttributes, type KeyboardEvent, type TextareaHTMLAttributes, useEffect, useRef, useState } from "react";

const PAUSE = 600; // milliseconds without typing

interface DraftProps {
  value: string;
  onCommit: (value: string) => void;
  /** Commit with Enter or when the field is left, not while somebody types: half a date is another date. */
  isWhole?: boolean;
}

/**
 * Keep what is typed apart from the stored value, so that a change from elsewhere does not overwrite it. It is committed
 * after a pause, with Enter, when the field is left, and when the page goes away.
 */
function useDraft({ value, onCommit, isWhole = false }: DraftProps) {
  const [draft, setDraft] = useState<string>();
  const latest = useRef({ draft, value, onCommit });
  useEffect(() => {
    latest.current = { draft, value, onCommit };
  });

  const commit = useRef(() => {
    const { draft: typed, value: stored, onCommit: save } = latest.current;
    if (typed !== undefined && typed !== stored) save(typed);
  });
  useEffect(() => {
    if (draft === undefined || isWhole) return;
    const timer = setTimeout(commit.current, PAUSE);
    return () => clearTimeout(timer);
  }, [draft, isWhole]);
  useEffect(() => {
    const leave = commit.current;
    window.addEventListener("pagehide", leave);
    return () => {
      leave();
      window.removeEventListener("pagehide", leave);
    };
  }, []);

  return {
    value: draft ?? value,
    onChange: (event: { target: { value: string } }) => setDraft(event.target.value),
    onKeyDown: (event: KeyboardEvent) => {
      if (event.key === "Enter") commit.current();
    },
    onBlur: () => {
      commit.current();
      setDraft(undefined);
    },
  };
}

type InputProps = DraftProps & Omit<InputHTMLAttributes<HTMLInputElement>, "value" | "onChange" | "onBlur">;

export function DraftInput({ value, onCommit, isWhole, ...input }: InputProps) {
  return <input {...input} {...useDraft({ value, onCommit, isWhole })} />;
}

type AreaProps = DraftProps & Omit<TextareaHTMLAttributes<HTMLTextAreaElement>, "value" | "onChange" | "onBlur">;

export function DraftArea({ value, onCommit, ...area }: AreaProps) {
  return <textarea {...area} {...useDraft({ value, onCommit })} />;
}
