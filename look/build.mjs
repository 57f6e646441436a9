// Bundles the pages' styles, modules and fonts into asty_look/static/dist under names that carry their hash,
// writes manifest.json (plain name -> hashed name) and a gzip beside every text file.
import { build } from "esbuild";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { constants, gzipSync } from "node:zlib";

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, "asty_look/static/dist");
const fresh = `${dist}.new`;

await rm(fresh, { recursive: true, force: true });
await mkdir(fresh, { recursive: true });

const result = await build({
  absWorkingDir: here,
  entryPoints: {
    asty: "src/css/asty.css",
    night: "src/css/night.css",
    icon: "src/icon.svg",
    "asty-map": "src/css/map.css",
    live: "src/js/live.js",
    passkey: "src/js/passkey.js",
    portal: "src/js/portal.js",
    "portal-worker": "src/js/portal-worker.js",
    push: "src/js/push.js",
    kiosk: "src/js/kiosk.js",
    "kiosk-look": "src/css/kiosk.css",
    "portal-icon-180": "src/portal-icon-180.png",
    "portal-icon-192": "src/portal-icon-192.png",
    "portal-icon-512": "src/portal-icon-512.png",
    "portal-icon-maskable": "src/portal-icon-maskable.png",
    diagram: "src/js/diagram.js",
    "diagram-page": "src/css/diagram.css",
    board: "src/js/board.js",
    "board-page": "src/css/board.css",
    map: "src/js/map.js",
    cab: "src/js/cab.js",
    "cab-look": "src/css/cab.css",
    "cab-night": "src/css/cab-night.css",
    "cab-icon": "src/cab-icon.svg",
    "cab-icon-180": "src/cab-icon-180.png",
    "cab-icon-192": "src/cab-icon-192.png",
    "cab-icon-512": "src/cab-icon-512.png",
    "cab-worker": "src/js/cab/worker.js",
    "map-worker": "node_modules/maplibre-gl/dist/maplibre-gl-worker.mjs",
  },
  outdir: fresh,
  entryNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
  bundle: true,
  format: "esm",
  target: ["es2022", "chrome109", "firefox115", "safari16"],
  minify: true,
  metafile: true,
  legalComments: "none",
  loader: { ".woff2": "file", ".svg": "copy", ".png": "copy" },
  logLevel: "warning",
});

const manifest = {};
for (const [path, output] of Object.entries(result.metafile.outputs)) {
  if (!output.entryPoint) continue;
  const name = basename(path);
  manifest[name.replace(/-[A-Z0-9]{8}(?=\.(js|css|svg|png)$)/, "")] = name;
}
for (const name of await readdir(fresh)) {
  if (/\.(js|css|txt)$/.test(name)) {
    const text = await readFile(join(fresh, name));
    await writeFile(join(fresh, `${name}.gz`), gzipSync(text, { level: constants.Z_BEST_COMPRESSION }));
  }
  if (/^commissioner-(greek|latin)-wght/.test(name)) manifest[name.replace(/-[A-Z0-9]{8}(?=\.)/, "")] = name;
}
await writeFile(join(fresh, "manifest.json"), `${JSON.stringify(manifest, Object.keys(manifest).sort(), 2)}\n`);

// What is bundled comes with its licence: one text of all packages that have gone into the files.
const packages = new Set();
for (const path of Object.keys(result.metafile.inputs)) {
  const found = /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path);
  if (found) packages.add(found[1]);
}
let licences = "";
for (const name of [...packages].sort()) {
  const folder = join(here, "node_modules", name);
  const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry));
  const { version, license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  licences += `${name} ${version} (${license})\n\n${file ? await readFile(join(folder, file), "utf8") : ""}\n\n`;
}
await writeFile(join(fresh, "licences.txt"), licences);

// A page that is being served must never find half a build.
await rm(dist, { recursive: true, force: true });
await rename(fresh, dist);
console.log(`${Object.keys(manifest).length} entries in ${dist}`);
