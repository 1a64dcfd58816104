import { readQuoted } from './parameters.js';

/** A lexical piece of an address list (RFC 5322 3.2). An atom may hold dots; texts come without quotes and escapes. */
export interface Token {
  readonly kind: 'atom' | 'quoted' | 'literal' | 'comment' | 'special';
  readonly text: string;
  /** White space or a comment stands before it. */
  readonly spaced: boolean;
}

/** Tokens in order. `complete` is false when a quoted string, a comment or a domain literal does not end, or a character has no place. */
export function tokenize(text: string): { tokens: Token[]; complete: boolean } {
  const tokens: Token[] = [];
  let complete = true;
  let spaced = false;
  for (let at = 0; at < text.length; ) {
    const { kind, end, text: content, closed } = readToken(text, at);
    if (!closed) complete = false;
    if (kind !== 'white') tokens.push({ kind, text: content, spaced });
    spaced = kind === 'white' || kind === 'comment';
    at = end;
  }
  return { tokens, complete };
}

interface Read {
  readonly kind: Token['kind'] | 'white';
  readonly text: string;
  readonly end: number;
  readonly closed: boolean;
}

const SPECIALS = '<>@,;:';
const DELIMITERS = new Set(' \t\r\n"()[]\\<>@,;:');

function readToken(text: string, at: number): Read {
  const character = text.charAt(at);
  if (isWhite(character)) return run('white', text, at, isWhite);
  if (character === '"') return { kind: 'quoted', ...readQuoted(text, at) };
  if (character === '(') return readComment(text, at);
  if (character === '[') return readLiteral(text, at);
  if (SPECIALS.includes(character)) return { kind: 'special', text: character, end: at + 1, closed: true };
  // `)`, `]` and `\` open nothing: they are read as letters and make the list invalid.
  if (DELIMITERS.has(character)) return { kind: 'atom', text: character, end: at + 1, closed: false };
  return run('atom', text, at, (next) => !DELIMITERS.has(next));
}

function run(kind: Read['kind'], text: string, at: number, belongs: (character: string) => boolean): Read {
  let end = at + 1;
  while (end < text.length && belongs(text.charAt(end))) end += 1;
  return { kind, text: text.slice(at, end), end, closed: true };
}

/** RFC 5322 3.2.2: comments nest. Counted, not recursed into. */
function readComment(text: string, at: number): Read {
  let depth = 0;
  let content = '';
  let from = at + 1;
  for (let index = at; index < text.length; index += 1) {
    const character = text[index];
    if (character === '(') depth += 1;
    else if (character === ')') depth -= 1;
    else if (character === '\\') {
      content += text.slice(from, index);
      from = index + 1;
      index += 1;
    }
    if (depth === 0)
      return { kind: 'comment', text: content + text.slice(from, index), end: index + 1, closed: true };
  }
  return { kind: 'comment', text: content + text.slice(from), end: text.length, closed: false };
}

function readLiteral(text: string, at: number): Read {
  const close = text.indexOf(']', at);
  if (close < 0) return { kind: 'special', text: '[', end: text.length, closed: false };
  const literal = text.slice(at, close + 1);
  return { kind: 'literal', text: literal, end: close + 1, closed: !literal.slice(1).includes('[') };
}

const isWhite = (character: string): boolean =>
  character === ' ' || character === '\t' || character === '\r' || character === '\n';
