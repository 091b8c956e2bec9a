// A child for the tests of supervisor/supervised-process.ts. Its argument is in CHILD: what it does once it has started.
import { appendFileSync } from 'node:fs';

const { CHILD, CHILD_LOG } = process.env;
const report = (what) => appendFileSync(CHILD_LOG, `${what} ${process.pid}\n`);

report('started');
setInterval(() => {}, 1000);
process.on('disconnect', () => {
  report('orphaned');
  process.exit(0);
});
process.on('SIGTERM', () => {
  report('stopped by request');
  if (CHILD !== 'stubborn') process.exit(0);
});
if (CHILD === 'crashing') process.exit(3);
else process.send({ type: 'ready', url: 'http://child' });
