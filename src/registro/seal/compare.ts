import type { DaySeal, RegisterRow } from '../../storage/index.js';
import { entryLine, headerLine } from './lines.js';

/** Lines of a file of text, without their ends. */
async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8');
  let rest = '';
  for await (const chunk of chunks) {
    const pieces = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = pieces.pop() ?? '';
    yield* pieces;
  }
  if (rest !== '') yield rest;
}

/** Goes through the file of a day beside the entries of the register. */
export class DayFileReader {
  readonly #lines: AsyncGenerator<string>;
  #differs: RegisterRow | 'header' | 'end' | undefined;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#lines = linesOf(chunks);
  }

  /** Where the file first says something else. */
  get differs(): RegisterRow | 'header' | 'end' | undefined {
    return this.#differs;
  }

  async begin(seal: DaySeal): Promise<void> {
    const line = await this.#next();
    // The gestore may have had another name then.
    if (line === undefined || headerLine(seal, gestoreIn(line)) !== line) this.#differs = 'header';
  }

  async take(row: RegisterRow): Promise<void> {
    if (this.#differs === undefined && (await this.#next()) !== entryLine(row)) this.#differs = row;
  }

  async end(): Promise<void> {
    if (this.#differs === undefined && (await this.#next()) !== undefined) this.#differs = 'end';
    await this.#lines.return(undefined);
  }

  async #next(): Promise<string | undefined> {
    const { value, done } = await this.#lines.next();
    return done === true ? undefined : value;
  }
}

function gestoreIn(line: string): string {
  try {
    const { gestore }: { gestore?: unknown } = JSON.parse(line);
    return typeof gestore === 'string' ? gestore : '';
  } catch (error) {
    if (error instanceof SyntaxError) return '';
    throw error;
  }
}
