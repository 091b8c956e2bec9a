import type { ReadyMessage } from './supervised-process.ts';

/** What a person wants to know once everything runs: where, with which key, a first request to paste, and how to stop. */
export function welcome({
  url = '',
  apiKey,
  apiKeyFile,
  workers,
}: ReadyMessage & { workers: number }): string {
  const lines = [
    '',
    `  LeadEngine is running: the API on ${url}, and ${workers} ${workers === 1 ? 'worker' : 'workers'}.`,
    '',
    ...keyLines(apiKey, apiKeyFile),
    '',
    '  A first job:',
    '',
    `    curl ${url}/api/v1/jobs/scrape -H "Authorization: Bearer ${keyForShell(apiKey, apiKeyFile)}" \\`,
    `      -H 'Content-Type: application/json' -d '{"urls":["https://example.com"]}'`,
    '',
    '  Ctrl-C stops everything; unfinished jobs go on at the next start.',
    '',
  ];
  return lines.join('\n');
}

function keyLines(apiKey: string | undefined, file: string | undefined): string[] {
  const kept = file ? `kept in ${file}` : '';
  if (apiKey) return [`  Your API key (shown this once${kept && `, ${kept}`}):`, '', `    ${apiKey}`];
  return [file ? `  Your API key is ${kept}` : '  Your API key is the one in BOOTSTRAP_API_KEY'];
}

/** Something that works as pasted into a shell. */
function keyForShell(apiKey: string | undefined, file: string | undefined): string {
  if (apiKey) return apiKey;
  return file ? `$(cat '${file.replaceAll("'", `'\\''`)}')` : '$BOOTSTRAP_API_KEY';
}
