import type { Operation } from "../../src/index.js";

/** Numbers between 0 and 1 that a seed determines (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

export const FAULTS = ["lost request", "lost answer", "delay", "duplicate", "late duplicate", "cut stream"] as const;
export type Fault = (typeof FAULTS)[number];

/** A batch that the service has run: how often, as far as its answers tell. */
interface Batch {
  operations: Operation[];
  ran: number;
  replayed: number;
}

/** A network that loses, delays, repeats and reorders requests and answers, and remembers what the service has run. */
export class FlakyNetwork {
  readonly counts = new Map<Fault, number>();
  /** By Idempotency-Key, in the order in which they first succeeded. */
  readonly batches = new Map<string, Batch>();
  /** What answers the next request instead of the service. */
  instead: (() => Response) | undefined;
  /** All writes that were sent, so that a test can send a late copy. */
  readonly writes: Request[] = [];
  readonly #random: () => number;
  readonly #late: Promise<unknown>[] = [];
  rate: number;
  isOffline = false;
  /** What happens before the next read of the delta is sent. */
  delayReads: (() => Promise<void>) | undefined;

  constructor(seed: number, rate: number) {
    this.#random = randomOf(seed);
    this.rate = rate;
  }

  readonly fetch = async (request: Request): Promise<Response> => {
    if (this.isOffline) throw new TypeError("offline");
    if (this.instead && request.method === "POST") {
      const answer = this.instead();
      this.instead = undefined;
      return answer;
    }
    if (request.url.includes("/changes") && this.delayReads) {
      const happens = this.delayReads;
      this.delayReads = undefined;
      await happens();
    }
    if (this.#happens("delay")) await this.#pause(30);
    if (this.#happens("lost request")) throw new TypeError("the request was lost");
    if (request.method === "POST") this.writes.push(new Request(request.clone(), { signal: null }));
    if (this.#happens("late duplicate")) this.#sendLate(request.clone());
    if (!request.url.includes("/events") && this.#happens("duplicate")) await (await this.#send(request.clone())).arrayBuffer();
    const response = await this.#send(request);
    if (this.#happens("lost answer")) {
      await response.body?.cancel();
      throw new TypeError("the answer was lost");
    }
    if (this.#happens("delay")) await this.#pause(30);
    return request.url.includes("/events") && this.#happens("cut stream") ? this.#cut(response) : response;
  };

  /** Wait until all duplicates have arrived. */
  async settle(): Promise<void> {
    await Promise.all(this.#late);
  }

  /** A copy of a write arrives after others that were sent later. */
  #sendLate(request: Request): void {
    if (request.method === "GET") return;
    this.#late.push(this.#pause(120).then(() => this.#send(new Request(request, { signal: null }))).catch(() => undefined));
  }

  async #send(request: Request): Promise<Response> {
    const body = request.method === "POST" ? await request.clone().text() : "";
    const response = await fetch(request);
    if (request.url.endsWith("/batch") && response.ok && !body.includes('"atomic":false')) this.#remember(request, body, response);
    return response;
  }

  #remember(request: Request, body: string, response: Response): void {
    const key = request.headers.get("Idempotency-Key")!;
    const batch = this.batches.get(key) ?? { operations: JSON.parse(body).operations, ran: 0, replayed: 0 };
    if (response.headers.has("Idempotent-Replayed")) batch.replayed++;
    else batch.ran++;
    this.batches.set(key, batch);
  }

  #happens(fault: Fault): boolean {
    if (this.#random() >= this.rate) return false;
    this.counts.set(fault, (this.counts.get(fault) ?? 0) + 1);
    return true;
  }

  async #pause(most: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, this.#random() * most));
  }

  /** Let a stream end with an error in the middle. */
  #cut(response: Response): Response {
    let left = Math.floor(this.#random() * 1500);
    const cutting = new TransformStream<Uint8Array, Uint8Array>({
      transform(piece, controller) {
        controller.enqueue(piece.slice(0, left));
        left -= piece.length;
        if (left < 0) controller.error(new TypeError("the stream was cut"));
      },
    });
    return new Response(response.body!.pipeThrough(cutting), response);
  }
}
