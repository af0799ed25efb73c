import { NoAnswerError } from "./errors.js";

/** When a request is sent again. All times are milliseconds. */
export interface RetryPolicy {
  /** How often a request is sent, the first time included. */
  tries: number;
  /** The longest wait after the first try. It doubles with each one. */
  firstDelay: number;
  longestDelay: number;
  /** How long to wait for an answer. */
  timeout: number;
}

export const DEFAULT_RETRY: RetryPolicy = { tries: 5, firstDelay: 300, longestDelay: 20_000, timeout: 30_000 };

type Send = (request: Request) => Promise<Response>;

/** Send a request until it is answered with neither a lost answer nor a status that asks to come back later. */
export async function sendWithRetries(request: Request, send: Send, policy: RetryPolicy): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    const isLast = attempt >= policy.tries;
    let response: Response | undefined;
    try {
      response = await send(request.clone());
    } catch (error) {
      if (isLast || !(error instanceof NoAnswerError) || !mayRepeat(request)) throw error;
    }
    if (response && (isLast || !(await asksToComeBack(response)))) return response;
    await wait(backoff(attempt, policy, response), request.signal);
  }
}

/** Return a random time up to the longest one of this attempt (full jitter), after what `Retry-After` asks for. */
export function backoff(attempt: number, policy: RetryPolicy, response?: Response): number {
  const longest = Math.min(policy.longestDelay, policy.firstDelay * 2 ** (attempt - 1));
  return retryAfter(response) + Math.random() * longest;
}

export async function wait(milliseconds: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const aborted = () => {
      clearTimeout(timer);
      reject(signal!.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", aborted);
      resolve();
    }, milliseconds);
    signal?.addEventListener("abort", aborted, { once: true });
  });
}

/** A write may only be repeated with an Idempotency-Key: its lost answer may be that of a write that was done. */
function mayRepeat(request: Request): boolean {
  return ["GET", "HEAD"].includes(request.method) || request.headers.has("Idempotency-Key");
}

async function asksToComeBack(response: Response): Promise<boolean> {
  if ([429, 502, 503, 504].includes(response.status)) return true;
  if (response.status !== 409) return false;
  const problem = (await response.clone().json().catch(() => undefined)) as { code?: string } | undefined;
  return problem?.code === "idempotency-key-in-use"; // an earlier try is still running
}

function retryAfter(response: Response | undefined): number {
  const text = response?.headers.get("Retry-After");
  if (!text) return 0;
  const milliseconds = Number.isNaN(Number(text)) ? Date.parse(text) - Date.now() : 1000 * Number(text);
  return Math.max(0, milliseconds || 0);
}
