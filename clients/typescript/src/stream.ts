/** An event of a stream of server-sent events. */
export interface StreamEvent {
  id: string;
  data: string;
}

export interface StreamHandlers {
  onEvent(event: StreamEvent): Promise<void>;
  /** Called with each piece that arrives, comments included. */
  onLife(): void;
}

/**
 * Read server-sent events until the stream ends or the signal aborts; return how many milliseconds to wait before the
 * next stream.
 */
export async function readEvents(
  body: ReadableStream<Uint8Array>,
  handlers: StreamHandlers,
  signal?: AbortSignal,
): Promise<number> {
  const reader = body.getReader();
  // Node may forget that the request has a signal once the response has begun.
  const cancel = () => void reader.cancel(signal?.reason).catch(() => undefined);
  signal?.addEventListener("abort", cancel, { once: true });
  if (signal?.aborted) cancel();
  const decoder = new TextDecoder();
  let rest = "";
  let retry = 1000;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return retry;
      handlers.onLife();
      const parts = (rest + decoder.decode(value, { stream: true })).replace(/\r\n/g, "\n").split("\n\n");
      rest = parts.pop()!;
      for (const part of parts) {
        const fields = fieldsOf(part);
        retry = Number(fields.get("retry") ?? retry);
        if (fields.has("data")) await handlers.onEvent({ id: fields.get("id") ?? "", data: fields.get("data")! });
      }
    }
  } finally {
    signal?.removeEventListener("abort", cancel);
    cancel();
  }
}

function fieldsOf(part: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of part.split("\n")) {
    const [, name, value] = /^(\w+): ?(.*)$/.exec(line) ?? [];
    if (name !== undefined) fields.set(name, fields.has(name) ? `${fields.get(name)}\n${value}` : value!);
  }
  return fields;
}
