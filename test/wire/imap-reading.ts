/** Reads octets as a session would, and tells what came of it as plain text. */
import { CommandReader, type Decision, type Literal, type Piece } from '../../src/wire/imap/index.js';

export type Decide = (literal: Literal, number: number) => Decision;

const text = (bytes: Buffer): string => bytes.toString('latin1');

function told(piece: Piece): string {
  if (piece.kind === 'streamed') return `${piece.binary ? '~' : ''}<${piece.size}>`;
  if (piece.kind === 'literal') return `${piece.binary ? '~' : ''}{${text(piece.bytes)}}`;
  return text(piece.bytes);
}

export const toldPieces = (pieces: readonly Piece[]): string[] => pieces.map(told);

/**
 * What a reader tells of chunks that come one after the other; streamed octets are joined, as their cuts are nobody's business.
 * @returns each reading as one line
 */
export function readAll(
  chunks: readonly Buffer[],
  { limit = 1000, decide = () => 'keep' }: { limit?: number; decide?: Decide } = {},
): string[] {
  const reader = new CommandReader();
  const readings: string[] = [];
  let streamed = '';
  let literals = 0;
  for (const chunk of chunks) {
    reader.push(chunk);
    for (let reading = reader.next({ command: limit }); reading !== undefined; ) {
      switch (reading.kind) {
        case 'literal': {
          const { size, binary, synchronising } = reading.literal;
          const mark = `${binary ? '~' : ''}{${size}${synchronising ? '' : '+'}}`;
          readings.push(`literal ${mark} after ${JSON.stringify(toldPieces(reading.pieces))}`);
          reader.decide(decide(reading.literal, literals));
          literals += 1;
          break;
        }
        case 'octets':
          streamed += text(reading.bytes);
          if (reading.last) {
            readings.push(`octets ${JSON.stringify(streamed)}`);
            streamed = '';
          }
          break;
        case 'command':
          readings.push(`command ${JSON.stringify(toldPieces(reading.pieces))}`);
          break;
        case 'too-long':
          readings.push(`too-long ${JSON.stringify(text(reading.head))}`);
          break;
        case 'flood':
          return [...readings, 'flood'];
      }
      reading = reader.next({ command: limit });
    }
  }
  return readings;
}
