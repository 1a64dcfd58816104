/** One thing wrong with the configuration. */
export interface Problem {
  /** Key with dots, or the environment variable it came from; empty for the file as a whole. */
  readonly path: string;
  readonly text: string;
}

/** The configuration can not be used; lists everything wrong with it at once. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  readonly file: string;
  readonly problems: readonly Problem[];

  constructor(file: string, problems: readonly Problem[]) {
    const lines = problems.map(({ path, text }) => (path === '' ? text : `${path}: ${text}`));
    super(
      lines.length === 1
        ? `${file}: ${lines[0]}`
        : [`${file}:`, ...lines.map((line) => `  ${line}`)].join('\n'),
    );
    this.file = file;
    this.problems = problems;
  }
}
