// Bundles the page into `site/`, or the unit tests into `target/tests/`.

import { copyFile, mkdir, readdir, rm } from "node:fs/promises";
import { build } from "esbuild";

const here = (path) => new URL(path, import.meta.url).pathname;

async function page() {
  await rm(here("site"), { recursive: true, force: true });
  await mkdir(here("site"), { recursive: true });
  await build({
    entryPoints: { dashboard: here("src/main.tsx"), socket: here("src/socket/worker.ts") },
    outdir: here("site"),
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    jsx: "automatic",
    jsxImportSource: "preact",
    legalComments: "eof",
    logLevel: "warning",
  });
  await copyFile(here("src/index.html"), here("site/index.html"));
}

async function tests() {
  await rm(here("target/tests"), { recursive: true, force: true });
  const files = await readdir(here("src"), { recursive: true, withFileTypes: true });
  await build({
    entryPoints: files
      .filter((file) => /\.test\.tsx?$/.test(file.name))
      .map((file) => `${file.parentPath ?? file.path}/${file.name}`),
    outdir: here("target/tests"),
    outbase: here("src"),
    bundle: true,
    platform: "node",
    packages: "external",
    format: "esm",
    target: "node18",
    jsx: "automatic",
    jsxImportSource: "preact",
    loader: { ".css": "empty" },
    outExtension: { ".js": ".mjs" },
    logLevel: "warning",
  });
}

await (process.argv[2] === "tests" ? tests() : page());
