import createFetchClient, { type FetchResponse, type MaybeOptionalInit } from "openapi-fetch";
import type { HttpMethod, MediaType, PathsWithMethod, RequiredKeysOf } from "openapi-typescript-helpers";
import { AnotherUserError, ApiError, NoAnswerError, problemOf } from "./errors.js";
import { newId } from "./ids.js";
import type { paths } from "./generated/api.js";
import { DEFAULT_RETRY, type RetryPolicy, sendWithRetries } from "./retry.js";

export interface ClientOptions {
  /** The address of the service, without `/api`. */
  baseUrl: string;
  /**
   * Return an access token. It is called for every request, so it should keep the token while it is valid. After a
   * 401 it is called once more with the token that was refused.
   */
  token: (refused?: string) => Promise<string>;
  fetch?: (request: Request) => Promise<Response>;
  retry?: Partial<RetryPolicy>;
}

type Answer<Response_> = Extract<Response_, { data: unknown; error?: never }>;
type InitParam<Init> = RequiredKeysOf<Init> extends never ? [Init?] : [Init];
type Method<M extends HttpMethod> = <
  Path extends PathsWithMethod<paths, M>,
  Init extends MaybeOptionalInit<paths[Path], M>,
>(
  path: Path,
  ...init: InitParam<Init>
) => Promise<Answer<FetchResponse<paths[Path][M & keyof paths[Path]] & Record<string, unknown>, Init, MediaType>>>;

/** Requests of the API, with types for each path. They return `data` and `response`, or throw an `ApiError`. */
export interface Client {
  readonly GET: Method<"get">;
  readonly POST: Method<"post">;
  readonly PUT: Method<"put">;
  readonly PATCH: Method<"patch">;
  readonly DELETE: Method<"delete">;
  /** Send a request once, with a token, and return any response. For streams, and for what the types do not have. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  readonly retry: RetryPolicy;
  /** Return a client that refuses to send anything with a token of another user (the `sub` of the token). */
  forUser(user: string): Client;
}

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;

export function createClient(options: ClientOptions): Client {
  return clientOf({ ...options, baseUrl: options.baseUrl.replace(/\/+$/, "") });
}

function clientOf(options: ClientOptions, user?: string): Client {
  const policy = { ...DEFAULT_RETRY, ...options.retry };
  const authorized = (request: Request) => sendAuthorized(request, options, user);
  const send = (request: Request) => {
    if (!["GET", "HEAD"].includes(request.method) && !request.headers.has("Idempotency-Key") && !isErasure(request)) {
      request.headers.set("Idempotency-Key", newId());
    }
    return sendWithRetries(request, (one) => complete(one, authorized, policy.timeout), policy);
  };
  const api = createFetchClient<paths>({ baseUrl: options.baseUrl, fetch: send });

  async function call(method: (typeof METHODS)[number], path: never, init: never): Promise<unknown> {
    const { data, error, response } = await (api[method] as (path: never, init: never) => Promise<Result>)(path, init);
    if (response.status >= 400) throw new ApiError(problemOf(response, error));
    return { data, response };
  }

  const methods = METHODS.map((method) => [method, (path: never, init: never) => call(method, path, init)] as const);
  return {
    ...(Object.fromEntries(methods) as unknown as Client),
    fetch: (path, init) => authorized(new Request(options.baseUrl + path, init)),
    retry: policy,
    forUser: (id) => clientOf(options, id),
  };
}

interface Result {
  data?: unknown;
  error?: unknown;
  response: Response;
}

/** The service refuses a key there, because a late retry would erase what was written since. */
function isErasure(request: Request): boolean {
  return request.method === "DELETE" && new URL(request.url).pathname.endsWith("/api/me");
}

async function sendAuthorized(request: Request, options: ClientOptions, user?: string): Promise<Response> {
  const send = async (refused?: string) => {
    const token = await options.token(refused);
    if (user !== undefined && subjectOf(token) !== user) throw new AnotherUserError("another user has signed in");
    const one = request.clone();
    one.headers.set("Authorization", `Bearer ${token}`);
    const response = await (options.fetch ?? fetch)(one).catch((cause: unknown) => {
      request.signal.throwIfAborted();
      throw new NoAnswerError("no answer from the service", { cause });
    });
    return { response, token };
  };
  const first = await send();
  return first.response.status === 401 ? (await send(first.token)).response : first.response;
}

/** Send a request and read all of the response, in a limited time. */
async function complete(request: Request, send: (request: Request) => Promise<Response>, timeout: number) {
  request.signal.throwIfAborted();
  const limit = new AbortController();
  const abort = () => limit.abort(request.signal.reason);
  const timer = setTimeout(() => limit.abort(new NoAnswerError("no answer in time")), timeout);
  request.signal.addEventListener("abort", abort, { once: true });
  try {
    const response = await send(new Request(request, { signal: limit.signal }));
    const body = await response.arrayBuffer().catch((cause: unknown) => {
      limit.signal.throwIfAborted();
      throw new NoAnswerError("the answer was cut off", { cause });
    });
    return new Response(body.byteLength ? body : null, response);
  } finally {
    clearTimeout(timer);
    request.signal.removeEventListener("abort", abort);
  }
}

/** Return the user of a JWT; undefined if it cannot be read. */
function subjectOf(token: string): string | undefined {
  try {
    const payload = token.split(".")[1]!.replace(/-/g, "+").replace(/_/g, "/");
    const bytes = Uint8Array.from(atob(payload), (character) => character.charCodeAt(0));
    return (JSON.parse(new TextDecoder().decode(bytes)) as { sub?: string }).sub;
  } catch {
    return undefined;
  }
}
