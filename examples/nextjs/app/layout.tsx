import type { Metadata, Viewport } from "next";
import type { ReactNode } from "react";
import "./styles/base.css";
import "./styles/layout.css";
import "./styles/tasks.css";
import "./styles/details.css";

export const metadata: Metadata = {
  title: { default: "Tasks", template: "%s – Tasks" },
  description: "Tasks that stay in sync and work offline",
};
export const viewport: Viewport = { colorScheme: "light dark", width: "device-width", initialScale: 1 };

export const dynamic = "force-dynamic"; // the policy of proxy.ts has a nonce for each request

export default function Layout({ children }: { children: ReactNode }) {
  return (
    <html lang="en">
      <body>{children}</body>
    </html>
  );
}
