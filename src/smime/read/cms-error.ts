/** What is wrong with a CMS, a certificate or a CRL that cannot be read. */
export type CmsErrorCode =
  | 'truncated'
  | 'bad-length'
  | 'bad-tag'
  | 'bad-value'
  | 'too-deep'
  | 'too-large'
  | 'trailing-bytes'
  | 'signers'
  | 'unsupported';

/** The only error the readers of this folder throw, whatever bytes they are given. */
export class CmsError extends Error {
  readonly code: CmsErrorCode;

  constructor(code: CmsErrorCode, message: string) {
    super(message);
    this.name = 'CmsError';
    this.code = code;
  }
}
