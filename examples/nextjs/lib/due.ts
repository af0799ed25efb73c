/** Due dates have three kinds: a day, a local time, and an instant. See docs/api.md of the API. */
export type DueKind = "none" | "day" | "local" | "instant";

export const DUE_KINDS: Record<DueKind, string> = {
  none: "No date",
  day: "A day",
  local: "A time, wherever you are",
  instant: "An exact moment",
};

export const timeZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;

export function kindOf(due: string | null): DueKind {
  if (due === null) return "none";
  if (due.length === 10) return "day";
  return due.endsWith("Z") ? "instant" : "local";
}

/** The milliseconds at which a task is due on the clock of this browser, to sort by. */
export function dueTime(due: string | null): number {
  if (due === null) return Infinity;
  return Date.parse(due.length === 10 ? `${due}T00:00` : due);
}

const DAY: Intl.DateTimeFormatOptions = { weekday: "short", day: "numeric", month: "short", year: "numeric" };
const asDay = new Intl.DateTimeFormat("en", DAY);
const asTime = new Intl.DateTimeFormat("en", { ...DAY, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

export function dueText(due: string): string {
  return (due.length === 10 ? asDay : asTime).format(dueTime(due));
}

/** The value of a date input, or of a datetime-local input. */
export function inputValue(due: string): string {
  if (kindOf(due) !== "instant") return due.slice(0, 16);
  const date = new Date(due);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** The due date of a kind for the value of its input. */
export function dueOf(kind: DueKind, value: string): string | null {
  if (kind === "none" || !value) return null;
  if (kind === "day") return value.slice(0, 10);
  const local = `${value.length === 10 ? `${value}T09:00` : value.slice(0, 16)}:00`;
  return kind === "local" ? local : new Date(local).toISOString().replace(".000Z", "Z");
}

export function today(): string {
  return inputValue(new Date().toISOString()).slice(0, 10);
}
