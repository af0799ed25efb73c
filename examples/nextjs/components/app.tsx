"use client";

import { useRouter } from "next/navigation";
import { Suspense, useEffect, useSyncExternalStore } from "react";
import { Toasts } from "@/components/toasts";
import { Workspace } from "@/components/workspace";
import { currentPerson, onPersonChange } from "@/lib/session";
import { StoreProvider } from "@/lib/store";

export function App({ apiUrl }: { apiUrl: string }) {
  const router = useRouter();
  const person = useSyncExternalStore(onPersonChange, currentPerson, () => null);
  useEffect(() => {
    if (person === undefined) router.replace("/sign-in");
  }, [person, router]);

  if (!person) return null;
  return (
    <StoreProvider apiUrl={apiUrl} person={person}>
      <Toasts>
        <Suspense>
          <Workspace />
        </Suspense>
      </Toasts>
    </StoreProvider>
  );
}
