// `npm run prepack`, which `npm pack` and `npm publish` run: the build that the package holds.
import { takeNoArguments } from './help.mjs';
import { setup } from './setup.mjs';
import { runScript } from './steps.mjs';

await runScript(async () => {
  takeNoArguments('prepack', process.argv.slice(2));
  await setup({ browser: false });
});
