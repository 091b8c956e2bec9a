import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { sniffEncoding } from '../../../scraping/response/charset.ts';
import { readCorpusFile } from '../corpus.ts';
import type { Part } from '../part.ts';
import { share } from '../scores.ts';

const FOLDER = 'encoding';

/**
 * The sniffing cases of html5lib-tests (`encoding/*.dat`): documents as bytes, and the encoding a
 * browser reads them in, from the document alone.
 */
export const encodingPart: Part = {
  name: 'encoding',
  needs: FOLDER,
  async measure({ options, detail }) {
    const right: boolean[] = [];
    const files = readdirSync(join(options.corpus, FOLDER)).filter((name) => name.endsWith('.dat'));
    for (const file of files) {
      for (const { data, encoding } of parseCases(await readCorpusFile(options.corpus, join(FOLDER, file)))) {
        const found = sniffEncoding(data, null);
        right.push(found === encoding);
        if (found !== encoding)
          detail({ part: 'encoding', file, data: data.toString('latin1'), encoding, found });
      }
    }
    return [
      {
        name: 'encodings right',
        figure: share(right, Boolean),
        target: { atLeast: 1 },
        note: `of ${right.length}`,
      },
    ];
  },
};

/** Repeated: `#data`, lines of bytes, `#encoding`, a label. */
function parseCases(file: Buffer): { data: Buffer; encoding: string }[] {
  return file
    .toString('latin1')
    .split(/^#data\n/m)
    .slice(1)
    .map((text) => {
      const [data = '', label = ''] = text.split(/\n#encoding\n/);
      const name = label.trim().split('\n')[0] ?? '';
      return { data: Buffer.from(data, 'latin1'), encoding: new TextDecoder(name).encoding };
    });
}
