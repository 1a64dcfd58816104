// The layering lint: a room imports only from rooms below its own. The order is that of docs/architecture.md.
import { readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { typescriptFiles } from './transpile.mjs';

/** From the roof to the ground. Rooms on one line never import each other. */
export const floors = [
  ['cli'],
  ['gestore.ts'],
  ['gestore'],
  ['web'],
  ['imap', 'pop3'],
  ['listener'],
  ['interop'],
  ['access-point'],
  ['relay'],
  ['timers'],
  ['incoming-point'],
  ['delivery-point'],
  ['smtp'],
  ['evidence'],
  ['statistics'],
  ['registro'],
  ['directory'],
  ['accounts'],
  ['mailstore'],
  ['antivirus'],
  ['issuing'],
  ['smime'],
  ['storage'],
  ['clock', 'limits'],
  ['telemetry'],
  ['config', 'tls'],
  ['pec'],
  ['ledger'],
  ['wire'],
  ['mime'],
  ['rope'],
];
const floorOf = new Map(floors.flatMap((rooms, floor) => rooms.map((room) => [room, floor])));

const room = (file) => relative('src', file).split(sep)[0];

/** Every broken rule as one line of text; empty when the house stands. */
export function brokenLayers() {
  const broken = [];
  const imports = new Map();
  for (const file of typescriptFiles('src')) {
    const from = room(file);
    if (!floorOf.has(from)) broken.push(`${file}: the room "${from}" stands on no floor`);
    const targets = [];
    for (const [, path] of readFileSync(file, 'utf8').matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)) {
      const target = join(dirname(file), path.replace(/\.js$/, '.ts'));
      targets.push(target);
      const to = room(target);
      if (to === from) continue;
      if (!floorOf.has(to)) broken.push(`${file}: imports ${path}, which is in no room`);
      else if (floorOf.get(to) <= floorOf.get(from))
        broken.push(`${file}: ${from} may not import ${to} (${path})`);
    }
    imports.set(file, targets);
  }
  return [...broken, ...circles(imports)];
}

/** Files that import each other in a loop, one line a loop. */
function circles(imports) {
  const state = new Map();
  const found = [];
  const visit = (file, path) => {
    if (state.get(file) === 'done' || !imports.has(file)) return;
    if (state.get(file) === 'open') {
      found.push(`circle: ${[...path.slice(path.indexOf(file)), file].join(' -> ')}`);
      return;
    }
    state.set(file, 'open');
    for (const target of imports.get(file)) visit(target, [...path, file]);
    state.set(file, 'done');
  };
  for (const file of imports.keys()) visit(file, []);
  return found;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const broken = brokenLayers();
  for (const line of broken) console.error(line);
  process.exit(broken.length === 0 ? 0 : 1);
}
