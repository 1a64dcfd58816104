import type { Rope } from '../rope/index.js';
import type { Summary } from '../storage/index.js';
import { imapBody, imapEnvelope } from '../wire/imap/index.js';
import { entityTree, type LaidEntity, layoutOf } from './entity-tree.js';
import { type SearchedText, searchedText } from './searched-text.js';
import { sortKeys } from './sort-keys.js';

/** A header up to this many octets is kept beside its message's row. */
const KEPT_HEADER = 16 * 1024;
/** Characters of a preview (RFC 8970 3: at most 256). */
const PREVIEW = 200;

export interface Summarised {
  readonly summary: Summary;
  /** What the full text index gets; '' where it gets nothing. */
  readonly text: string;
}

/** What is computed once of a message: its listing, its sort keys, its text. Never throws for what a message holds. */
export async function summarise(rope: Rope): Promise<Summarised> {
  const root = await entityTree(rope);
  const { header, body, shown, whole } = await searchedText(rope, root);
  const bytes = root.header.bytes;
  return {
    summary: {
      header: bytes.length <= KEPT_HEADER && bytes.length > 0 ? bytes : null,
      envelope: imapEnvelope(root.header),
      body: imapBody(root, false),
      bodyStructure: imapBody(root, true),
      parts: JSON.stringify(layoutOf(root)),
      sort: JSON.stringify(sortKeys(root.header)),
      preview: preview(root, shown),
      indexed: whole,
    },
    text: whole ? `${header}\n${body}` : '',
  };
}

/** All of a message's text, however long, for who has to look at it. */
export async function readText(rope: Rope): Promise<SearchedText> {
  return searchedText(rope, await entityTree(rope), Number.POSITIVE_INFINITY);
}

/** The beginning of what a reader would see: of the first plain text, else of the first text without its tags. */
function preview(root: LaidEntity, shown: string): string {
  const text =
    root.type === 'text' && root.subtype === 'html'
      ? shown.slice(0, 64 * PREVIEW).replace(/<[^<>]*>/g, ' ')
      : shown;
  return text
    .slice(0, 4 * PREVIEW)
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, PREVIEW);
}
