import path from "node:path";
import type { NextConfig } from "next";

// The client of the API is a folder of this repository, outside of this one.
const repository = path.join(import.meta.dirname, "../..");

const config: NextConfig = {
  outputFileTracingRoot: repository,
  turbopack: { root: repository },
  poweredByHeader: false,
  env: { BUILD: Date.now().toString(36) }, // the service worker keeps the files of one build
  reactStrictMode: true,
};

export default config;
