/** What happened in a simulation, told in lines that a reader can follow. */

const clock = new Intl.DateTimeFormat('it-IT', {
  timeZone: 'Europe/Rome',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});
const DAY = 86_400_000;

export class Story {
  readonly #lines: string[] = [];

  constructor(private readonly now: () => number) {}

  tell(text: string): void {
    this.#lines.push(`${moment(this.now())}  ${text}`);
  }

  get lines(): readonly string[] {
    return this.#lines;
  }
}

/** When every story begins: 2 March 2026, 12:00 in Rome. Epoch milliseconds. */
export const START = Date.UTC(2026, 2, 2, 11);

/** `12:00:00` of the first day, `+1d 09:30:00` of the second. */
export function moment(at: number): string {
  const days = Math.floor((at - START + DAY / 2) / DAY);
  return `${days > 0 ? `+${days}d ` : ''}${clock.format(at)}`;
}
