/** What a command is, and what it is given when it runs. */
import type { Config } from '../config/index.js';
import { printable } from '../mime/index.js';

/** One row of the table of commands. */
export interface CommandRow {
  /** `mailbox add`, or one word. */
  readonly name: string;
  readonly summary: string;
  /** `ADDRESS`, `[SIZE]` when it may be left out, `FILE...` when there may be several. */
  readonly arguments?: readonly string[];
  readonly options?: readonly OptionRow[];
  /** Prints one JSON array with `--json` (an object where the command shows one thing). */
  readonly json?: boolean;
  /** Whether it works on a gestore, found with `-c FILE`. */
  readonly config?: boolean;
  /** Whether it changes something, or gives out what is confidential: then it stands among the acts (duties of a gestore). */
  readonly act?: boolean;
  readonly load: () => Promise<{ readonly run: Run }>;
}

export interface OptionRow {
  /** `--quota SIZE`, or `--password-stdin` for a switch. */
  readonly flags: string;
  readonly description: string;
  readonly required?: boolean;
}

/** @returns the exit code; nothing is 0. */
export type Run = (call: Call) => Promise<number | undefined>;

/** A command refused to do what it was asked: exit code 1, the message on one line. */
export class CommandError extends Error {
  override readonly name: string = 'CommandError';
}

/** The command line makes no sense: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Where a command reads and writes; tests bring their own. */
export interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  readonly stdin: NodeJS.ReadStream | NodeJS.ReadableStream;
  out(text: string): void;
  err(text: string): void;
  /** Whether a person sees `err` as it comes; false if not given. */
  readonly errIsTerminal?: boolean;
}

/** One column of a table for eyes. */
export type Column<T> = readonly [heading: string, cell: (row: T) => string | number | null];

/** One call of a command. */
export class Call {
  readonly arguments: readonly string[];
  readonly surroundings: Surroundings;
  /** Name of the command where it is an act. */
  readonly act: string | undefined;
  readonly #options: Readonly<Record<string, unknown>>;

  constructor(given: {
    readonly act?: string | undefined;
    readonly arguments: readonly string[];
    readonly options: Readonly<Record<string, unknown>>;
    readonly surroundings: Surroundings;
  }) {
    this.arguments = given.arguments;
    this.surroundings = given.surroundings;
    this.act = given.act;
    this.#options = given.options;
  }

  /** The argument at a place that the table says is there. */
  argument(place: number): string {
    const value = this.arguments[place];
    if (value === undefined) throw new UsageError('an argument is missing');
    return value;
  }

  /** Value of `--some-name VALUE`. */
  option(name: string): string | undefined {
    const value = this.#options[camelCase(name)];
    return typeof value === 'string' ? value : undefined;
  }

  /** Every option with a value, as it was given. Passwords never are: they come from standard input. */
  given(): Readonly<Record<string, string>> {
    const texts = Object.entries(this.#options).filter(([name]) => name !== 'config');
    return Object.fromEntries(
      texts.flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])),
    );
  }

  /** Whether a switch was given. */
  flag(name: string): boolean {
    return this.#options[camelCase(name)] === true;
  }

  get json(): boolean {
    return this.flag('json');
  }

  /** The configuration file: `-c`, else CERALACCA_CONFIG, else config/gestore.yaml. */
  get configFile(): string {
    return this.option('config') ?? this.surroundings.env.CERALACCA_CONFIG ?? 'config/gestore.yaml';
  }

  /** Reads, checks and freezes the configuration. Throws ConfigError. */
  async config(): Promise<Config> {
    const { loadConfig } = await import('../config/index.js');
    return loadConfig(this.configFile, this.surroundings.env);
  }

  /** A line, or several that are ours. What strangers wrote in it stays harmless on a terminal. */
  print(line: string): void {
    this.surroundings.out(`${line.split('\n').map(printable).join('\n')}\n`);
  }

  /** A remark that is no part of the answer. */
  remark(line: string): void {
    this.surroundings.err(`${line.split('\n').map(printable).join('\n')}\n`);
  }

  /** Rows as one JSON array, or as a table. */
  list<T extends object>(rows: readonly T[], columns: readonly Column<T>[]): void {
    if (this.json) this.print(JSON.stringify(rows, null, 2));
    else if (rows.length === 0) this.remark('nothing to list');
    else this.#table(rows, columns);
  }

  #table<T>(rows: readonly T[], columns: readonly Column<T>[]): void {
    const cells = [
      columns.map(([heading]) => heading),
      ...rows.map((row) => columns.map(([, cell]) => printable(String(cell(row) ?? '-')))),
    ];
    const widths = columns.map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0)));
    for (const line of cells) {
      this.print(
        line
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd(),
      );
    }
  }

  /** One thing: a JSON object, or a line a field. */
  show(thing: Readonly<Record<string, unknown>>): void {
    if (this.json) {
      this.print(JSON.stringify(thing, null, 2));
      return;
    }
    const width = Math.max(...Object.keys(thing).map((name) => name.length));
    for (const [name, value] of Object.entries(thing)) {
      const text =
        typeof value === 'string' || typeof value === 'number' ? String(value) : JSON.stringify(value);
      const shown = value === null || value === undefined ? '-' : printable(text);
      this.print(`${name.padEnd(width)}  ${shown}`);
    }
  }
}

const camelCase = (name: string): string =>
  name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
