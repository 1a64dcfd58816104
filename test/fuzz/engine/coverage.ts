/**
 * Which code has run, by V8's block coverage. A block is known by the octets of its file, so what was reached is a bitmap for
 * each file, and news are octets that no input reached before.
 */
import { readFileSync } from 'node:fs';
import { type Profiler, Session } from 'node:inspector';
import { fileURLToPath } from 'node:url';

/** What ran since the last look. */
export type Reached = ReadonlyMap<string, Uint8Array>;

export interface LineCount {
  readonly reached: number;
  readonly all: number;
}

export class Coverage {
  readonly #session = new Session();
  readonly #known = new Map<string, Uint8Array>();

  /**
   * Before what is to be watched is loaded.
   * @param root the URL below which scripts count
   */
  constructor(private readonly root: string) {
    this.#session.connect();
    this.#session.post('Profiler.enable');
    // With counts, so that each look tells what ran since the one before.
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  look(): Reached {
    const reached = new Map<string, Uint8Array>();
    this.#session.post('Profiler.takePreciseCoverage', (error, { result }) => {
      if (error !== null) throw error;
      for (const script of result) {
        if (script.url.startsWith(this.root)) reached.set(script.url, painted(script));
      }
    });
    return reached;
  }

  isNews(reached: Reached): boolean {
    for (const [url, octets] of reached) if (hasMore(octets, this.#known.get(url))) return true;
    return false;
  }

  learn(reached: Reached): void {
    for (const [url, octets] of reached) {
      const known = this.#known.get(url);
      if (known === undefined || known.length < octets.length) {
        this.#known.set(url, octets);
        if (known !== undefined) merge(octets, known);
      } else merge(known, octets);
    }
  }

  /** Lines with code in the loaded files below one of these paths (relative to the root), and those reached. */
  lines(paths: readonly string[]): LineCount {
    const count = { reached: 0, all: 0 };
    for (const [url, octets] of this.#known) {
      const path = url.slice(this.root.length);
      if (paths.some((wanted) => path.startsWith(wanted))) countLines(url, octets, count);
    }
    return count;
  }
}

/** Functions and their blocks come outermost first, so that each paints over what holds it. */
function painted({ functions }: Profiler.ScriptCoverage): Uint8Array {
  const ranges = functions.flatMap((each) => each.ranges);
  const octets = new Uint8Array(Math.max(0, ...ranges.map(({ endOffset }) => endOffset)));
  for (const { startOffset, endOffset, count } of ranges)
    octets.fill(count > 0 ? 1 : 0, startOffset, endOffset);
  return octets;
}

function hasMore(octets: Uint8Array, known: Uint8Array | undefined): boolean {
  for (let at = 0; at < octets.length; at += 1) {
    if (octets[at] === 1 && known?.[at] !== 1) return true;
  }
  return false;
}

function merge(target: Uint8Array, more: Uint8Array): void {
  for (let at = 0; at < more.length; at += 1) if (more[at] === 1) target[at] = 1;
}

/** A line counts by its first character; brackets alone, and the source map, are no code. */
function countLines(url: string, octets: Uint8Array, count: { reached: number; all: number }): void {
  let at = 0;
  for (const line of readFileSync(fileURLToPath(url), 'utf8').split('\n')) {
    if (/\w/.test(line) && !line.startsWith('//#')) {
      count.all += 1;
      count.reached += octets[at + line.search(/\S/)] ?? 0;
    }
    at += line.length + 1;
  }
}
