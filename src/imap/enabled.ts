/** What a client switched on (RFC 5161), by ENABLE or by using it. QRESYNC brings CONDSTORE (RFC 7162 3.2.3). */
export type Extension = 'CONDSTORE' | 'QRESYNC' | 'UTF8=ACCEPT' | 'IMAP4REV2';
export type Enabled = ReadonlySet<Extension>;
