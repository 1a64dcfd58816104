import type { Mutator, Random, Surroundings } from '../target.js';

/** Octets that grammars turn on. */
const NOTABLE = Buffer.from('\0\t\n\r "#%&\'()*+,-./0:;<=>?@AZ[\\]_az{|}\x7f\x80\xa0\xff', 'latin1');
const NUMBERS = ['0', '-1', '1', '2', '127', '255', '998', '65536', '2147483648', '4294967296', '1e9', '00'];
/** Changes to one input, at most. */
const STACKED = 6;

/** An input like the given one, changed a few times. The given one stays as it is. */
export function mutated(input: Buffer, mutators: readonly Mutator[], surroundings: Surroundings): Buffer {
  const { random, longest } = surroundings;
  let result = input;
  for (let left = random.between(1, STACKED); left > 0; left -= 1) {
    result = random.pick(mutators)(result, surroundings).subarray(0, longest);
  }
  return result;
}

/** A run of octets, short ones far more often than long ones. */
function someRange(input: Buffer, random: Random): [start: number, end: number] {
  const start = random.between(0, input.length);
  const length = Math.ceil((input.length - start) * random.next() ** 4);
  return [start, start + length];
}

const spliced = (input: Buffer, start: number, end: number, put: Uint8Array): Buffer =>
  Buffer.concat([input.subarray(0, start), put, input.subarray(end)]);

function changedOctet(input: Buffer, random: Random, change: (octet: number) => number): Buffer {
  if (input.length === 0) return Buffer.from([change(0) & 0xff]);
  const copy = Buffer.from(input);
  const at = random.between(0, copy.length - 1);
  copy[at] = change(copy[at] ?? 0);
  return copy;
}

const flip: Mutator = (input, { random }) =>
  changedOctet(input, random, (octet) => octet ^ (1 << random.between(0, 7)));

const notable: Mutator = (input, { random }) =>
  changedOctet(input, random, () => NOTABLE[random.between(0, NOTABLE.length - 1)] ?? 0);

const step: Mutator = (input, { random }) =>
  changedOctet(input, random, (octet) => octet + random.pick([-1, 1]));

const remove: Mutator = (input, { random }) => {
  const [start, end] = someRange(input, random);
  return spliced(input, start, end, Buffer.alloc(0));
};

const truncate: Mutator = (input, { random }) => input.subarray(0, random.between(0, input.length));

const copy: Mutator = (input, { random }) => {
  const [start, end] = someRange(input, random);
  const at = random.between(0, input.length);
  return spliced(input, at, at, input.subarray(start, end));
};

/** Something short, as often as it fits: what is quadratic or recursive shows itself. */
const bomb: Mutator = (input, { random, words, longest }) => {
  const [start, end] = someRange(input, random);
  const unit =
    words.length > 0 && random.chance(0.5)
      ? Buffer.from(random.pick(words), 'latin1')
      : input.subarray(start, Math.min(end, start + 64));
  if (unit.length === 0) return input;
  const times = Math.floor((longest * random.next() ** 3) / unit.length);
  return spliced(input, end, end, Buffer.concat(Array<Buffer>(times).fill(unit)));
};

const word: Mutator = (input, { random, words }) => {
  if (words.length === 0) return notable(input, { random, words, longest: 0, other: () => input });
  const put = Buffer.from(random.pick(words), 'latin1');
  const at = random.between(0, input.length);
  return spliced(input, at, random.chance(0.5) ? at : Math.min(input.length, at + put.length), put);
};

/** A part of another input instead of a part of this one. */
const splice: Mutator = (input, { random, other }) => {
  const [start, end] = someRange(input, random);
  const donor = other();
  const [from, to] = someRange(donor, random);
  return spliced(input, start, end, donor.subarray(from, to));
};

/** The head of this one, the tail of another. */
const crossover: Mutator = (input, { random, other }) => {
  const donor = other();
  return Buffer.concat([
    input.subarray(0, random.between(0, input.length)),
    donor.subarray(random.between(0, donor.length)),
  ]);
};

const number: Mutator = (input, { random }) => {
  const found = [...input.toString('latin1').matchAll(/\d+/g)];
  if (found.length === 0) return step(input, { random, words: [], longest: 0, other: () => input });
  const match = random.pick(found);
  return spliced(
    input,
    match.index,
    match.index + match[0].length,
    Buffer.from(random.pick(NUMBERS), 'latin1'),
  );
};

/** A length in one, two or four octets, as binary formats have them. */
const lengthField: Mutator = (input, { random }) => {
  const size = random.pick([1, 2, 4]);
  if (input.length < size) return input;
  const result = Buffer.from(input);
  const most = 2 ** (8 * size);
  const at = random.between(0, input.length - size);
  const value = random.pick([0, 1, most - 1, most / 2, input.length - at, result.readUIntBE(at, size) + 1]);
  result.writeUIntBE(value % most, at, size);
  return result;
};

/** Lines change places, come twice, or go. */
const lines: Mutator = (input, { random }) => {
  const all = input.toString('latin1').split(/(?<=\n)/);
  const [from, to] = [random.between(0, all.length - 1), random.between(0, all.length)];
  const moved = random.chance(0.5) ? all.slice(from, from + 1) : all.splice(from, 1);
  if (random.chance(0.7)) all.splice(to, 0, ...moved);
  return Buffer.from(all.join(''), 'latin1');
};

export const everywhere: readonly Mutator[] = [
  flip,
  notable,
  step,
  remove,
  truncate,
  copy,
  bomb,
  word,
  word,
  splice,
  crossover,
  number,
  lengthField,
  lines,
];
