import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, beforeEach, test } from "node:test";
import { AnotherUserError, ApiError, createClient, NoAnswerError } from "../../src/index.js";
import { backoff, DEFAULT_RETRY } from "../../src/retry.js";
import { tokenOf } from "../support/service.js";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;
interface Seen {
  method: string;
  url: string;
  key: string | undefined;
  token: string | undefined;
  body: string;
}

let seen: Seen[] = [];
let answers: Answer[] = [];
const server = createServer(async (request, response) => {
  let body = "";
  for await (const piece of request) body += piece;
  const { method, url, headers } = request;
  const key = headers["idempotency-key"] as string | undefined;
  seen.push({ method: method!, url: url!, key, token: headers.authorization?.replace("Bearer ", ""), body });
  (answers.shift() ?? json(200, []))(request, response);
});
before(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});
after(() => {
  server.close();
  server.closeAllConnections();
});
beforeEach(() => {
  seen = [];
  answers = [];
});

const json = (status: number, body: unknown, headers = {}): Answer => (_, response) =>
  void response.writeHead(status, { "Content-Type": "application/json", ...headers }).end(JSON.stringify(body));
const problem = (status: number, code: string, headers = {}, more = {}) =>
  json(status, { type: `urn:todo-api:problem:${code}`, title: code, status, detail: `about ${code}`, code, ...more }, headers);
const lost: Answer = (request) => void request.socket.destroy();
const silent: Answer = () => undefined;

function client(token: (refused?: string) => Promise<string> = async () => "token", timeout = 2000) {
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return createClient({ baseUrl, token, retry: { tries: 4, firstDelay: 5, longestDelay: 20, timeout } });
}

test("a write is sent again with the same key and body, until it is answered", async () => {
  answers = [lost, problem(503, "shutting-down", { "Retry-After": "0" }), problem(429, "too-many-requests"), json(201, { id: "1" })];
  const { data, response } = await client().POST("/api/tasks", { body: { title: "Milk" } });
  assert.deepEqual([data.id, response.status, seen.length], ["1", 201, 4]);
  assert.match(seen[0]!.key!, /^[0-9a-f-]{36}$/);
  assert.equal(new Set(seen.map(({ key, body }) => `${key} ${body}`)).size, 1);
});

test("each write has a key of its own", async () => {
  await client().POST("/api/tasks", { body: { title: "Milk" } });
  await client().POST("/api/tasks", { body: { title: "Milk" } });
  assert.notEqual(seen[0]!.key, seen[1]!.key);
});

test("a write whose first try is still running is sent again", async () => {
  answers = [problem(409, "idempotency-key-in-use"), json(201, { id: "1" })];
  assert.equal((await client().POST("/api/tasks", { body: { title: "Milk" } })).response.status, 201);
});

test("an answer that does not come in time is lost", async () => {
  answers = [silent, json(200, [{ id: "1" }])];
  assert.equal((await client(undefined, 500).GET("/api/tasks")).data[0]?.id, "1");
});

test("after the last try, the last error is thrown", async () => {
  answers = [lost, lost, lost, lost];
  await assert.rejects(client().GET("/api/tasks"), NoAnswerError);
  assert.equal(seen.length, 4);
  answers = Array<Answer>(4).fill(problem(503, "database-unavailable"));
  await assert.rejects(client().GET("/api/tasks"), (error) => error instanceof ApiError && error.status === 503);
});

test("erasing the account has no key, and is not sent again when its answer is lost", async () => {
  answers = [lost];
  await assert.rejects(client().DELETE("/api/me"), NoAnswerError);
  assert.deepEqual(seen.map(({ key }) => key), [undefined]);
});

test("Retry-After is waited for", async () => {
  answers = [problem(429, "too-many-requests", { "Retry-After": "1" })];
  const start = Date.now();
  await client().GET("/api/tasks");
  assert.ok(Date.now() - start >= 1000);
});

test("a problem is thrown with its code and the errors of the fields", async () => {
  const errors = [{ location: "body", field: "title", detail: "is required" }];
  answers = [problem(400, "invalid-request", {}, { errors })];
  await assert.rejects(client().POST("/api/tasks", { body: { title: "" } }), (error) => {
    assert.ok(error instanceof ApiError);
    assert.deepEqual([error.status, error.code, error.detail, error.errors], [400, "invalid-request", "about invalid-request", errors]);
    return true;
  });
  assert.equal(seen.length, 1);
});

test("what is not a problem document is an error too", async () => {
  answers = [(_, response) => void response.writeHead(404, "Not here").end("<html>")];
  await assert.rejects(client().GET("/api/tasks"), (error) => error instanceof ApiError && error.code === "unknown" && error.status === 404);
});

test("the token is asked for again when it is refused, once", async () => {
  answers = [problem(401, "expired-token")];
  await client(async (refused) => (refused === "old" ? "new" : "old")).GET("/api/tasks");
  assert.deepEqual(seen.map(({ token }) => token), ["old", "new"]);
  answers = [problem(401, "expired-token"), problem(401, "expired-token")];
  await assert.rejects(client().GET("/api/tasks"), (error) => error instanceof ApiError && error.code === "expired-token");
});

test("an error of the token getter is thrown as it is", async () => {
  const signedOut = new Error("nobody is signed in");
  await assert.rejects(client(() => Promise.reject(signedOut)).GET("/api/tasks"), signedOut);
});

test("a client for a user sends nothing with the token of another", async () => {
  const mine = client(async () => tokenOf("jürgen")).forUser("jürgen");
  await mine.GET("/api/tasks");
  await assert.rejects(client(async () => tokenOf("ann")).forUser("jürgen").GET("/api/tasks"), AnotherUserError);
  assert.equal(seen.length, 1);
});

test("a request can be aborted while it waits for its next try", async () => {
  answers = [problem(503, "shutting-down", { "Retry-After": "30" })];
  const abort = new AbortController();
  setTimeout(() => abort.abort(new Error("enough")), 50);
  await assert.rejects(client().GET("/api/tasks", { signal: abort.signal }), /enough/);
});

test("waits are random up to a limit that doubles", () => {
  for (const attempt of [1, 2, 3, 10]) {
    const longest = Math.min(DEFAULT_RETRY.longestDelay, DEFAULT_RETRY.firstDelay * 2 ** (attempt - 1));
    const waits = Array.from({ length: 1000 }, () => backoff(attempt, DEFAULT_RETRY));
    assert.ok(Math.min(...waits) < longest * 0.1 && Math.max(...waits) > longest * 0.9 && Math.max(...waits) <= longest);
  }
});
