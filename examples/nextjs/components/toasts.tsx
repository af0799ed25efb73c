"use client";

import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useRef, useState } from "react";

export interface Message {
  text: string;
  /** What was typed, so that it is not lost. */
  typed?: string;
  actions?: { label: string; run: () => void }[];
  /** Problems stay until they are closed. */
  isProblem?: boolean;
}

type Shown = Message & { id: number };

const SECONDS = 10;
const Context = createContext<(message: Message) => void>(() => undefined);

export const useToast = () => useContext(Context);

/** Messages at the lower edge, which screen readers read. */
export function Toasts({ children }: { children: ReactNode }) {
  const [shown, setShown] = useState<Shown[]>([]);
  const last = useRef(0);
  const show = useCallback((message: Message) => {
    const id = ++last.current;
    setShown((others) => [...others.filter((one, index) => one.isProblem || index >= others.length - 2), { ...message, id }]);
  }, []);
  const close = useCallback((id: number) => setShown((all) => all.filter((one) => one.id !== id)), []);
  return (
    <Context value={show}>
      {children}
      <div className="toasts" role="status" aria-label="Messages">
        {shown.map((message) => (
          <Toast key={message.id} message={message} close={close} />
        ))}
      </div>
    </Context>
  );
}

function Toast({ message, close }: { message: Shown; close: (id: number) => void }) {
  const [isHeld, setHeld] = useState(false);
  const actions = useMemo(() => message.actions ?? [], [message]);
  const end = useCallback(() => close(message.id), [close, message.id]);
  useEffect(() => {
    if (message.isProblem || isHeld) return;
    const timer = setTimeout(end, SECONDS * 1000);
    return () => clearTimeout(timer);
  }, [message, isHeld, end]);
  return (
    <div
      className={message.isProblem ? "toast problem-toast" : "toast"}
      onMouseEnter={() => setHeld(true)}
      onMouseLeave={() => setHeld(false)}
      onFocus={() => setHeld(true)}
      onBlur={() => setHeld(false)}
    >
      <p>{message.text}</p>
      {message.typed && <blockquote>{message.typed}</blockquote>}
      <div className="row">
        {actions.map(({ label, run }) => (
          <button
            key={label}
            onClick={() => {
              end();
              run();
            }}
          >
            {label}
          </button>
        ))}
        <button className="quiet" onClick={end}>
          Close
        </button>
      </div>
    </div>
  );
}
