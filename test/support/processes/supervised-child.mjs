// A child for the tests of supervisor/supervised-process.ts. Its argument is in CHILD: what it does once it has started.
import { appendFileSync } from 'node:fs';

const { CHILD, CHILD_LOG } = process.env;
const tell = (what) => appendFileSync(CHILD_LOG, `${what} ${process.pid}\n`);

tell('started');
setInterval(() => {}, 1000);
process.on('disconnect', () => {
  tell('orphaned');
  process.exit(0);
});
process.on('SIGTERM', () => {
  tell('told to stop');
  if (CHILD !== 'stubborn') process.exit(0);
});
if (CHILD === 'crashing') process.exit(3);
else process.send({ type: 'ready', url: 'http://child' });
