import { children, content, type Element, encoded, readElement } from '../../src/smime/read/asn1.js';
import { CmsError } from '../../src/smime/read/cms-error.js';
import { der } from '../../src/smime/read/der.js';
import { everywhere } from './engine/mutate.js';
import type { Mutator, Surroundings } from './target.js';

/** Elements of a DER structure, in order; those that only look constructed are leaves. */
function allElements(root: Element): Element[] {
  if ((root.tag & 0x20) === 0) return [root];
  return [root, ...children(root).flatMap(allElements)];
}

/** The structure with `victim` replaced, the lengths of all that holds it mended. */
function rebuilt(element: Element, victim: Element, put: Uint8Array): Uint8Array {
  if (element === victim) return put;
  const holds = element.start <= victim.start && victim.end <= element.end;
  if (!holds || (element.tag & 0x20) === 0) return encoded(element);
  // The same elements again: `victim` is known by its place.
  const inner = children(element).map((child) =>
    rebuilt(child.start === victim.start && child.end === victim.end ? victim : child, victim, put),
  );
  return der(element.tag, ...inner);
}

/** BER's other way to say it: an indefinite length. */
const indefinite = (element: Element): Uint8Array =>
  Buffer.concat([Buffer.from([element.tag, 0x80]), content(element), Buffer.from([0, 0])]);

function replacement(element: Element, others: readonly Element[], around: Surroundings): Uint8Array {
  const { random } = around;
  const own = encoded(element);
  const other = encoded(random.pick(others));
  switch (random.between(0, 6)) {
    case 0:
      return Buffer.alloc(0);
    case 1:
      return Buffer.concat([own, own]);
    case 2:
      return other;
    case 3:
      return Buffer.concat([own, other]);
    case 4:
      return der(random.pick([0x02, 0x03, 0x04, 0x06, 0x0c, 0x17, 0x18, 0x30, 0x31, 0xa0]), content(element));
    case 5:
      return (element.tag & 0x20) === 0 ? der(element.tag, Buffer.alloc(0)) : indefinite(element);
    default: {
      const inside = random.pick(everywhere)(Buffer.from(content(element)), around);
      return der(element.tag, inside);
    }
  }
}

/** Changes one element of a DER structure and mends the lengths around it; what is no DER is changed as bytes. */
export const changedElement: Mutator = (input, around) => {
  try {
    const root = readElement(input);
    const elements = allElements(root);
    const victim = around.random.pick(elements);
    return Buffer.from(rebuilt(root, victim, replacement(victim, elements, around)));
  } catch (error) {
    if (!(error instanceof CmsError)) throw error;
    return around.random.pick(everywhere)(input, around);
  }
};

const SIGNATURE = /(pkcs7-signature[\s\S]*?\r\n\r\n)([A-Za-z0-9+/=\r\n]+)/;

/** Changes one element of the signature inside a signed message. */
export const changedSignature: Mutator = (input, around) => {
  const text = input.toString('latin1');
  const last = text.lastIndexOf('pkcs7-signature');
  const part = SIGNATURE.exec(text.slice(Math.max(0, text.indexOf('smime.p7s'), last - 200)));
  const [whole, , base64] = part ?? [];
  if (whole === undefined || base64 === undefined) return input;
  const changed = changedElement(Buffer.from(base64, 'base64'), around);
  const lines = changed.toString('base64').replace(/.{76}/g, '$&\r\n');
  return Buffer.from(
    text.replace(base64, () => `${lines}\r\n`),
    'latin1',
  );
};
