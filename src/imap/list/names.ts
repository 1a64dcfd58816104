/** Which names LIST tells (RFC 5258 3): matching is of names alone, then the options choose. */
import type { NamedFolder } from '../../storage/index.js';

export type Selection = 'SUBSCRIBED' | 'REMOTE' | 'RECURSIVEMATCH' | 'SPECIAL-USE';

export interface ListedName {
  readonly name: string;
  /** Undefined: a subscription without a folder, or a name that only others stand under. */
  readonly folder: NamedFolder | undefined;
  readonly subscribed: boolean;
  readonly hasChildren: boolean;
  /** RFC 5258 3.5: why it is told though it does not fit itself. */
  readonly childInfo: readonly string[];
}

export interface Wanted {
  readonly reference: string;
  readonly patterns: readonly string[];
  readonly select: ReadonlySet<Selection>;
}

export function listNames(
  folders: readonly NamedFolder[],
  subscriptions: readonly string[],
  { reference, patterns, select }: Wanted,
): ListedName[] {
  const byName = new Map(folders.map((folder) => [folder.name, folder]));
  const subscribed = new Set(subscriptions);
  const wantsSubscribed = select.has('SUBSCRIBED');
  const recursive = select.has('RECURSIVEMATCH');
  const known = new Set([...byName.keys(), ...(wantsSubscribed ? subscriptions : [])]);
  const parents = new Set([...known].flatMap((name) => [...parentsOf(name)]));
  const matches = patternsOf(reference, patterns);
  const found: ListedName[] = [];
  for (const name of [...known, ...(recursive ? parents : [])]) {
    if (found.some((each) => each.name === name) || !matches(name)) continue;
    const folder = byName.get(name);
    const fits =
      known.has(name) &&
      (!wantsSubscribed || subscribed.has(name)) &&
      (!select.has('SPECIAL-USE') || Boolean(folder?.specialUse));
    const below =
      recursive &&
      wantsSubscribed &&
      subscriptions.some((each) => each.startsWith(`${name}/`) && !matches(each));
    if (!fits && !below) continue;
    found.push({
      name,
      folder,
      subscribed: subscribed.has(name),
      hasChildren: [...byName.keys()].some((each) => each.startsWith(`${name}/`)),
      childInfo: below ? ['SUBSCRIBED'] : [],
    });
  }
  return found;
}

function* parentsOf(name: string): Generator<string> {
  for (let at = name.indexOf('/'); at >= 0; at = name.indexOf('/', at + 1)) yield name.slice(0, at);
}

/** Wildcards: `*` for anything, `%` for anything without a separator (RFC 9051 6.3.9). INBOX matches in any case. */
function patternsOf(reference: string, patterns: readonly string[]): (name: string) => boolean {
  const whole = patterns.map((pattern) => (pattern.startsWith('/') ? pattern : reference + pattern));
  return (name) =>
    whole.some(
      (pattern) => fits(name, pattern) || (name === 'INBOX' && fits('INBOX', pattern.toUpperCase())),
    );
}

/** Without backtracking into the past of more than one wildcard: linear in name times pattern. */
function fits(name: string, pattern: string): boolean {
  let reach = new Set<number>([0]);
  for (const character of pattern) {
    const next = new Set<number>();
    for (const at of reach) {
      if (character !== '*' && character !== '%') {
        if (name[at] === character) next.add(at + 1);
        continue;
      }
      for (let to = at; to <= name.length; to += 1) {
        next.add(to);
        if (character === '%' && name[to] === '/') break;
      }
    }
    reach = next;
    if (reach.size === 0) return false;
  }
  return reach.has(name.length);
}
