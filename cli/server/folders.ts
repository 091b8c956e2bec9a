import { homedir } from 'node:os';
import { join } from 'node:path';

export type Environment = Record<string, string | undefined>;

/** Where each system keeps a user's settings, and programs their data. */
export interface Folders {
  config: string;
  data: string;
}

export function foldersOf(
  env: Environment,
  platform: NodeJS.Platform = process.platform,
  home: string = env.HOME || homedir(),
): Folders {
  const name = 'leadengine';
  switch (platform) {
    case 'darwin': {
      const support = join(home, 'Library', 'Application Support', name);
      return { config: support, data: join(support, 'data') };
    }
    case 'win32':
      return {
        config: join(env.APPDATA || join(home, 'AppData', 'Roaming'), name),
        data: join(env.LOCALAPPDATA || join(home, 'AppData', 'Local'), name),
      };
    default:
      return {
        config: join(env.XDG_CONFIG_HOME || join(home, '.config'), name),
        data: join(env.XDG_DATA_HOME || join(home, '.local', 'share'), name),
      };
  }
}
