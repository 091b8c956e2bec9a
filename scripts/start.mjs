// `npm start`: the set-up, then everything.
import { setup } from './setup.mjs';
import { endWithNpm, runScript } from './steps.mjs';

await runScript(async () => {
  endWithNpm();
  await setup();
  await import('../dist/supervisor/main.js');
});
