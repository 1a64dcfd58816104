/** What a process asks of the system, as strace writes it down, and whether it synced before it promised. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** One system call. */
export interface Call {
  readonly name: string;
  /** Of its first argument; a path, or `socket:[...]`. */
  readonly file: string;
  /** All arguments, as strace spells them. */
  readonly text: string;
  readonly ok: boolean;
  /** Lines of the trace at which it began and ended: others may run in between. One that never ended has Infinity. */
  readonly began: number;
  readonly ended: number;
}

const CALLS = 'read,readv,recvfrom,recvmsg,write,writev,sendto,sendmsg,pwrite64,pwritev,fsync,fdatasync';
/** Of whole data: what a stream of Node reads at once. */
const STRINGS = 65_536;

/** A process being watched. */
export class Strace {
  private constructor(
    private readonly child: ChildProcess,
    private readonly output: string,
  ) {}

  /**
   * Watches a process that runs, all its threads.
   * @returns a reason in words where this system does not let us
   */
  static async attach(pid: number, output: string): Promise<Strace | string> {
    const args = ['-f', '-y', '-s', String(STRINGS), '-e', `trace=${CALLS}`, '-o', output, '-p', String(pid)];
    const child = spawn('strace', args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    for await (const line of createInterface({ input: child.stderr })) {
      said += line;
      if (line.includes('attached')) return new Strace(child, output);
    }
    return `strace cannot attach: ${said}`;
  }

  /** Lets the process go; everything it did meanwhile. */
  async end(): Promise<Call[]> {
    const ended = once(this.child, 'exit');
    this.child.kill('SIGINT');
    await ended;
    return parseTrace(readFileSync(this.output, 'latin1'));
  }
}

/** The calls of a trace, by their end. */
export function parseTrace(trace: string): Call[] {
  const calls: Call[] = [];
  const unfinished = new Map<string, { readonly text: string; readonly began: number }>();
  for (const [line, written] of trace.split('\n').entries()) {
    const [, thread = '', rest = ''] = /^(\d+)\s+(.*)$/.exec(written) ?? [];
    const opening = rest.indexOf(' <unfinished ...>');
    if (opening >= 0) {
      unfinished.set(thread, { text: rest.slice(0, opening), began: line });
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>/.exec(rest);
    const before = resumed === null ? undefined : unfinished.get(thread);
    if (resumed !== null) unfinished.delete(thread);
    const text = resumed === null ? rest : `${before?.text ?? ''}${rest.slice(resumed[0].length)}`;
    const call = callOf(text, before?.began ?? line, line);
    if (call !== undefined) calls.push(call);
  }
  // The answer may be heard before its call has returned, and the trace end there.
  for (const { text, began } of unfinished.values()) {
    const call = callOf(text, began, Number.POSITIVE_INFINITY);
    if (call !== undefined) calls.push(call);
  }
  return calls;
}

function callOf(text: string, began: number, ended: number): Call | undefined {
  const [, name, file, rest] = /^(\w+)\(\d+<(.*?)>(.*)$/.exec(text) ?? [];
  if (name === undefined || file === undefined || rest === undefined) return undefined;
  return { name, file, text: rest, ok: !/ = -1 E/.test(rest), began, ended };
}

/** A promise as it is seen from outside the process. */
export interface Promised {
  /** The end of what the client says, as strace spells it: `\\r\\n.\\r\\n`. */
  readonly lastByte: string;
  /** The beginning of the answer. */
  readonly answer: string;
  /** What must be synced in between, one after the other; `written`: after something was written to it in between. */
  readonly synced: readonly { readonly file: RegExp; readonly written: boolean }[];
}

const READS = ['read', 'readv', 'recvfrom', 'recvmsg'];
const SYNCS = ['fsync', 'fdatasync'];

/** Whether one of the buffers of a call begins so: a line of the log may quote an answer in its middle. */
const begins = (text: string, words: string): boolean =>
  [`, "${words}`, `iov_base="${words}`].some((beginning) => text.includes(beginning));

/** What is wrong with a promise; undefined when everything was on the disk before it was given. */
export function syncFault(
  calls: readonly Call[],
  { lastByte, answer, synced }: Promised,
): string | undefined {
  const heard = calls.find(({ name, text }) => READS.includes(name) && text.includes(`${lastByte}"`));
  if (heard === undefined) return 'the last byte was never read';
  const answered = calls.find(
    ({ name, text, began }) => !READS.includes(name) && began > heard.ended && begins(text, answer),
  );
  if (answered === undefined) return 'there is no answer after the last byte';
  const between = calls.filter(({ began, ended, ok }) => ok && began > heard.ended && ended < answered.began);
  let since = heard.ended;
  for (const { file, written } of synced) {
    const after = (fits: (name: string) => boolean): Call | undefined =>
      between.find((call) => call.began > since && fits(call.name) && file.test(call.file));
    if (written) {
      const write = after((name) => name.includes('write'));
      if (write === undefined) return `nothing was written to ${file} before the answer`;
      since = write.ended;
    }
    const sync = after((name) => SYNCS.includes(name));
    if (sync === undefined) return `${file} was not synced before the answer`;
    since = sync.ended;
  }
  return undefined;
}
