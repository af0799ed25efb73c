import type { FieldError, Problem } from "./schemas.js";

/** The service refused a request. Programs compare `code`; `message` is for people. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  readonly code: string;
  /** What is wrong with each field, if the input is not valid. */
  readonly errors: readonly FieldError[];
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.status = problem.status;
    this.code = problem.code;
    this.errors = problem.errors ?? [];
    this.problem = problem;
  }

  get detail(): string {
    return this.problem.detail;
  }
}

/** No answer came: the request may have arrived or not. */
export class NoAnswerError extends Error {
  override readonly name = "NoAnswerError";
}

/** The token is that of another user than the one whose data would be sent or read. Nothing was sent. */
export class AnotherUserError extends Error {
  override readonly name = "AnotherUserError";
}

/** The code of an error that has no problem document. */
export const NO_PROBLEM = "unknown";

/** Return the problem in the body of a response, or one that says as much, if a proxy answered. */
export function problemOf(response: Response, body: unknown): Problem {
  if (typeof body === "object" && body !== null && "code" in body) return body as Problem;
  const title = response.statusText || `status ${response.status}`;
  return { type: "about:blank", title, status: response.status, detail: title, code: NO_PROBLEM };
}
