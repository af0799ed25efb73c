// The lists and tasks that the first user of `make example` finds.

const day = (days) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

export async function addSample(apiUrl, token) {
  const [home, work] = [crypto.randomUUID(), crypto.randomUUID()];
  const operations = [
    { op: "create_list", id: home, name: "Home", color: "#2e8b57" },
    { op: "create_list", id: work, name: "Work", color: "#1e90ff" },
    { op: "create", title: "Read the README of this example", priority: "high", due_date: day(0), tags: ["start"] },
    { op: "create", title: "Go offline, add a task, and come back", due_date: day(1), tags: ["start"] },
    { op: "create", title: "Open a second browser, and see changes arrive" },
    {
      op: "create", title: "Water the plants", list_id: home, due_date: day(0), tags: ["garden"],
      recurrence: { rule: "FREQ=WEEKLY", from: "due", time_zone: zone },
    },
    {
      op: "create", title: "Pack for the weekend", list_id: home, due_date: day(3), priority: "medium",
      checklist: [{ title: "Tickets", completed: true }, { title: "Charger" }, { title: "Raincoat" }],
    },
    { op: "create", title: "Return the books", list_id: home, due_date: day(-2), description: "To the library in the park" },
    { op: "create", title: "Plan the release", list_id: work, due_date: `${day(2)}T10:00:00`, priority: "high" },
    { op: "create", title: "Call Kim", list_id: work, due_date: `${day(1)}T14:30:00Z`, tags: ["phone"] },
  ];
  const response = await fetch(`${apiUrl}/api/tasks/batch`, {
    method: "POST",
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body: JSON.stringify({ operations }),
  });
  if (!response.ok) throw new Error(`the sample tasks were refused: ${await response.text()}`);
}
