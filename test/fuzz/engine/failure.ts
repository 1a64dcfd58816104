/** Why an input is a finding. */
export interface Failure {
  /** What two inputs with one fault have in common. */
  readonly signature: string;
  /** For people. */
  readonly text: string;
}

export function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) return { signature: String(error), text: String(error) };
  const [message = ''] = error.message.split('\n', 1);
  const frame = /\/build[^/]*\/(?:src|test)\/[\w/.-]+\.js/.exec(error.stack ?? '')?.[0] ?? '';
  // What the input put into the message is no part of the fault.
  const common = message.replace(/"[^"]*"|'[^']*'|\b[\da-f]+\b/gi, '_').slice(0, 80);
  const { cause } = error;
  const because = cause instanceof Error ? `\ncause: ${cause.stack}` : '';
  return { signature: `${error.name} ${common} ${frame}`, text: `${error.stack ?? error.message}${because}` };
}

/** @param octets that stay behind each time */
export const leak = (octets: number): Failure => ({
  signature: 'leak',
  text: `about ${octets} octets stay in memory each time it runs`,
});

export const hang = (milliseconds: number): Failure => ({
  signature: 'hang',
  text: `did not come back within ${milliseconds} ms`,
});
