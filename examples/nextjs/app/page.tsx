import { App } from "@/components/app";

/** The page is the same for everybody, so that the service worker can keep it: the browser knows who is signed in. */
export default function Page() {
  return <App apiUrl={process.env.API_URL ?? "http://localhost:8000"} />;
}
