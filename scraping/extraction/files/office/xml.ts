import { Parser } from 'htmlparser2';

/** Receives the elements of an XML part; names have their prefix. */
export interface XmlEvents {
  open?(name: string, attributes: Readonly<Record<string, string>>): void;
  close?(name: string): void;
  text?(text: string): void;
}

/** Deeper elements are not read: the parser's time per tag grows with depth. */
const MAX_LEVELS = 300;

export function readXml(xml: string, events: XmlEvents): void {
  let level = 0;
  const parser = new Parser(
    {
      onopentag: (name, attributes) => {
        level += 1;
        if (level > MAX_LEVELS) parser.pause();
        else events.open?.(name, attributes);
      },
      onclosetag: (name) => {
        level -= 1;
        events.close?.(name);
      },
      ontext: (text) => events.text?.(text),
    },
    { xmlMode: true, decodeEntities: true },
  );
  parser.end(xml);
}

/** Text by element name, the first of each. */
export function textsIn(xml: string, names: readonly string[]): Map<string, string> {
  const texts = new Map<string, string>();
  let reading: string | null = null;
  readXml(xml, {
    open: (name) => {
      if (names.includes(name) && !texts.has(name)) {
        reading = name;
        texts.set(name, '');
      }
    },
    close: (name) => {
      if (name === reading) reading = null;
    },
    text: (text) => {
      if (reading) texts.set(reading, (texts.get(reading) ?? '') + text);
    },
  });
  return texts;
}
