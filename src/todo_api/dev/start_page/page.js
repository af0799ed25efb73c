"use strict";

const SHOWN = 50; // tasks in the list, and events in the log
const element = (id) => document.getElementById(id);
const tasks = new Map(); // by id
let lastEvent = ""; // the id to resume after
let connection = new AbortController();

const authorization = () => ({ Authorization: `Bearer ${element("token").value.trim()}` });
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

function say(text, isError = false) {
  element("status").textContent = text;
  element("status").classList.toggle("error", isError);
}

function showTasks() {
  const newest = [...tasks.values()].sort((one, other) => (one.created_at < other.created_at ? 1 : -1));
  element("count").textContent = tasks.size > SHOWN ? `the newest ${SHOWN} of ${tasks.size}` : `${tasks.size}`;
  element("tasks").replaceChildren(...newest.slice(0, SHOWN).map((task) => {
    const item = document.createElement("li");
    item.textContent = task.title;
    if (task.completed) item.className = "completed";
    return item;
  }));
}

function log(what, title) {
  const item = document.createElement("li");
  const time = document.createElement("time");
  time.textContent = new Date().toLocaleTimeString();
  item.append(time, title === undefined ? what : `${what}: ${title}`);
  element("events").prepend(item);
  element("events").children[SHOWN]?.remove();
}

function apply(page, isLive) {
  for (const task of page.tasks) {
    if (isLive) log(tasks.has(task.id) ? "Task changed" : "Task added", task.title);
    tasks.set(task.id, task);
  }
  for (const { id } of page.deleted) {
    if (isLive) log("Task deleted", tasks.get(id)?.title);
    tasks.delete(id);
  }
  for (const list of page.lists) if (isLive) log("List added or changed", list.name);
  for (const _ of page.deleted_lists) if (isLive) log("List deleted");
}

// Calls `receive` with the id and the data of each event.
async function readEvents(body, receive) {
  let text = "";
  for (const reader = body.pipeThrough(new TextDecoderStream()).getReader(); ;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (text + value).split("\n\n");
    text = blocks.pop();
    for (const block of blocks) {
      const pairs = block.split("\n").map((line) => [line.split(":", 1)[0], line.slice(line.indexOf(":") + 1).trim()]);
      const { id, data } = Object.fromEntries(pairs); // comments and `retry` have none
      if (data) receive(id, JSON.parse(data));
    }
  }
}

async function connect(signal) {
  const since = lastEvent && `?since=${encodeURIComponent(lastEvent)}`;
  const response = await fetch(`api/tasks/events${since}`, { headers: authorization(), signal });
  if (!response.ok) {
    const problem = await response.json();
    lastEvent = "";
    if (response.status === 401) {
      say(`${problem.detail}. Reload this page for a new token.`, true);
      return connection.abort();
    }
    throw new Error(problem.detail);
  }
  let isLive = lastEvent !== ""; // without an id, the stream starts with all tasks
  if (!isLive) tasks.clear();
  showTasks();
  say("Connected. Changes appear here as they happen.");
  await readEvents(response.body, (id, page) => {
    apply(page, isLive);
    lastEvent = id;
    isLive ||= !page.has_more;
    showTasks();
  });
}

async function follow() {
  connection.abort();
  const { signal } = (connection = new AbortController());
  while (!signal.aborted) { // a stream ends with its token, its server or the network
    try {
      await connect(signal);
    } catch (error) {
      if (signal.aborted) return;
      say(`Not connected: ${error.message}. Trying again …`, true);
      await pause(2000);
    }
  }
}

async function add(event) {
  event.preventDefault();
  const title = element("title");
  try {
    const response = await fetch("api/tasks", {
      method: "POST",
      headers: { ...authorization(), "Content-Type": "application/json" },
      body: JSON.stringify({ title: title.value }),
    });
    if (response.ok) title.value = ""; // the task itself arrives with the events
    else say((await response.json()).detail, true);
  } catch (error) {
    say(`The task was not added: ${error.message}`, true);
  }
}

async function copy() {
  const token = element("token");
  token.select();
  if (navigator.clipboard) await navigator.clipboard.writeText(token.value.trim()); // missing without TLS, unless local
  else document.execCommand("copy");
  element("copy").textContent = "Copied";
  await pause(2000);
  element("copy").textContent = "Copy";
}

element("add").addEventListener("submit", add);
element("copy").addEventListener("click", copy);
element("token").addEventListener("change", () => {
  lastEvent = "";
  follow();
});
if (element("token").value) follow();
else say("Paste a token to see and add tasks.");
