"use client";

import { useRouter } from "next/navigation";
import { ApiError } from "todo-api-client";
import { useStatus } from "@/lib/store";

/** Says whether everything has arrived, and what to do if it cannot. */
export function SyncStatus() {
  const { connected, pending, loaded, lastError } = useStatus();
  const router = useRouter();
  if (lastError instanceof ApiError && lastError.status === 401) {
    return (
      <p className="sync problem" role="status">
        Your session has ended. Your changes are kept on this device.{" "}
        <button onClick={() => router.push("/sign-in")}>Sign in again</button>
      </p>
    );
  }
  const waiting = `${pending} ${pending === 1 ? "change has" : "changes have"} not arrived`;
  return (
    <p className={connected ? "sync" : "sync offline"} role="status">
      {connected
        ? pending
          ? `Saving: ${waiting} yet`
          : loaded
            ? "All changes are saved"
            : "Loading …"
        : pending
          ? `Offline: ${waiting}, and will be sent when the connection is back.`
          : "Offline. You can go on working; changes are sent when the connection is back."}
    </p>
  );
}
