/** Reading and changing single keys of the file, as `config get` and `config set` do. */
import { type Document, isMap, isScalar, parseDocument } from 'yaml';
import { ConfigError, type Problem } from './error.js';
import { checkConfig } from './load.js';
import { dataOf, orConfigError, overlay, parseText } from './source.js';
import { findKey, type KeyNode, type KeyPlace, nearestKey } from './tree.js';

/** The place of a key written with dots. Throws ConfigError naming the nearest known key. */
function placeOf(key: string, file: string): KeyPlace {
  const segments = key.split('.');
  const place = findKey(segments);
  if (place !== undefined) return place;
  throw new ConfigError(file, [
    { path: key, text: `unknown key; the nearest known one is ${nearestKey(segments)}` },
  ]);
}

/**
 * The value a key has now, as it would be written in the file: the environment's, else the file's, else the
 * default. Sections come whole. Throws ConfigError for unknown keys and for a configuration that does not hold.
 */
export function readKey(text: string, file: string, key: string, env: NodeJS.ProcessEnv): unknown {
  const place = placeOf(key, file);
  const effective = checkConfig(text, file, env);
  const { written } = overlay(parseText(text, file), env);
  if (place.entryOfMap) return valueAt(written, place.path) ?? null;
  return withDefaults(place.node, valueAt(written, place.node.path), effective);
}

function withDefaults(node: KeyNode, written: unknown, effective: unknown): unknown {
  const value = written ?? node.default ?? null;
  const isSection = node.kind === 'section' && typeof value === 'object' && value !== null;
  const choice = node.children.some((child) => !child.required && child.default === undefined);
  if (isSection && !choice) {
    return Object.fromEntries(
      node.children.map((child) => [
        child.path.at(-1),
        withDefaults(child, valueAt(value, child.path.slice(-1)), effective),
      ]),
    );
  }
  if (value !== null) return value;
  // A default that follows from other keys, such as the service mailbox.
  const derived = valueAt(effective, node.path);
  return typeof derived === 'string' || typeof derived === 'number' ? derived : null;
}

function valueAt(root: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (at, name) => (typeof at === 'object' && at !== null ? Reflect.get(at, name) : undefined),
    root,
  );
}

export interface KeyChange {
  /** The file as it would be, comments kept. */
  readonly text: string;
  /** Whether a running server takes the key up on SIGHUP; otherwise it does at its next start. */
  readonly reload: boolean;
  /** The key with dots, as it is known. */
  readonly key: string;
}

/**
 * Replaces the whole value of a key; `value` is YAML. Throws ConfigError when the key is unknown, the value is not
 * YAML, or the file would have a problem it has not got now.
 */
export function setKey(text: string, file: string, key: string, value: string): KeyChange {
  const place = placeOf(key, file);
  const before = problemsOf(text, file);
  const document = parseDocument(text);
  // Nothing can be put into a file that is no map of keys; what is wrong with it has been found already.
  if (document.errors.length > 0 || (document.contents !== null && !isMap(document.contents))) {
    throw new ConfigError(file, before.length > 0 ? before : [{ path: '', text: 'no map of keys' }]);
  }
  const content = parseDocument(value);
  if (content.errors.length > 0) throw new ConfigError(file, [{ path: key, text: 'the value is not YAML' }]);
  dataOf(document, file, '');
  dataOf(content, file, key);
  openSections(document, place.path);
  const current = document.getIn(place.path, true);
  if (isScalar(current) && isScalar(content.contents)) {
    // The node stays, and with it the comment on its line.
    current.value = content.contents.value;
    current.type = content.contents.type ?? 'PLAIN';
    if (content.contents.source !== undefined) current.source = content.contents.source;
    delete current.format;
  } else {
    document.setIn(place.path, content.contents ?? null);
  }
  const written = (): string => document.toString({ lineWidth: 0, flowCollectionPadding: true });
  // An alias elsewhere in the file may have meant what is no more.
  const changed = orConfigError(written, file, key);
  const known = new Set(before.map(line));
  const fresh = problemsOf(changed, file).filter((problem) => !known.has(line(problem)));
  if (fresh.length > 0) throw new ConfigError(file, fresh);
  return { text: changed, reload: place.node.reload, key: place.path.join('.') };
}

const line = ({ path, text }: Problem): string => `${path}: ${text}`;

function problemsOf(text: string, file: string): readonly Problem[] {
  try {
    checkConfig(text, file, {});
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

/** A section written without content (`relay:`) becomes one that keys can be put into. */
function openSections(document: Document, path: readonly string[]): void {
  for (let depth = 1; depth < path.length; depth += 1) {
    const section = path.slice(0, depth);
    if (document.hasIn(section) && !isMap(document.getIn(section))) {
      document.setIn(section, document.createNode({}));
    }
  }
}
