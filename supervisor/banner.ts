import type { ReadyMessage } from './supervised-process.ts';

/**
 * Printed once everything runs: the URL, the API key, a first request to paste, and how to stop.
 */
export function banner({ workers, ...ready }: ReadyMessage & { workers: number }): string {
  const { url = '' } = ready;
  const lines = [
    '',
    `  LeadEngine is running: the API on ${url}, and ${workers} ${workers === 1 ? 'worker' : 'workers'}.`,
    '',
    ...keyLines(ready),
    '',
    '  A first job:',
    '',
    `    curl ${url}/api/v1/jobs/scrape -H "Authorization: Bearer ${keyForShell(ready)}" \\`,
    `      -H 'Content-Type: application/json' -d '{"urls":["https://example.com"]}'`,
    '',
    '  Ctrl-C stops everything; unfinished jobs go on at the next start.',
    '',
  ];
  return lines.join('\n');
}

function keyLines({ apiKey, apiKeyFile: file, apiKeyRevoked }: ReadyMessage): string[] {
  if (apiKeyRevoked) {
    return file
      ? [
          `  The first API key (in ${file}) was revoked: use another one,`,
          '  or delete that file and start again to have a new one made.',
        ]
      : ['  The API key in BOOTSTRAP_API_KEY was revoked: use another one.'];
  }
  const kept = file ? `kept in ${file}` : '';
  if (apiKey) return [`  Your API key (shown this once${kept && `, ${kept}`}):`, '', `    ${apiKey}`];
  return [file ? `  Your API key is ${kept}` : '  Your API key is the one in BOOTSTRAP_API_KEY'];
}

/** An expression for the key that works when pasted into a shell. */
function keyForShell({ apiKey, apiKeyFile: file, apiKeyRevoked }: ReadyMessage): string {
  if (apiKeyRevoked) return '$KEY';
  if (apiKey) return apiKey;
  return file ? `$(cat '${file.replaceAll("'", `'\\''`)}')` : '$BOOTSTRAP_API_KEY';
}
