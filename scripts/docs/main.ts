import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { errorCodes, sdkErrorCodes } from './error-codes.ts';
import { composeFile, envExample, reference } from './texts.ts';

/**
 * `npm run docs`: writes the texts that are generated from the settings, in the repository's root.
 */
const texts = {
  '.env.example': envExample(),
  'docs/reference/configuration.md': reference(),
  'docs/reference/error-codes.md': errorCodes('.'),
  'sdk/src/error-codes.ts': sdkErrorCodes('.'),
  'docker-compose.yml': composeFile(readFileSync('docker-compose.yml', 'utf8')),
};
for (const [file, text] of Object.entries(texts)) {
  if (existsSync(file) && readFileSync(file, 'utf8') === text) continue;
  writeFileSync(file, text);
  console.log(`${file} written`);
}
