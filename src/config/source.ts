/** What is written: the YAML text with the environment laid over it, not yet checked. */
import { type Document, isMap, isScalar, parseDocument, visit } from 'yaml';
import { ConfigError, type Problem } from './error.js';
import { findKey, type KeyNode, nearestKey } from './tree.js';

export type Written = { [key: string]: unknown };

export const environmentPrefix = 'CERALACCA__';

/** Keys that exclude each other: the environment's choice replaces the file's. */
const rivals: readonly (readonly string[])[] = [
  ['antivirus.clamd', 'antivirus.builtin'],
  ['signing.key.file', 'signing.key.pkcs11'],
];

export function isRecord(value: unknown): value is Written {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Whether a list or a map stands where a key should (`? [a]: b`). None of ours is one, and the library's way of making them
 * text doubles its work with every level: forty question marks would hold it for ever.
 */
function hasCollectionKey(document: Document): boolean {
  let found = false;
  visit(document, {
    Pair(_, { key }) {
      if (key === null || isScalar(key)) return undefined;
      found = true;
      return visit.BREAK;
    },
  });
  return found;
}

/** What the library cannot make of a document, such as an alias without its anchor, is the document's fault. */
export function orConfigError<T>(make: () => T, file: string, path: string): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof ConfigError || !(error instanceof Error)) throw error;
    throw new ConfigError(file, [{ path, text: error.message }]);
  }
}

/** A document without syntax errors as plain data. @throws ConfigError */
export function dataOf(document: Document, file: string, path: string): unknown {
  if (hasCollectionKey(document)) throw new ConfigError(file, [{ path, text: 'a key must be a plain word' }]);
  return orConfigError((): unknown => document.toJS(), file, path);
}

/** The file's content as plain data. Throws ConfigError with the line of each syntax error. */
export function parseText(text: string, file: string): Written {
  const document = parseDocument(text);
  const faults = document.errors.map((error): Problem => {
    const line = error.linePos?.[0].line;
    const reason = error.message.split(' at line ')[0] ?? error.message;
    return { path: '', text: line === undefined ? reason : `line ${line}: ${reason}` };
  });
  if (faults.length > 0) throw new ConfigError(file, faults);
  const empty =
    document.contents === null || (isScalar(document.contents) && document.contents.value === null);
  if (empty) return {};
  if (!isMap(document.contents))
    throw new ConfigError(file, [{ path: '', text: 'must hold keys and values' }]);
  const content = dataOf(document, file, '');
  return isRecord(content) ? content : {};
}

/** Lays CERALACCA__A__B variables over the file's data; the unknown ones are returned as problems. */
export function overlay(base: Written, env: NodeJS.ProcessEnv): { written: Written; problems: Problem[] } {
  const written = structuredClone(base);
  const problems: Problem[] = [];
  // Shorter names first, so that a whole section never wipes out one of its own keys.
  const names = Object.keys(env).filter((name) => name.startsWith(environmentPrefix));
  for (const name of names.sort((a, b) => a.split('__').length - b.split('__').length)) {
    const segments = name.slice(environmentPrefix.length).toLowerCase().split('__');
    const place = findKey(segments);
    if (place === undefined || place.entryOfMap) {
      const nearest = place?.node.path.join('.') ?? nearestKey(segments);
      problems.push({ path: name, text: `unknown key; the nearest known one is ${variableOf(nearest)}` });
      continue;
    }
    try {
      put(written, place.path, readVariable(env[name] ?? '', place.node));
    } catch (error) {
      problems.push({ path: name, text: error instanceof Error ? error.message : String(error) });
    }
  }
  return { written, problems };
}

const variableOf = (key: string): string => `${environmentPrefix}${key.replaceAll('.', '__').toUpperCase()}`;

/** A variable's text as data: YAML, of which JSON is a part; plain text stays as it stands. */
function readVariable(text: string, node: KeyNode): unknown {
  const document = parseDocument(text);
  const readable = document.errors.length === 0 && !hasCollectionKey(document);
  const value: unknown = readable ? document.toJS() : undefined;
  if (node.kind !== 'value') {
    if (!readable) throw new Error('must be JSON or YAML');
    return value;
  }
  // "Alfa: PEC", "1e3" and "yes" are texts where a text is wanted.
  return node.takesText && value !== null && text !== '' ? text : value;
}

function put(target: Written, path: readonly string[], value: unknown): void {
  let section = target;
  for (const name of path.slice(0, -1)) {
    const next = section[name];
    if (isRecord(next)) section = next;
    else {
      const made: Written = {};
      section[name] = made;
      section = made;
    }
  }
  section[path.at(-1) ?? ''] = value;
  dropRivals(target, path.join('.'));
}

function dropRivals(target: Written, own: string): void {
  const within = (key: string) => own === key || own.startsWith(`${key}.`);
  const group = rivals.find((keys) => keys.some(within)) ?? [];
  for (const rival of group.filter((key) => !within(key))) {
    const path = rival.split('.');
    const section = path
      .slice(0, -1)
      .reduce<unknown>((at, name) => (isRecord(at) ? at[name] : undefined), target);
    if (isRecord(section)) delete section[path.at(-1) ?? ''];
  }
}
