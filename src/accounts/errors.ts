export type AccountErrorCode =
  | 'bad-address'
  | 'bad-domain'
  | 'bad-password'
  | 'bad-quota'
  | 'bad-forward'
  | 'reserved'
  | 'unmanaged-domain'
  | 'taken'
  | 'not-found'
  | 'not-empty'
  | 'not-allowed';

/** An administrative request that cannot be met; the message is for the operator and says what to do. */
export class AccountError extends Error {
  override readonly name = 'AccountError';
  readonly code: AccountErrorCode;

  constructor(code: AccountErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
