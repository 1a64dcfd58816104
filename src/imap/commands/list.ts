/** LIST and LSUB (RFC 9051 6.3.9; RFC 5258 LIST-EXTENDED; RFC 5819 LIST-STATUS; RFC 6154 SPECIAL-USE). */
import type { NamedFolder } from '../../storage/index.js';
import { readMailboxName, type Scanner, writeMailboxName } from '../../wire/imap/index.js';
import { accountOf, type Context, command, type Done, loggedIn } from '../command.js';
import { type ListedName, listNames, type Selection } from '../list/names.js';
import { refusals } from '../refusals.js';
import { readStatusItems, recentIn, type StatusItem, statusLine, usesOfStatus } from '../status-items.js';

interface ListRequest {
  readonly reference: string;
  readonly patterns: readonly string[];
  readonly select: ReadonlySet<Selection>;
  readonly returns: ReadonlySet<string>;
  readonly status: readonly StatusItem[];
  /** LIST as RFC 3501 has it. */
  readonly basic: boolean;
}

const SELECTIONS = new Set<string>(['SUBSCRIBED', 'REMOTE', 'RECURSIVEMATCH', 'SPECIAL-USE']);
const RETURNS = new Set(['SUBSCRIBED', 'CHILDREN', 'SPECIAL-USE', 'STATUS']);
/** Patterns of one LIST. */
const PATTERNS = 50;

function readList(scanner: Scanner, context: Context): ListRequest {
  scanner.space();
  const select = new Set<Selection>();
  let basic = true;
  if (scanner.sees('(')) {
    basic = false;
    for (const option of scanner.list(() => scanner.keyword(), { empty: true })) {
      if (!SELECTIONS.has(option))
        throw refusals.badArgument('Opzione sconosciuta / Unknown selection option');
      select.add(option as Selection);
    }
    scanner.space();
    if (select.has('RECURSIVEMATCH') && !select.has('SUBSCRIBED') && !select.has('SPECIAL-USE'))
      throw refusals.badArgument('RECURSIVEMATCH non va da solo / RECURSIVEMATCH needs another option');
  }
  const utf8 = context.enabled.has('UTF8=ACCEPT');
  const reference = readMailboxName(scanner.astring(), utf8);
  scanner.space();
  const patterns = scanner.sees('(')
    ? scanner.list(() => readMailboxName(scanner.pattern(), utf8))
    : [readMailboxName(scanner.pattern(), utf8)];
  if (patterns.length > PATTERNS) throw refusals.badArgument('Troppi modelli / Too many patterns');
  if (patterns.length > 1) basic = false;
  const returns = new Set<string>();
  let status: readonly StatusItem[] = [];
  if (!scanner.atEnd) {
    basic = false;
    scanner.space();
    if (scanner.keyword() !== 'RETURN')
      throw refusals.badArgument('Argomento inatteso / Unexpected argument');
    scanner.space();
    scanner.list(
      () => {
        const option = scanner.keyword();
        if (!RETURNS.has(option)) throw refusals.badArgument('Opzione sconosciuta / Unknown return option');
        returns.add(option);
        if (option !== 'STATUS') return;
        scanner.space();
        status = readStatusItems(scanner);
      },
      { empty: true },
    );
  }
  return { reference, patterns, select, returns, status, basic };
}

function usesOfList({ select, returns, status, basic }: ListRequest): readonly string[] {
  return [
    ...(basic ? [] : ['LIST-EXTENDED']),
    ...(select.has('SPECIAL-USE') || returns.has('SPECIAL-USE') ? ['SPECIAL-USE'] : []),
    ...(returns.has('CHILDREN') ? ['CHILDREN'] : []),
    ...(returns.has('STATUS') ? ['LIST-STATUS', ...usesOfStatus(status)] : []),
  ];
}

export const list = command({
  name: 'LIST',
  states: loggedIn,
  capability: ['CHILDREN', 'LIST-EXTENDED', 'LIST-STATUS'],
  grammar: readList,
  uses: usesOfList,
  run: runList,
});

async function runList(request: ListRequest, context: Context): Promise<Done> {
  const { reference, patterns, select, returns, status, basic } = request;
  // RFC 9051 6.3.9: an empty pattern asks for the separator and the root.
  if (basic && patterns.length === 1 && patterns[0] === '') {
    context.untagged('LIST (\\Noselect) "/" ""');
    return { text: 'Fatto / Done' };
  }
  const { mailboxId } = accountOf(context);
  const { mailstore } = context.services;
  const folders = await mailstore.namedFolders(mailboxId);
  const subscriptions = await mailstore.subscriptions(mailboxId);
  const utf8 = context.enabled.has('UTF8=ACCEPT');
  for (const name of listNames(folders, subscriptions, { reference, patterns, select })) {
    const attributes = attributesOf(name, {
      subscribed: select.has('SUBSCRIBED') || returns.has('SUBSCRIBED'),
      children: context.offers('CHILDREN') && (basic || returns.has('CHILDREN')),
      specialUse: context.offers('SPECIAL-USE'),
    });
    const childInfo =
      name.childInfo.length === 0
        ? ''
        : ` ("CHILDINFO" (${name.childInfo.map((each) => `"${each}"`).join(' ')}))`;
    context.untagged(`LIST (${attributes.join(' ')}) "/" ${writeMailboxName(name.name, utf8)}${childInfo}`);
    if (status.length > 0 && name.folder?.selectable) await tellStatus(name.folder, status, context);
    await context.flow();
  }
  return { text: 'Fatto / Done' };
}

async function tellStatus(named: NamedFolder, items: readonly StatusItem[], context: Context): Promise<void> {
  const folder = await context.services.mailstore.counted(named);
  if (folder === undefined) return;
  const recent = await recentIn(folder, items, context);
  const { appendLimit } = context.connection;
  const utf8 = context.enabled.has('UTF8=ACCEPT');
  context.untagged(statusLine(folder, items, { recent, appendLimit }, utf8));
}

interface Wanted {
  readonly subscribed: boolean;
  readonly children: boolean;
  readonly specialUse: boolean;
}

const USES = { sent: '\\Sent', drafts: '\\Drafts', trash: '\\Trash', archive: '\\Archive' } as const;

function attributesOf(name: ListedName, wanted: Wanted): string[] {
  const { folder, subscribed, hasChildren } = name;
  const attributes: string[] = [];
  if (folder === undefined) attributes.push('\\NonExistent');
  else if (!folder.selectable) attributes.push('\\Noselect');
  if (wanted.subscribed && subscribed) attributes.push('\\Subscribed');
  if (wanted.children) attributes.push(hasChildren ? '\\HasChildren' : '\\HasNoChildren');
  if (wanted.specialUse && folder?.specialUse) attributes.push(USES[folder.specialUse]);
  return attributes;
}

/** RFC 3501 6.3.9. */
export const lsub = command({
  name: 'LSUB',
  states: loggedIn,
  grammar(scanner, context) {
    scanner.space();
    const utf8 = context.enabled.has('UTF8=ACCEPT');
    const reference = readMailboxName(scanner.astring(), utf8);
    scanner.space();
    return { reference, pattern: readMailboxName(scanner.pattern(), utf8) };
  },
  async run({ reference, pattern }, context) {
    const { mailboxId } = accountOf(context);
    const { mailstore } = context.services;
    const folders = await mailstore.namedFolders(mailboxId);
    const subscriptions = await mailstore.subscriptions(mailboxId);
    const select = new Set<Selection>(['SUBSCRIBED', 'RECURSIVEMATCH']);
    const utf8 = context.enabled.has('UTF8=ACCEPT');
    const patterns = [pattern];
    for (const { name, subscribed } of listNames(folders, subscriptions, { reference, patterns, select })) {
      // With %, what is only above a subscribed name is told too (RFC 3501 6.3.9).
      if (!subscribed && !pattern.includes('%')) continue;
      context.untagged(`LSUB (${subscribed ? '' : '\\Noselect'}) "/" ${writeMailboxName(name, utf8)}`);
    }
    return { text: 'Fatto / Done' };
  },
});
