import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { OperatorError } from '../operator-error.ts';
import { ambiguityIn, readEnvFile } from './env-file.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'leadengine-env-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const read = (text: string) => {
  const path = join(folder, '.env');
  writeFileSync(path, text);
  return readEnvFile(path);
};

describe('.env', () => {
  test.each([
    ["KEY='abc#def'", 'abc#def'],
    ['KEY="abc # def"', 'abc # def'],
    ['KEY=`a\'b"c`', 'a\'b"c'],
    ['KEY=abc # a comment', 'abc'],
    ['KEY=abc def', 'abc def'],
    ['KEY=  abc  ', 'abc'],
    ["KEY=' abc '", ' abc '],
    ['KEY=#', ''],
    ['KEY= # nothing yet', ''],
    ['KEY=', ''],
    ['export KEY=abc', 'abc'],
    ['KEY: abc', 'abc'],
    ['\uFEFFKEY=abc', 'abc'],
    ['# a comment with KEY=nothing\r\nKEY=abc\r\n', 'abc'],
    ['KEY="two\nlines"\nOTHER=1', 'two\nlines'],
    ['KEY=p%40ss=word?', 'p%40ss=word?'],
  ])('%j is read as dotenv reads it', (text, value) => {
    expect(read(text).KEY).toBe(value);
  });

  test.each([
    ['KEY=abc#def', /line 1: KEY: quote the value/],
    ['A=1\n\nKEY=abc#def # why', /line 3: KEY: quote the value/],
    ['KEY=#abc', /line 1: KEY: quote the value/],
    ['KEY="abc', /line 1: KEY: the quote " is not closed/],
    ["A='x\ny'\nKEY='abc\nB=2", /line 3: KEY: the quote ' is not closed/],
    ['KEY="abc"def', /line 1: KEY: put quotes around the whole value/],
    ['KEY="abc\\"def"', /line 1: KEY: use another of ' " ` around the value/],
    ["KEY='abc\\'def'", /line 1: KEY: use another of/],
    ['PORT 3000', /line 1: expected NAME=value/],
    ['=abc', /line 1: expected NAME=value/],
  ])('%j is refused with its line, and never with its value', (text, problem) => {
    expect(() => read(text)).toThrow(OperatorError);
    expect(() => read(text)).toThrow(problem);
    expect(ambiguityIn(text)).not.toMatch(/abc/);
  });

  test('is optional, but must be readable', () => {
    expect(readEnvFile(join(folder, 'none'))).toEqual({});
    expect(() => readEnvFile(folder)).toThrow(/^configuration: .+ cannot be read \(EISDIR\)/);
  });
});
