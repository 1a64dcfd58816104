/** The connection has to end without a word: the peer is gone, or does not read. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';
}
