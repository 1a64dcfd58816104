/** Conversations (RFC 5256 3, THREAD). */
import type { Sortable } from './find.js';
import { dateOf } from './order.js';

export interface Thread {
  /** Undefined: a message that is not here and holds others together. */
  message: Sortable | undefined;
  children: Thread[];
}

const thread = (message: Sortable | undefined): Thread => ({ message, children: [] });

const inOrder = (one: Sortable, other: Sortable): number =>
  dateOf(one) - dateOf(other) || one.uid - other.uid;

/** RFC 5256 3, ORDEREDSUBJECT: by base subject; the first by date holds the others. */
export function byOrderedSubject(list: readonly Sortable[]): Thread[] {
  const groups = new Map<string, Sortable[]>();
  for (const one of [...list].sort(inOrder)) {
    const group = groups.get(one.keys.subject);
    if (group === undefined) groups.set(one.keys.subject, [one]);
    else group.push(one);
  }
  return [...groups.values()].map(([first, ...others]) => ({
    message: first,
    children: others.map((other) => thread(other)),
  }));
}

interface Container {
  message: Sortable | undefined;
  parent: Container | undefined;
  readonly children: Set<Container>;
}

/** RFC 5256 3, REFERENCES: steps 1 to 6. */
export function byReferences(list: readonly Sortable[]): Thread[] {
  const containers = link(list);
  const roots = [...containers].filter((container) => container.parent === undefined);
  const pruned = roots.flatMap((root) => prune(root, true));
  return sortThreads(joinBySubject(sortThreads(pruned)));
}

function link(list: readonly Sortable[]): Set<Container> {
  const byId = new Map<string, Container>();
  const all = new Set<Container>();
  const make = (): Container => {
    const container: Container = { message: undefined, parent: undefined, children: new Set() };
    all.add(container);
    return container;
  };
  const named = (id: string): Container => {
    const known = byId.get(id);
    if (known !== undefined) return known;
    const container = make();
    byId.set(id, container);
    return container;
  };
  for (const one of list) {
    const { messageId, references } = one.keys;
    let own = messageId === '' ? make() : named(messageId);
    // A second message of the same Message-ID is one of its own.
    if (own.message !== undefined) own = make();
    own.message = one;
    let parent: Container | undefined;
    for (const id of references) {
      const container = named(id);
      if (parent !== undefined && container.parent === undefined && !isAbove(container, parent))
        adopt(parent, container);
      parent = container;
    }
    if (own.parent !== undefined) own.parent.children.delete(own);
    own.parent = undefined;
    if (parent !== undefined && parent !== own && !isAbove(own, parent)) adopt(parent, own);
  }
  return all;
}

function adopt(parent: Container, child: Container): void {
  child.parent = parent;
  parent.children.add(child);
}

/** Whether `one` is `other`, or stands above it. */
function isAbove(one: Container, other: Container): boolean {
  for (let at: Container | undefined = other; at !== undefined; at = at.parent) if (at === one) return true;
  return false;
}

/** Step 3: containers without a message go, their children move up; at the root several are held together. */
function prune(container: Container, atRoot: boolean): Thread[] {
  // Without recursion: a hostile chain of references may be as long as the folder.
  const order: Container[] = [];
  const stack = [container];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    order.push(next);
    stack.push(...next.children);
  }
  const done = new Map<Container, Thread[]>();
  for (const each of order.reverse()) {
    const children = [...each.children].flatMap((child) => done.get(child) ?? []);
    const keep = each.message !== undefined || (each === container && atRoot && children.length > 1);
    done.set(each, keep ? [{ message: each.message, children }] : children);
  }
  return done.get(container) ?? [];
}

/** A thread's own message, or the first of those it holds. */
const leadOf = (one: Thread): Sortable | undefined => {
  let at: Thread | undefined = one;
  while (at !== undefined && at.message === undefined) at = at.children[0];
  return at?.message;
};

/** Step 4 and 6: siblings by date. */
function sortThreads(threads: Thread[]): Thread[] {
  const stack: Thread[][] = [threads];
  const lists: Thread[][] = [];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    lists.push(next);
    for (const one of next) if (one.children.length > 0) stack.push(one.children);
  }
  for (const each of lists.reverse()) {
    each.sort((one, other) => {
      const first = leadOf(one);
      const second = leadOf(other);
      return first === undefined || second === undefined ? 0 : inOrder(first, second);
    });
  }
  return threads;
}

/** Step 5: roots of one base subject belong together. */
function joinBySubject(roots: Thread[]): Thread[] {
  const table = new Map<string, Thread>();
  for (const root of roots) {
    const lead = leadOf(root);
    const subject = lead?.keys.subject ?? '';
    if (subject === '') continue;
    const known = table.get(subject);
    const better =
      known === undefined ||
      (root.message === undefined && known.message !== undefined) ||
      (isReply(known) && !isReply(root));
    if (better) table.set(subject, root);
  }
  const kept: Thread[] = [];
  for (const root of roots) {
    const subject = leadOf(root)?.keys.subject ?? '';
    const known = table.get(subject);
    if (subject === '' || known === undefined || known === root) {
      kept.push(root);
    } else {
      merge(known, root);
    }
  }
  return kept;
}

const isReply = (one: Thread): boolean => one.message?.keys.reply ?? false;

function merge(known: Thread, other: Thread): void {
  if (known.message === undefined && other.message === undefined) known.children.push(...other.children);
  else if (known.message === undefined || (isReply(other) && !isReply(known))) known.children.push(other);
  else {
    // Two of one kind: a new root holds both.
    known.children = [{ message: known.message, children: known.children }, other];
    known.message = undefined;
  }
}

/** `(2)(3 6 (4 23)(44 7 96))`: a chain stands in one parenthesis, a fork opens more. */
export function writeThreads(threads: readonly Thread[], number: (message: Sortable) => number): string {
  return threads.map((one) => `(${writeThread(one, number)})`).join('');
}

function writeThread(top: Thread, number: (message: Sortable) => number): string {
  let text = '';
  let at = top;
  for (;;) {
    if (at.message !== undefined) text += (text === '' ? '' : ' ') + number(at.message);
    const [only] = at.children;
    if (only === undefined) return text;
    if (at.children.length > 1) {
      const forks = at.children.map((child) => `(${writeThread(child, number)})`).join('');
      return text === '' ? forks : `${text} ${forks}`;
    }
    at = only;
  }
}
