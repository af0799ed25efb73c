// Follows changes through a proxy that breaks the connection after the first event, and prints what arrived.
import http from "node:http";
import { EventSourcePolyfill } from "event-source-polyfill";

const [baseUrl, jwt] = process.argv.slice(2);
const headers = { Authorization: `Bearer ${jwt}`, "Content-Type": "application/json" };
const create = (title) => fetch(`${baseUrl}/api/tasks`, { method: "POST", headers, body: JSON.stringify({ title }) });
const parameters = [], statuses = [], titles = [];

const proxy = http.createServer((request, response) => {
  parameters.push([...new URL(request.url, baseUrl).searchParams.keys()]);
  http.get(baseUrl + request.url, { headers: request.headers }, (upstream) => {
    statuses.push(upstream.statusCode);
    response.writeHead(upstream.statusCode, upstream.headers);
    upstream.pipe(response);
  });
});
await create("before");
await new Promise((ready) => proxy.listen(0, "127.0.0.1", ready));
const source = new EventSourcePolyfill(`http://127.0.0.1:${proxy.address().port}/api/tasks/events`, { headers });
source.onmessage = async (event) => {
  titles.push(JSON.parse(event.data).tasks.map((task) => task.title));
  if (titles.length === 1) {
    await create("after");
    proxy.closeAllConnections();
  } else {
    console.log(JSON.stringify({ parameters, statuses, titles }));
    process.exit();
  }
};
