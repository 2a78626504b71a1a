// Joins the modules of this folder into the files that the package ships, one for each page.
//
//   node build.js            writes them where the package has them
//   node build.js FOLDER     writes them below another folder, for comparison
//
// Before the code of each module stands its path and the SHA-256 of its source, so that a test
// without Node can tell whether a file is up to date, and so that changes to different modules
// merge as their sources do.

import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

// The package.
const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

// A page's first module, the file that is made of it, and its form: a notebook imports the panel
// and the page has a script of type "module", while the documentation's script is a plain one.
const PAGES = [
  ["frontend/panel/main.js", "hud/static/panel.bundle.js", "esm"],
  ["frontend/page/page.js", "rest/hosts/ui/template/page.bundle.js", "esm"],
  ["frontend/docs/page.js", "rest/docs/static/page.bundle.js", "iife"],
];

const HEAD = "// Built by `make build` from frontend/: edit there. After a merge or rebase, build again.\n";

async function sha256(source) {
  // A checkout on Windows may have other ends of lines.
  const text = (await readFile(path.join(ROOT, source), "utf8")).replaceAll("\r\n", "\n");
  return createHash("sha256").update(text).digest("hex");
}

/** Writes the hash of each module's source behind its path, which esbuild puts before its code. */
async function withHashes(code, sources) {
  for (const source of sources) {
    const before = new RegExp(`^( *// ${source})$`, "m");
    if (!before.test(code)) throw new Error(`${source}: nothing of it is used`);
    const hash = await sha256(source);
    code = code.replace(before, (line) => `${line} sha256=${hash}`);
  }
  return code;
}

async function buildPage([entry, output, format], folder) {
  const { metafile, outputFiles } = await build({
    absWorkingDir: ROOT,
    bundle: true,
    charset: "utf8",
    entryPoints: [entry],
    format,
    metafile: true,
    target: "es2022",
    write: false,
  });
  const code = HEAD + (await withHashes(outputFiles[0].text, Object.keys(metafile.inputs)));
  const target = path.join(folder, output);
  await mkdir(path.dirname(target), { recursive: true });
  await writeFile(target, code);
}

const folder = process.argv[2] ?? ROOT;
await Promise.all(PAGES.map((page) => buildPage(page, folder)));
