/** Control characters of ASCII and of ISO 6429, and what turns the direction of reading or ends a line. */
const HARMFUL = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/**
 * A stranger's text for an operator's eyes, on one line: what a terminal would obey stands as `\u001b`. JSON text stays JSON
 * and says the same.
 */
export const printable = (text: string): string =>
  text.replace(HARMFUL, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
