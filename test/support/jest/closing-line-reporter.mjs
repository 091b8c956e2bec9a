// Jest's summary has several lines and its shape changes between versions. Ours is one line, the
// last of the whole run: `N passed, N failed`, with `, N skipped` if there are any.
import { writeFileSync, writeSync } from 'node:fs';

/**
 * How long Jest may take to close after the last test before a test counts as having leaked
 * something.
 */
const CLOSING_MS = 60_000;

export default class ClosingLineReporter {
  onRunComplete(_contexts, results) {
    const passed = results.numPassedTests;
    // A file that could not be run counts as one failure: it may hold any number of tests.
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const skipped = results.numPendingTests + results.numTodoTests;
    const nothingRan = results.numTotalTestSuites > 0 && passed + failed + skipped === 0;
    print(closingLine(passed, failed + (nothingRan ? 1 : 0), skipped));

    // A leaked handle would keep Jest waiting for ever; that is a failure with a name, not a hang.
    setTimeout(() => {
      console.error(`Something is still open ${CLOSING_MS / 1000} s after the last test: ${openResources()}`);
      print(closingLine(passed, failed + 1, skipped));
      process.exit(1);
    }, CLOSING_MS).unref();
  }
}

function closingLine(passed, failed, skipped) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

let line;

/** scripts/jest.mjs passes a file for the line and prints it itself, after everything else. */
function print(text) {
  const file = process.env.CLOSING_LINE_FILE;
  if (file) {
    writeFileSync(file, text);
  } else {
    if (line === undefined) process.on('exit', () => writeSync(1, `${line}\n`));
    line = text;
  }
}

const openResources = () =>
  [...new Set(process.getActiveResourcesInfo())].filter((name) => !/^(TTY|Timeout)/.test(name)).join(', ');
