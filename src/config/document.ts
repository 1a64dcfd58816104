/** The commented configuration file: the reference, and what `init` writes. */
import { Document, visit } from 'yaml';
import { isRecord, type Written } from './source.js';
import { type KeyNode, keyTree } from './tree.js';

const width = 108;

const heading = [
  'Configuration of Ceralacca.',
  'Relative paths count from the folder above config/ (the --dir of "ceralacca init").',
  'KB, MB and GB are powers of 1024; durations are written 2s, 15min, 12h, 5d; periods 30mo, 3y.',
  'Every key can be set in the environment too, where it wins: CERALACCA__LISTEN__IMAPS=10993 (lists and maps as JSON).',
  'Secrets are files of mode 0600, never values in here.',
];

/**
 * Every key with its description and its default, or its value in `values` (nested as the file is). Keys that have
 * no default and no value show their example.
 */
export function renderConfig(values: Written = {}): string {
  const blocks = keyTree.map((node) => renderNode(node, values[node.path.at(-1) ?? ''], 0));
  return `${[comment(heading.join('\n'), 0), ...blocks].join('\n\n')}\n`;
}

function renderNode(node: KeyNode, value: unknown, depth: number): string {
  const name = node.path.at(-1) ?? '';
  const indent = '  '.repeat(depth);
  const about = comment(
    node.reload && depth === 0 ? `${node.description} Read again on SIGHUP.` : node.description,
    depth,
  );
  if (isUnfolded(node)) {
    const given = isRecord(value) ? value : {};
    const inner = node.children.map((child) => renderNode(child, given[child.path.at(-1) ?? ''], depth + 1));
    return [about, `${indent}${name}:`, ...inner].join('\n');
  }
  const shown = value ?? node.default ?? (node.required ? node.example : null);
  const hint =
    node.example !== undefined && shown !== node.example
      ? [comment(`Example: ${inline(node.example)}`, depth)]
      : [];
  return [about, ...hint, `${indent}${name}: ${inline(shown)}`].join('\n');
}

/** Sections are written key by key, except those that hold one choice out of several or nothing at all. */
function isUnfolded(node: KeyNode): boolean {
  if (node.kind !== 'section') return false;
  return node.required
    ? node.example === undefined
    : isRecord(node.default) && Object.keys(node.default).length === 0;
}

function inline(value: unknown): string {
  const document = new Document(value, { compat: 'yaml-1.1' });
  visit(document, {
    Scalar(_, node) {
      // Older parsers stumble over a colon in a flow collection.
      if (typeof node.value === 'string' && node.value.includes(':')) node.type = 'QUOTE_DOUBLE';
    },
  });
  return document.toString({ collectionStyle: 'flow', lineWidth: 0 }).trimEnd();
}

function comment(text: string, depth: number): string {
  const mark = `${'  '.repeat(depth)}# `;
  return text
    .split('\n')
    .flatMap((line) => wrap(line, width - mark.length))
    .map((line) => mark + line)
    .join('\n');
}

function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
