/** Which rule a message broke, for callers that answer each one differently. */
export type MimeErrorCode =
  | 'header-too-large'
  | 'too-deep'
  | 'too-many-parts'
  | 'malformed-header'
  | 'bad-boundary'
  | 'body-too-large';

/** The one error this room throws about what it reads or is asked to write. */
export class MimeError extends Error {
  override readonly name = 'MimeError';

  constructor(
    readonly code: MimeErrorCode,
    message: string,
  ) {
    super(message);
  }
}
