import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAllowed, permissionsFor } from '../../../scraping/politeness/robots-permission.ts';
import { parseRobots } from '../../../scraping/politeness/robots-txt.ts';
import type { Part } from '../part.ts';

/**
 * Google's robots.txt cases (google/robotstxt-spec-test): which agent may fetch which URL. A
 * trespass is a page fetched although disallowed, the worse fault.
 */
export const robotsPart: Part = {
  name: 'robots',
  needs: 'robots',
  async measure({ options, detail }) {
    const folder = join(options.corpus, 'robots');
    const files = readdirSync(folder).filter((name) => name.endsWith('.textproto'));
    let verdicts = 0;
    let right = 0;
    let trespasses = 0;
    for (const file of files) {
      for (const { robotsTxt, url, agent, allowed } of parseCases(readFileSync(join(folder, file)))) {
        const verdict = isAllowed(permissionsFor(parseRobots(robotsTxt), agent), url);
        verdicts += 1;
        if (verdict === allowed) right += 1;
        else detail({ part: 'robots', file, url, agent, allowed, verdict });
        if (verdict && !allowed) trespasses += 1;
      }
    }
    if (verdicts === 0) throw new Error(`${folder} holds no cases`);
    return [
      {
        name: 'verdicts right',
        figure: right / verdicts,
        target: { atLeast: 1 },
        note: `${right} of ${verdicts}`,
      },
      { name: 'trespasses', figure: trespasses, target: { atMost: 0 } },
    ];
  },
};

interface Case {
  robotsTxt: Buffer;
  url: string;
  agent: string;
  allowed: boolean;
}

/**
 * Parses the subset of the protobuf text format that these files use: fields of adjacent quoted
 * strings with C escapes.
 */
function* parseCases(file: Buffer): Generator<Case> {
  // One character per octet, as robots.txt is read.
  const text = file.toString('latin1').replace(/^\s*#.*$/gm, '');
  let robotsTxt: Buffer = Buffer.alloc(0);
  let url = '';
  let agent = '';
  const field = /(\w+)\s*:\s*((?:"(?:[^"\\]|\\[\s\S])*"\s*)+|\w+)/g;
  for (const [, name, value = ''] of text.matchAll(field)) {
    if (name === 'robotstxt') robotsTxt = unescapeBytes(value);
    if (name === 'testurl') url = unescapeBytes(value).toString('utf8');
    if (name === 'useragent') agent = unescapeBytes(value).toString('utf8');
    if (name === 'expected_outcome') yield { robotsTxt, url, agent, allowed: value.trim() === 'ALLOWED' };
  }
}

const ESCAPES: Record<string, string> = { n: '\n', r: '\r', t: '\t', f: '\f', v: '\v' };

function unescapeBytes(quoted: string): Buffer {
  const parts = [...quoted.matchAll(/"((?:[^"\\]|\\[\s\S])*)"/g)].map(([, part = '']) => part);
  const plain = parts.join('').replace(/\\(x[0-9a-f]{1,2}|[0-7]{1,3}|[\s\S])/gi, (_, code: string) => {
    if (/^x/i.test(code)) return String.fromCharCode(Number.parseInt(code.slice(1), 16));
    if (/^[0-7]/.test(code)) return String.fromCharCode(Number.parseInt(code, 8));
    return ESCAPES[code] ?? code;
  });
  return Buffer.from(plain, 'latin1');
}
