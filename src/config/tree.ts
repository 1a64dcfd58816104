/**
 * The schema as a plain tree of keys: what the reference, the environment, `config get/set` and the check of
 * unknown keys need to know without knowing zod.
 */
import type { z } from 'zod';
import { sections } from './schema.js';

export interface KeyNode {
  /** From the top, map and list places left out. */
  readonly path: readonly string[];
  readonly kind: 'section' | 'map' | 'list' | 'value';
  readonly description: string;
  /** As written in the file; undefined where the key must be given or may be left out. */
  readonly default: unknown;
  readonly example: unknown;
  /** Whether the file may leave it out. */
  readonly required: boolean;
  readonly takesText: boolean;
  readonly reload: boolean;
  /** Keys of a section, or of each entry of a list of sections. */
  readonly children: readonly KeyNode[];
}

interface Definition {
  readonly type: string;
  readonly innerType?: z.ZodType;
  readonly in?: z.ZodType;
  readonly element?: z.ZodType;
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly options?: readonly z.ZodType[];
  readonly values?: readonly unknown[];
  readonly defaultValue?: unknown;
}

const definitionOf = (schema: z.ZodType): Definition => schema.def as unknown as Definition;

interface Unwrapped {
  readonly definition: Definition;
  readonly fallback: unknown;
  readonly omissible: boolean;
}

/** Looks through default, optional, nullable and transform at the shape that is written in the file. */
function unwrap(schema: z.ZodType): Unwrapped {
  const definition = definitionOf(schema);
  const inner = definition.innerType ?? definition.in;
  if (inner === undefined) return { definition, fallback: undefined, omissible: false };
  const below = unwrap(inner);
  if (definition.type === 'optional') return { ...below, omissible: true };
  if (definition.type !== 'prefault') return below;
  return { ...below, fallback: definition.defaultValue, omissible: true };
}

function kindOf(definition: Definition): KeyNode['kind'] {
  if (definition.type === 'object') return 'section';
  if (definition.type === 'record') return 'map';
  return definition.type === 'array' ? 'list' : 'value';
}

function takesText({ type, options, values }: Definition): boolean {
  if (type === 'union') return (options ?? []).some((option) => takesText(definitionOf(option)));
  if (type === 'literal') return (values ?? []).some((value) => typeof value === 'string');
  return type === 'string' || type === 'enum';
}

function nodeOf(schema: z.ZodType, path: readonly string[], reload: boolean): KeyNode {
  const { definition, fallback, omissible } = unwrap(schema);
  const notes = schema.meta() ?? {};
  const reloads = reload || notes.reload === true;
  const entries = definition.element ? unwrap(definition.element).definition.shape : definition.shape;
  return {
    path,
    kind: kindOf(definition),
    description: notes.description ?? '',
    default: fallback,
    example: notes.example,
    required: !omissible,
    takesText: takesText(definition),
    reload: reloads,
    children: Object.entries(entries ?? {}).map(([name, child]) => nodeOf(child, [...path, name], reloads)),
  };
}

/** The sections of the configuration in the order of the reference. */
export const keyTree: readonly KeyNode[] = Object.entries(sections((path) => path)).map(([name, schema]) =>
  nodeOf(schema, [name], false),
);

/** Every key at every depth. */
export function allKeys(nodes: readonly KeyNode[] = keyTree): KeyNode[] {
  return nodes.flatMap((node) => [node, ...allKeys(node.children)]);
}

/** A key written with dots, resolved: its node and where its value lies in the file. */
export interface KeyPlace {
  readonly node: KeyNode;
  readonly path: readonly string[];
  /** One entry of a map, such as `relay.routes.pec.beta.example`. */
  readonly entryOfMap: boolean;
}

/** Finds `limits.message_size` or `relay.routes.pec.beta.example`; undefined for a key that is not known. */
export function findKey(segments: readonly string[]): KeyPlace | undefined {
  let nodes = keyTree;
  for (const [depth, segment] of segments.entries()) {
    const node = nodes.find((candidate) => candidate.path.at(-1) === segment);
    if (node === undefined) return undefined;
    const rest = segments.slice(depth + 1);
    if (rest.length === 0) return { node, path: node.path, entryOfMap: false };
    if (node.kind === 'map') return { node, path: [...node.path, rest.join('.')], entryOfMap: true };
    if (node.kind !== 'section') return undefined;
    nodes = node.children;
  }
  return undefined;
}

/**
 * The known key that an unknown one most likely meant: the closest in spelling, those of the same section first.
 */
export function nearestKey(segments: readonly string[]): string {
  const wanted = segments.at(-1) ?? '';
  const section = segments.slice(0, -1).join('.');
  let best = { distance: Number.POSITIVE_INFINITY, name: '' };
  for (const node of allKeys()) {
    const sameSection = node.path.slice(0, -1).join('.') === section;
    // A key of another section must be clearly closer to be meant.
    const distance = editDistance(wanted.toLowerCase(), node.path.at(-1) ?? '') + (sameSection ? 0 : 2.5);
    if (distance < best.distance) best = { distance, name: node.path.join('.') };
  }
  return best.name;
}

/** Levenshtein's distance. */
export function editDistance(left: string, right: string): number {
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const substitution = (previous[column - 1] ?? 0) + (left[row - 1] === right[column - 1] ? 0 : 1);
      current.push(Math.min(substitution, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[right.length] ?? 0;
}
