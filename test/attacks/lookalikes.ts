/** What some mail system somewhere has taken for the end of the data. None of it is CRLF . CRLF (RFC 5321 4.1.1.4). */
export interface Lookalike {
  readonly name: string;
  readonly octets: string;
  /** What RFC 5321 4.5.2 makes of it: refused (554 5.6.0), or a line like any other. */
  readonly is: 'bare-cr' | 'bare-lf' | 'nul' | 'text';
}

const of = (is: Lookalike['is'], ...all: readonly (readonly [string, string])[]): Lookalike[] =>
  all.map(([name, octets]) => ({ name, octets, is }));

/** The first fault in the octets is the one that is named. */
export const lookalikes: readonly Lookalike[] = [
  ...of(
    'bare-lf',
    ['LF . LF', '\n.\n'],
    ['LF . CRLF', '\n.\r\n'],
    ['CRLF . LF', '\r\n.\n'],
    ['LF . CR', '\n.\r'],
    ['LF LF . LF LF', '\n\n.\n\n'],
    ['LF . NUL LF', '\n.\0\n'],
    ['LF . NUL CRLF', '\n.\0\r\n'],
  ),
  ...of(
    'bare-cr',
    ['CR . CR', '\r.\r'],
    ['CR . CRLF', '\r.\r\n'],
    ['CR . LF', '\r.\n'],
    ['CRLF . CR', '\r\n.\r'],
    ['CRLF . CR CRLF', '\r\n.\r\r\n'],
    ['CR CRLF . CR CRLF', '\r\r\n.\r\r\n'],
    ['CRLF . CR NUL LF', '\r\n.\r\0\n'],
    ['CR NUL LF . CRLF', '\r\0\n.\r\n'],
    ['CRLF . CR space LF', '\r\n.\r \n'],
  ),
  ...of(
    'nul',
    ['CRLF . NUL', '\r\n.\0'],
    ['CRLF . NUL CRLF', '\r\n.\0\r\n'],
    ['CRLF NUL . CRLF', '\r\n\0.\r\n'],
    ['NUL CRLF . NUL CRLF', '\0\r\n.\0\r\n'],
  ),
  ...of(
    'text',
    ['CRLF . . CRLF', '\r\n..\r\n'],
    ['CRLF space . CRLF', '\r\n .\r\n'],
    ['CRLF . space CRLF', '\r\n. \r\n'],
    ['CRLF . tab CRLF', '\r\n.\t\r\n'],
    ['CRLF . SUB CRLF', '\r\n.\x1a\r\n'],
    ['VT . FF', '\v.\f'],
    ['NEL . NEL', '\x85.\x85'],
    ['U+2028 . U+2028', '\xe2\x80\xa8.\xe2\x80\xa8'],
    ['U+2029 . U+2029', '\xe2\x80\xa9.\xe2\x80\xa9'],
  ),
];
