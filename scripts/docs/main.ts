import { readFileSync, writeFileSync } from 'node:fs';
import { composeFile, envExample, reference } from './texts.ts';

/**
 * `npm run docs`: writes the texts that are generated from the settings, in the repository's root.
 */
const texts = {
  '.env.example': envExample(),
  'docs/reference/configuration.md': reference(),
  'docker-compose.yml': composeFile(readFileSync('docker-compose.yml', 'utf8')),
};
for (const [file, text] of Object.entries(texts)) {
  if (readFileSync(file, 'utf8') === text) continue;
  writeFileSync(file, text);
  console.log(`${file} written`);
}
