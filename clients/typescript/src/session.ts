import type { Client } from "./client.js";
import { ApiError, NoAnswerError, problemOf } from "./errors.js";
import type { Exchange } from "./exchange.js";
import type { LocalCopy } from "./copy.js";
import { backoff, wait } from "./retry.js";
import type { Changes } from "./schemas.js";
import { readEvents, type StreamEvent } from "./stream.js";

const SILENCE = 45_000; // the service sends a comment each 15 seconds
const CONFIRMATION = 1000;
const POLLING = 15_000; // where fetch cannot read a response while it arrives

export interface SessionState {
  readonly connected: boolean;
  readonly lastError: Error | undefined;
}

/** Keeps the copy in sync until it is stopped: sends what is new, and follows the live events. */
export class Session {
  readonly #client: Client;
  readonly #copy: LocalCopy;
  readonly #exchange: Exchange;
  readonly #onState: (state: SessionState) => void;
  readonly #signal: AbortSignal;
  #last: Promise<unknown> = Promise.resolve();
  #stream = new AbortController();
  #wake: () => void = () => undefined;
  #connected = false;

  constructor(
    client: Client,
    copy: LocalCopy,
    exchange: Exchange,
    onState: (state: SessionState) => void,
    signal: AbortSignal,
  ) {
    this.#client = client;
    this.#copy = copy;
    this.#exchange = exchange;
    this.#onState = onState;
    this.#signal = signal;
  }

  async run(): Promise<void> {
    const signal = this.#signal;
    const online = () => this.#wake();
    const offline = () => this.#stream.abort(new NoAnswerError("the device is offline"));
    const stop = () => {
      this.#stream.abort(signal.reason);
      this.#wake();
    };
    globalThis.addEventListener?.("online", online);
    globalThis.addEventListener?.("offline", offline);
    signal.addEventListener("abort", stop, { once: true });
    for (let failures = 0; !signal.aborted; ) {
      try {
        await this.sync();
        failures = 0;
        await this.#rest(await this.#follow());
      } catch (error) {
        if (signal.aborted) break;
        this.#setState(false, error as Error);
        await this.#rest(backoff(++failures, this.#client.retry));
      }
    }
    globalThis.removeEventListener?.("online", online);
    globalThis.removeEventListener?.("offline", offline);
  }

  /** Send the outbox, and read the delta. */
  async sync(): Promise<void> {
    await this.#inTurn(async () => {
      await this.#exchange.send();
      await this.#exchange.pull();
    });
    this.#setState(true, undefined);
    this.#wake();
    this.sendSoon(); // what was written meanwhile
  }

  /** Send a write that was just made, unless the service could not be reached: then the next try will. */
  sendSoon(): void {
    if (!this.#connected) return;
    this.#inTurn(async () => {
      if (!this.#exchange.hasUnsent()) return;
      await this.#exchange.send();
      setTimeout(() => this.#confirm(), CONFIRMATION);
    }).catch((error: unknown) => this.#stream.abort(error));
  }

  /** Read the delta, if the stream has not brought what was sent: a write that changed nothing is not in it. */
  #confirm(): void {
    if (!this.#connected || !this.#copy.outbox.some((entry) => entry.arrived)) return;
    this.#inTurn(() => this.#exchange.pull()).catch((error: unknown) => this.#stream.abort(error));
  }

  /** Follow the live events until the stream ends; return how long to wait. */
  async #follow(): Promise<number> {
    this.#signal.throwIfAborted();
    const limit = (this.#stream = new AbortController());
    const { token } = this.#copy;
    const response = await this.#open(token, limit.signal);
    if (!response.body) return POLLING;
    let previous = token;
    let silence = setTimeout(() => undefined);
    const stay = () => {
      clearTimeout(silence);
      silence = setTimeout(() => limit.abort(new NoAnswerError("the stream is silent")), SILENCE);
    };
    stay();
    try {
      const onEvent = async (event: StreamEvent) => {
        await this.#inTurn(() => this.#receive(event, previous));
        previous = event.id;
      };
      const pause = await readEvents(response.body, { onLife: stay, onEvent }, limit.signal);
      limit.signal.throwIfAborted();
      return pause;
    } catch (cause) {
      limit.signal.throwIfAborted();
      throw cause instanceof ApiError ? cause : new NoAnswerError("the stream was cut off", { cause });
    } finally {
      clearTimeout(silence);
      limit.abort();
    }
  }

  async #open(token: string, signal: AbortSignal): Promise<Response> {
    const timer = setTimeout(() => this.#stream.abort(new NoAnswerError("no answer in time")), this.#client.retry.timeout);
    try {
      const response = await this.#client.fetch(`/api/tasks/events?since=${encodeURIComponent(token)}`, { signal });
      if (!response.ok) throw new ApiError(problemOf(response, await response.json().catch(() => undefined)));
      return response;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Apply an event that continues what the copy has; read the delta instead, if the copy is elsewhere. */
  async #receive(event: StreamEvent, previous: string): Promise<void> {
    if (this.#exchange.isInDoubt()) await this.#exchange.send();
    if (event.id === this.#copy.token) return;
    const page = JSON.parse(event.data) as Changes;
    if (page.has_more || previous !== this.#copy.token) return this.#exchange.pull();
    await this.#exchange.apply(page, this.#exchange.containedIn(page));
  }

  /** Wait, or less if the network comes back, a sync succeeds or the session is stopped. */
  async #rest(milliseconds: number): Promise<void> {
    const rest = new AbortController();
    this.#wake = () => rest.abort();
    if (!this.#signal.aborted) await wait(milliseconds, rest.signal).catch(() => undefined);
  }

  #setState(connected: boolean, lastError: Error | undefined): void {
    this.#connected = connected;
    this.#onState({ connected, lastError });
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(task);
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}
