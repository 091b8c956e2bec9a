// `npm start`: the set-up, then the supervisor of all processes.
import { takeNoArguments } from './help.mjs';
import { setup } from './setup.mjs';
import { endWithNpm, runScript } from './steps.mjs';

await runScript(async () => {
  takeNoArguments('start', process.argv.slice(2));
  endWithNpm();
  await setup();
  await import('../dist/supervisor/main.js');
});
